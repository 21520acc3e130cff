"""Twenty lives, and one more that the decision log tells of, along one line of time, and the letters that people write about them.

Each letter is a name, what the person writes, what happens (time, command), and what is then asked: a time of asking for `--at`, or
None for now, and the facts of the recording. Times are UTC."""

import copy

FACTS = {"profile": "voice", "wake": "intended", "kind": "command", "speakers": "one", "identity": "matched", "age": "adult", "purpose": "human-review",
         "country": "DE", "reviewer": "employee"}
PROOF = ("--channel", "app", "--actor", "self")


def policy(shipped):
    """The shipped one, with one person for each loosening, a default in the US, a notice that a newer one replaces, and one whose consents end after three months."""
    made = copy.deepcopy(shipped)
    made["version"] = "2026-letters"
    made["approvals"] = {act: "PERSONS_ONE" for act in ("resume", "release_hold", "activate_policy")}
    us, = (regime for regime in made["regimes"] if regime["name"] == "us")
    us["default_rule"] = "DEFAULT_RULE_OPT_OUT"
    plain, = (notice for notice in made["notices"] if notice["version"] == "2026-01")
    for version, changes in (("2025-11", {"valid_from": "2025-11-01T00:00:00Z"}), ("trial", {"consent_lifetime_months": 3}),
                             ("2026-06", {"valid_from": "2026-06-01T00:00:00Z", "supersedes": ["2025-11"]})):
        made["notices"].append({**copy.deepcopy(plain), "version": version, **changes})
    return made


def facts(recording, captured_at, **others):
    return {**FACTS, "recording": recording, "captured-at": captured_at, **others}


def disposition(recording, captured_at, **others):
    asked = facts(recording, captured_at, **others)
    for name in ("purpose", "country", "reviewer"):
        del asked[name]
    return asked


def registered(account, at="2026-01-10 09:00", region="DE", profile="voice:adult", more=()):
    return (at, ("subject", "set", account, "--region", region, "--profile", profile, *more, *PROOF))


def agreed(account, at="2026-01-10 10:00", notice="2026-01", more=(), control="help_improve"):
    """For the account and the person's own profile."""
    return (at, ("settings", "set", account, "--on", control, "--self-profile", "voice", "--notice", notice, "--language", "en", "--etag", "ETAG", *PROOF, *more))


