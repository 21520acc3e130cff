"use strict";
// A connection to consentd: its services, and the two questions whose answers cannot be read as a yes by accident.

const grpc = require("@grpc/grpc-js");
const { Answer, sinceBoot } = require("./answer");
const endpoints = require("./endpoint");
const { SERVICE_CONFIG, deserialize, methodsOf, serialize } = require("./messages");

const MAX_BATCH = 1000;
const DEFAULT_TIMEOUT_MS = 10_000; // repetitions included
const REREAD_MS = 1000;
const MAX_MESSAGE_BYTES = 16 << 20;

/** @typedef {import("../generated/consent/v1/Recording").Recording} Recording */
/** @typedef {import("../generated/consent/v1/Place").Place} Place */
/** @typedef {import("../generated/consent/v1/Purpose").Purpose} Purpose */
/** @typedef {import("../generated/consent/v1/Selection").Selection} Selection */
/** @typedef {{timeoutMs?: number}} CallOptions */
/**
 * A service's calls as promises. Each rejects where the call fails; `errorOf` says what the daemon said.
 * @template D
 * @typedef {{[M in keyof D as Uncapitalize<M & string>]: D[M] extends import("@grpc/proto-loader").MethodDefinition<infer Q, any, any, infer R> ?
 *   (request: Q, options?: CallOptions) => Promise<R> : never}} Calls
 */
/**
 * @typedef {object} Question
 * @property {Purpose} purpose such as PURPOSE_HUMAN_REVIEW; PURPOSE_UNSPECIFIED asks for the disposition alone
 * @property {Place} [place] where and by whom it would be used
 * @property {boolean} [full] all reasons and the revision
 * @property {string} [at_least_revision]
 * @property {Selection} [selection]
 */
/**
 * @typedef {object} Options What is not given comes from CONSENT_ENDPOINT, CONSENT_CA, CONSENT_CERT and CONSENT_KEY.
 * @property {string} [endpoint] `unix:/path`, `HOST:port` or `[IPv6]:port`; without any it is the default of consentctl
 * @property {string} [ca] PEM file: the CA of the daemon's certificate
 * @property {string} [certificate] PEM file: the client's certificate, with what leads to its CA
 * @property {string} [key] PEM file: its key, without a passphrase
 * @property {import("./answer").StopWatch} [stopWatch] for tests
 */

/** The daemon replied, and the reply does not say what was asked. Nothing of it may count. */
class NoAnswer extends Error {}

const CHANNEL_OPTIONS = {
  "grpc.service_config": SERVICE_CONFIG, "grpc.service_config_disable_resolution": 1,
  "grpc.enable_http_proxy": 0, // ids never travel through a proxy from the environment
  "grpc.use_local_subchannel_pool": 1, "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 1000,
  "grpc.keepalive_time_ms": 60_000, "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES, "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
};

class Client {
  #target;
  #files;
  #stopWatch;
  /** @type {string | undefined} */
  #stamp;
  #lookedAt = Date.now();
  #connection;
  /** @type {grpc.Client | undefined} */
  #retired;

  /**
   * Use connect().
   * @param {string} target
   * @param {import("./endpoint").Files | undefined} files
   * @param {import("./answer").StopWatch} stopWatch
   */
  constructor(target, files, stopWatch) {
    this.#target = target;
    this.#files = files;
    this.#stopWatch = stopWatch;
    this.#stamp = files && endpoints.stampOf(files);
    this.#connection = this.#open();
    /** @type {Calls<import("../generated/consent/v1/ApprovalService").ApprovalServiceDefinition>} */
    this.approvals = this.#service("ApprovalService");
    /** @type {Calls<import("../generated/consent/v1/BackupService").BackupServiceDefinition>} */
    this.backups = this.#service("BackupService");
    /** @type {Calls<import("../generated/consent/v1/DecisionService").DecisionServiceDefinition>} */
    this.decisions = this.#service("DecisionService");
    /** @type {Calls<import("../generated/consent/v1/DeletionService").DeletionServiceDefinition>} */
    this.deletions = this.#service("DeletionService");
    /** @type {Calls<import("../generated/consent/v1/EligibilityService").EligibilityServiceDefinition>} */
    this.eligibility = this.#service("EligibilityService");
    /** @type {Calls<import("../generated/consent/v1/HoldService").HoldServiceDefinition>} */
    this.holds = this.#service("HoldService");
    /** @type {Calls<import("../generated/consent/v1/KeyService").KeyServiceDefinition>} */
    this.keys = this.#service("KeyService");
    /** @type {Calls<import("../generated/consent/v1/PolicyService").PolicyServiceDefinition>} */
    this.policies = this.#service("PolicyService");
    /** @type {Calls<import("../generated/consent/v1/PurgeService").PurgeServiceDefinition>} */
    this.purges = this.#service("PurgeService");
    /** @type {Calls<import("../generated/consent/v1/DataSystemService").DataSystemServiceDefinition>} */
    this.systems = this.#service("DataSystemService");
    /** @type {Calls<import("../generated/consent/v1/RecordingService").RecordingServiceDefinition>} */
    this.recordings = this.#service("RecordingService");
    /** @type {Calls<import("../generated/consent/v1/SettingsService").SettingsServiceDefinition>} */
    this.settings = this.#service("SettingsService");
    /** @type {Calls<import("../generated/consent/v1/StatusService").StatusServiceDefinition>} */
    this.status = this.#service("StatusService");
    /** @type {Calls<import("../generated/consent/v1/SubjectService").SubjectServiceDefinition>} */
    this.subjects = this.#service("SubjectService");
  }

