// Asks whether one recording may be listened to: check ACCOUNT RECORDING. Ends with 0 for a yes and with 10 for a no, with 20 without an answer.
//
// Where the daemon is comes from CONSENT_ENDPOINT (HOST:port), CONSENT_CA, CONSENT_CERT and CONSENT_KEY.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/ioutil"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "consent/v1"
)

// No policy may let an answer live longer.
const longestLife = 24 * time.Hour

// since says how long ago a time was by two clocks, of which the longer span counts: the monotonic one may stand still while the machine sleeps, the
// wall clock may be set back.
func since(then time.Time) time.Duration {
	elapsed, wall := time.Since(then), time.Now().Round(0).Sub(then.Round(0))
	if wall > elapsed {
		return wall
	}
	return elapsed
}

// mayUse is true only for ELIGIBLE and KEEP, by CONSENT or DEFAULT alone, while the answer is fresh. Every other value, those of later versions
// included, is a no.
func mayUse(reply *v1.CheckResponse, sent time.Time) bool {
	decision := reply.GetDecision()
	if decision.GetEligibility() != v1.Eligibility_ELIGIBILITY_ELIGIBLE || decision.GetDisposition() != v1.Disposition_DISPOSITION_KEEP {
		return false
	}
	if len(decision.GetReasons()) == 0 || !reply.GetCheckedAt().IsValid() {
		return false
	}
	for _, reason := range decision.GetReasons() {
		if reason != v1.Reason_REASON_CONSENT && reason != v1.Reason_REASON_DEFAULT {
			return false
		}
	}
	life := time.Duration(decision.GetGoodUntilUs()-reply.GetCheckedAt().AsTime().UnixNano()/1000) * time.Microsecond
	if life > longestLife {
		life = longestLife
	}
	return since(sent) < life
}

func credentialsOf(ca, certificate, key string) (credentials.TransportCredentials, error) {
	pem, err := ioutil.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", ca)
	}
	own, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13}), nil
}

func check(account, recording string) (bool, error) {
	tlsCredentials, err := credentialsOf(os.Getenv("CONSENT_CA"), os.Getenv("CONSENT_CERT"), os.Getenv("CONSENT_KEY"))
	if err != nil {
		return false, err
	}
	connection, err := grpc.Dial(os.Getenv("CONSENT_ENDPOINT"), grpc.WithTransportCredentials(tlsCredentials))
	if err != nil {
		return false, err
	}
	defer connection.Close()
	request := &v1.CheckRequest{
		Recording: &v1.Recording{
			RecordingId: recording, AccountId: account, CapturedAt: timestamppb.Now(), Wake: v1.Wake_WAKE_BUTTON, Kind: v1.Kind_KIND_COMMAND,
			Speakers: v1.Speakers_SPEAKERS_ONE, Identity: v1.Identity_IDENTITY_NOT_RUN, Age: v1.SpeakerAge_SPEAKER_AGE_ADULT,
		},
		Purpose: v1.Purpose_PURPOSE_HUMAN_REVIEW,
		Place:   &v1.Place{Country: "DE", ReviewerClass: v1.ReviewerClass_REVIEWER_CLASS_EMPLOYEE},
	}
	limited, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	sent := time.Now()
	reply, err := v1.NewEligibilityServiceClient(connection).Check(limited, request)
	if err != nil {
		return false, err
	}
	for _, reason := range reply.GetDecision().GetReasons() {
		fmt.Println(strings.TrimPrefix(reason.String(), "REASON_"))
	}
	return mayUse(reply, sent), nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: check ACCOUNT RECORDING")
		os.Exit(64)
	}
	yes, err := check(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "no answer:", err)
		os.Exit(20)
	}
	if !yes {
		os.Exit(10)
	}
}
