"""Short ways to make the requests of the tests: a household in Berlin, its recordings and its choices."""

import datetime
import uuid

from google.protobuf import timestamp_pb2

from consent.v1 import eligibility_service_pb2 as eligibility
from consent.v1 import settings_service_pb2 as settings
from consent.v1 import subject_service_pb2 as subject
from consent.v1 import types_pb2 as types

NOTICE = "2026-01"            # silent on the past
NOTICE_PAST = "2026-01-past"  # covers it
OFFICE = types.Place(country="DE", site="berlin-1", reviewer_class=types.REVIEWER_CLASS_EMPLOYEE)


def ago(**span):
    """Timestamp of now minus a datetime.timedelta's arguments."""
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(**span))
    return stamp


def evidence(notice=NOTICE_PAST, channel=types.CHANNEL_APP, actor=types.ACTOR_SELF, **more):
    return types.Evidence(notice_version=notice, notice_language="en", channel=channel, actor=actor, **more)


def fresh_id():
    """A request_id of its own for every request."""
    return str(uuid.uuid4())


def household(account, profile="anna", device="kitchen", region="DE"):
    """Registers an account with one adult and one device."""
    return subject.UpsertSubjectRequest(account_id=account, region=region, device_ids=[device], request_id=fresh_id(),
                                        profiles=[subject.Profile(profile_id=profile, age=subject.Age(adult=True))])


def scope(profile=None, device=None):
    if profile is not None:
        return types.Scope(profile_id=profile)
    return types.Scope(device_id=device) if device is not None else types.Scope()


def turn(switch, control="help_improve", **where):
    target = settings.SettingTarget(control=control)
    return settings.SettingChange(scope=scope(**where), target=target, turn=switch)


def turn_on(account, etag, notice=NOTICE_PAST, profile="anna", **more):
    """Account and speaker agree to help_improve."""
    changes = [turn(settings.SWITCH_ON), turn(settings.SWITCH_ON, profile=profile)]
    return update(account, changes, etag=etag, evidence=evidence(notice), **more)


def update(account, changes, **more):
    more.setdefault("request_id", fresh_id())
    return settings.UpdateSettingsRequest(account_id=account, changes=changes, **more)


def opt_out(account, **more):
    more.setdefault("request_id", fresh_id())
    return settings.OptOutRequest(account_id=account, targets=[settings.SettingTarget(all=True)], **more)


def recording(account, name="rec-1", profile="anna", device="kitchen", captured=None, **facts):
    """A flawless recording of yesterday."""
    values = {"wake": types.WAKE_INTENDED, "kind": types.KIND_COMMAND, "speakers": types.SPEAKERS_ONE,
              "identity": types.IDENTITY_MATCHED, "age": types.SPEAKER_AGE_ADULT}
    values.update(facts)
    return types.Recording(recording_id=name, account_id=account, captured_at=captured or ago(days=1), profile_ids=[profile],
                           device_id=device, **values)


def check(account, view=eligibility.DECISION_VIEW_FULL, purpose=types.PURPOSE_HUMAN_REVIEW, place=OFFICE, at_least="", **facts):
    return eligibility.CheckRequest(recording=recording(account, **facts), purpose=purpose, place=place, view=view,
                                    at_least_revision=at_least)


def reasons(decision):
    return [types.Reason.Name(reason).removeprefix("REASON_") for reason in decision.reasons]