  #open() {
    const files = this.#files && endpoints.readFiles(this.#files);
    const credentials = files ? grpc.credentials.createSsl(files.ca, files.key, files.cert) : grpc.credentials.createInsecure();
    return new grpc.Client(this.#target, credentials, CHANNEL_OPTIONS);
  }

  /** The connection; a new one once the files of TLS were replaced by others that are good. What is under way on the old one goes on. */
  #current() {
    if (this.#files === undefined || Date.now() - this.#lookedAt < REREAD_MS) return this.#connection;
    this.#lookedAt = Date.now();
    try {
      const stamp = endpoints.stampOf(this.#files);
      if (stamp === this.#stamp) return this.#connection;
      const opened = this.#open();
      this.#retired?.close();
      [this.#retired, this.#connection, this.#stamp] = [this.#connection, opened, stamp];
    } catch {
      // In the middle of being replaced: looked at again in a second.
    }
    return this.#connection;
  }

  /** @param {string} name @returns {any} */
  #service(name) {
    /** @type {Record<string, (request: object, options?: CallOptions) => Promise<unknown>>} */
    const calls = {};
    for (const method of methodsOf(name)) {
      const write = (/** @type {object} */ request) => serialize(method.request, request);
      const read = (/** @type {Buffer} */ bytes) => deserialize(method.response, bytes);
      calls[method.name[0].toLowerCase() + method.name.slice(1)] = async (request, options = {}) => {
        write(request); // what is misspelt throws here, as it is, and not as an error of the call
        return new Promise((resolve, reject) => {
          const deadline = Date.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
          this.#current().makeUnaryRequest(method.path, write, read, request, new grpc.Metadata(), { deadline },
            (error, reply) => (error ? reject(error) : resolve(reply)));
        });
      };
    }
    return Object.freeze(calls);
  }

  /**
   * Asks about one recording. Rejects where the call fails, and with NoAnswer where the reply has no decision: neither is a yes.
   * @param {Recording} recording
   * @param {Question} question
   * @param {CallOptions} [options]
   */
  async check(recording, question, options) {
    const { full, ...rest } = question;
    const elapsed = this.#stopWatch();
    const reply = await this.eligibility.check({ recording, ...rest, view: full ? "DECISION_VIEW_FULL" : "DECISION_VIEW_BASIC" }, options);
    if (!reply.decision) throw new NoAnswer("the daemon's reply has no decision");
    return new Answer(String(question.purpose), reply.decision, reply, elapsed, undefined);
  }

  /**
   * Asks about 1 to 1,000 recordings (else RangeError). Answers in their order, one for each; one that could not be asked about has an `error` and is
   * a no. Rejects as check() does, and with NoAnswer where there are more or fewer answers than recordings: then none counts.
   * @param {readonly Recording[]} recordings
   * @param {Question} question
   * @param {CallOptions} [options]
   */
  async batchCheck(recordings, question, options) {
    if (recordings.length < 1 || recordings.length > MAX_BATCH) {
      throw new RangeError(`a batch must have 1 to 1,000 recordings, this one has ${recordings.length}`);
    }
    const { full, ...rest } = question;
    const elapsed = this.#stopWatch();
    const view = full ? "DECISION_VIEW_FULL" : "DECISION_VIEW_BASIC";
    const reply = await this.eligibility.batchCheck({ recordings: [...recordings], ...rest, view }, options);
    if (reply.results.length !== recordings.length) {
      throw new NoAnswer(`the daemon answered ${reply.results.length} of ${recordings.length} recordings`);
    }
    return reply.results.map((item) => {
      const error = item.decision ? undefined : item.error ?? { reason: "INTERNAL", message: "the daemon left this recording without a decision" };
      return new Answer(String(question.purpose), item.decision ?? undefined, reply, elapsed, error);
    });
  }

  /**
   * Those of 1 to 1,000 recordings that may be used for the purpose now, in their order. Rejects as batchCheck() does.
   * @template {Recording} R
   * @param {readonly R[]} recordings
   * @param {Question} question
   * @param {CallOptions} [options]
   * @returns {Promise<R[]>}
   */
  async eligible(recordings, question, options) {
    const answers = await this.batchCheck(recordings, question, options);
    return recordings.filter((_, index) => answers[index].mayUse(String(question.purpose)));
  }

  /** Ends what is under way. */
  close() {
    this.#retired?.close();
    this.#connection.close();
  }
}

/**
 * Throws a TypeError, before anything is sent, where endpoint or files cannot be used. Waits for no connection. A Unix socket does without the files.
 * The files are read again when they change.
 * @param {Options} [options]
 */
function connect(options = {}) {
  const endpoint = options.endpoint || process.env.CONSENT_ENDPOINT || endpoints.defaultEndpoint(process.env, process.geteuid?.() === 0);
  const given = endpoints.filesOf(options, process.env);
  const files = endpoint.startsWith("unix:") ? undefined : given;
  return new Client(endpoints.targetOf(endpoint, files !== undefined), files, options.stopWatch ?? sinceBoot);
}

module.exports = { Client, NoAnswer, connect };