LETTERS = [
    ("01-why-was-i-heard", "In March somebody listened to me asking for the weather. Who allowed that?",
     [registered("anna"), agreed("anna")],
     [("2026-03-05 14:00", facts("anna-1", "2026-03-03T08:15:00Z"))]),

    ("21-on-record", "The log says that somebody got a yes for my recording of April. I have said no since.",
     [registered("uma"), agreed("uma"), ("2026-04-07 09:00", "CHECK uma"), ("2026-07-30 09:00", ("settings", "opt-out", "uma", "--all"))],
     [("recorded", facts("uma-1", "2026-04-06T08:15:00Z"))]),

    ("02-off-in-may", "I turned it off in May, and in June someone listened. How can that be?",
     [registered("bert"), agreed("bert"), ("2026-05-12 18:30", ("settings", "opt-out", "bert", "--all", "--channel", "app"))],
     [("2026-06-22 11:00", facts("bert-1", "2026-06-20T19:00:00Z"))]),

    ("03-not-deleted-yet", "I had everything deleted on 1 June. Why is it still not done ten days later?",
     [registered("clara"), ("2026-06-01 08:00", ("delete", "clara", "--everything", "--verified")), ("2026-06-02 08:00", "WORK audio clara")],
     [("2026-06-10 08:00", disposition("clara-1", "2026-04-02T20:00:00Z"))]),

    ("04-the-vendor-still-has-it", "I deleted it yesterday, and your vendor still has my voice.",
     [registered("dora"), ("2026-07-20 09:00", ("delete", "dora", "--from", "2026-07-19T00:00:00Z", "--to", "2026-07-19T23:59:59Z", "--verified")),
      ("2026-07-20 09:05", "WORK audio dora"), ("2026-07-20 09:10", "FAIL vendor dora"), ("2026-07-20 15:00", "FAIL vendor dora")],
     [("now 2026-07-20 16:00", disposition("dora-1", "2026-07-19T12:00:00Z"))]),

    ("05-my-childs-voice", "You use recordings of my daughter. I agreed for myself, never for her.",
     [registered("emil", more=("--profile", "kid:child:guardian=emil")), agreed("emil")],
     [("2026-03-20 10:00", facts("emil-1", "2026-03-18T16:00:00Z", profile="kid"))]),

    ("06-yes-on-paper", "I said yes on paper in January. Does that count for what I said in February?",
     [("2026-03-01 09:00", "PAPER frieda 2026-01-15T12:00:00Z")],
     [("2026-03-10 09:00", facts("frieda-1", "2026-02-10T07:30:00Z"))]),

    ("07-moved-to-germany", "I moved from Ohio to Germany. Do you go on using what I said over there?",
     [registered("finn", region="US-OH"), ("2026-04-01 12:00", ("subject", "set", "finn", "--region", "DE", "--etag", "ETAG", *PROOF))],
     [("2026-03-15 12:00", facts("finn-1", "2026-02-20T22:00:00Z", country="US")), ("2026-04-05 12:00", facts("finn-1", "2026-02-20T22:00:00Z", country="US"))]),

    ("08-why-do-you-ask-me-again", "My wife has already said yes for our account. Why do you ask me, too?",
     [registered("greta", more=("--profile", "husband:adult")), agreed("greta")],
     [("2026-02-15 12:00", facts("greta-1", "2026-02-14T18:00:00Z", profile="husband"))]),

    ("09-a-hold", "A court case of my landlord's is over my recordings of March. I had them deleted, and you still have them.",
     [registered("hans"), agreed("hans"), ("2026-04-10 09:00", ("holds", "place", "hans", "--from", "2026-03-01T00:00:00Z", "--to", "2026-03-31T23:59:59Z", "--authority",
                                                               "District Court, 12-345", "--reason", "discovery")),
      ("2026-04-20 09:00", ("delete", "hans", "--everything", "--verified"))],
     [("2026-04-25 09:00", facts("hans-1", "2026-03-09T06:00:00Z"))]),

    ("10-closed-account", "I closed my account. What becomes of the recording of last winter?",
     [registered("ida"), agreed("ida"), ("2026-07-25 10:00", ("delete", "ida", "--close-account", "--verified"))],
     [("2026-07-26 10:00", facts("ida-1", "2026-02-01T10:00:00Z"))]),

    ("11-a-guest", "My brother visited us and talked to the speaker. Did anybody listen to him?",
     [registered("jan"), agreed("jan")],
     [("2026-03-30 10:00", facts("jan-1", "2026-03-29T20:00:00Z", speakers="several", identity="unmatched"))]),

    ("12-an-accident", "It lit up during dinner, and nobody had called it. What happens with that?",
     [registered("kim"), agreed("kim")],
     [("2026-03-02 10:00", facts("kim-1", "2026-03-01T19:30:00Z", wake="accidental"))]),

    ("13-three-months", "I chose three months. Why is the recording of February gone in May, and when did it have to go?",
     [registered("lena"), ("2026-01-15 10:00", ("settings", "set", "lena", "--retention", "3m"))],
     [("2026-04-15 10:00", disposition("lena-1", "2026-02-01T10:00:00Z")), ("2026-05-10 10:00", disposition("lena-1", "2026-02-01T10:00:00Z"))]),

    ("14-do-not-save", "I chose that nothing is saved. What about the time before?",
     [registered("max"), agreed("max"), ("2026-04-02 10:00", ("settings", "set", "max", "--retention", "do-not-save"))],
     [("2026-04-03 10:00", facts("max-1", "2026-03-01T10:00:00Z"))]),

    ("15-a-new-notice", "I changed nothing. Why could you use my recordings in May, and not in June?",
     [registered("nora"), agreed("nora", notice="2025-11")],
     [("2026-05-20 10:00", facts("nora-1", "2026-05-18T10:00:00Z")), ("2026-06-10 10:00", facts("nora-1", "2026-05-18T10:00:00Z"))]),

    ("16-device-off", "I turned it off on the speaker in the kitchen alone. Was that respected?",
     [registered("oleg", more=("--device", "kitchen")), agreed("oleg"),
      ("2026-02-20 10:00", ("settings", "opt-out", "oleg", "--control", "help_improve", "--device", "kitchen"))],
     [("2026-03-01 10:00", facts("oleg-1", "2026-02-25T10:00:00Z", device="kitchen"))]),

    ("17-consent-over", "I agreed to a trial in January. Why does it not count any more?",
     [registered("pia"), agreed("pia", notice="trial")],
     [("2026-04-20 10:00", facts("pia-1", "2026-02-10T10:00:00Z"))]),

    ("18-denied", "You denied my request to delete everything. Do you use it now?",
     [registered("rosa"), agreed("rosa"), ("2026-03-10 10:00", ("delete", "rosa", "--everything")), ("2026-03-20 10:00", "DENY rosa")],
     [("2026-03-25 10:00", facts("rosa-1", "2026-02-10T10:00:00Z"))]),

    ("19-stopped", "You announced in April that features are no longer developed with our voices. Is that so? And in May?",
     [registered("saul"), agreed("saul"), ("2026-04-01 08:00", ("policy", "suspend", "feature-development", "--reason", "press reports")),
      ("2026-05-01 08:00", "RESUME")],
     [("2026-04-10 10:00", facts("saul-1", "2026-02-10T10:00:00Z", purpose="feature-development")),
      ("2026-05-10 10:00", facts("saul-1", "2026-02-10T10:00:00Z", purpose="feature-development"))]),

    ("20-another-country", "I read that people in the Philippines listen. To me, too?",
     [registered("theo"), agreed("theo")],
     [("2026-03-05 14:00", facts("theo-1", "2026-03-03T08:15:00Z", country="PH", reviewer="contractor"))]),
]
