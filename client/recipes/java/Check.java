// Asks whether one recording may be listened to: Check ACCOUNT RECORDING. Ends with 0 for a yes and with 10 for a no, with 20 without an answer.
//
// Where the daemon is comes from CONSENT_ENDPOINT (HOST:port), CONSENT_CA, CONSENT_CERT and CONSENT_KEY.

import com.google.protobuf.util.Timestamps;
import consent.v1.CheckRequest;
import consent.v1.CheckResponse;
import consent.v1.Decision;
import consent.v1.Disposition;
import consent.v1.Eligibility;
import consent.v1.EligibilityServiceGrpc;
import consent.v1.Identity;
import consent.v1.Kind;
import consent.v1.Place;
import consent.v1.Purpose;
import consent.v1.Reason;
import consent.v1.Recording;
import consent.v1.ReviewerClass;
import consent.v1.SpeakerAge;
import consent.v1.Speakers;
import consent.v1.Wake;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.handler.ssl.SslContext;
import java.io.File;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

public final class Check {
  // No policy may let an answer live longer.
  private static final long LONGEST_LIFE_US = TimeUnit.HOURS.toMicros(24);

  // Two clocks, of which the longer span counts: nanoTime may stand still while the machine sleeps, the wall clock may be set back.
  private final long sentNanos = System.nanoTime();
  private final long sentMillis = System.currentTimeMillis();

  private long elapsedMicros() {
    return Math.max((System.nanoTime() - sentNanos) / 1000, (System.currentTimeMillis() - sentMillis) * 1000);
  }

  // True only for ELIGIBLE and KEEP, by CONSENT or DEFAULT alone, while the answer is fresh. Every other value, those of later versions included, is a no.
  private boolean mayUse(CheckResponse reply) {
    Decision decision = reply.getDecision();
    if (decision.getEligibility() != Eligibility.ELIGIBILITY_ELIGIBLE || decision.getDisposition() != Disposition.DISPOSITION_KEEP) return false;
    if (decision.getReasonsCount() == 0 || !reply.hasCheckedAt()) return false;
    for (Reason reason : decision.getReasonsList()) {
      if (reason != Reason.REASON_CONSENT && reason != Reason.REASON_DEFAULT) return false;
    }
    long life = Math.min(decision.getGoodUntilUs() - Timestamps.toMicros(reply.getCheckedAt()), LONGEST_LIFE_US);
    return elapsedMicros() < life;
  }

  private static CheckRequest question(String account, String recording) {
    Recording.Builder facts = Recording.newBuilder().setAccountId(account).setRecordingId(recording)
        .setCapturedAt(Timestamps.fromMillis(System.currentTimeMillis())).setWake(Wake.WAKE_BUTTON).setKind(Kind.KIND_COMMAND)
        .setSpeakers(Speakers.SPEAKERS_ONE).setIdentity(Identity.IDENTITY_NOT_RUN).setAge(SpeakerAge.SPEAKER_AGE_ADULT);
    Place here = Place.newBuilder().setCountry("DE").setReviewerClass(ReviewerClass.REVIEWER_CLASS_EMPLOYEE).build();
    return CheckRequest.newBuilder().setRecording(facts).setPurpose(Purpose.PURPOSE_HUMAN_REVIEW).setPlace(here).build();
  }

  // The daemon speaks TLS 1.3 alone, which Netty leaves out unless it is named.
  private static ManagedChannel connect() throws IOException {
    SslContext tls = GrpcSslContexts.forClient().trustManager(new File(System.getenv("CONSENT_CA")))
        .keyManager(new File(System.getenv("CONSENT_CERT")), new File(System.getenv("CONSENT_KEY"))).protocols("TLSv1.3").build();
    return NettyChannelBuilder.forTarget(System.getenv("CONSENT_ENDPOINT")).sslContext(tls).build();
  }

  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 2) {
      System.err.println("usage: Check ACCOUNT RECORDING");
      System.exit(64);
    }
    ManagedChannel channel = connect();
    Check asked = new Check();
    CheckResponse reply = null;
    try {
      reply = EligibilityServiceGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS).check(question(arguments[0], arguments[1]));
    } catch (StatusRuntimeException error) {
      System.err.println("no answer: " + error.getStatus());
    }
    channel.shutdownNow();
    if (reply == null) System.exit(20);
    for (Reason reason : reply.getDecision().getReasonsList()) System.out.println(reason.name().replaceFirst("^REASON_", ""));
    System.exit(asked.mayUse(reply) ? 0 : 10);
  }
}
