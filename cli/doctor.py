"""Whether a stack is in order: each finding with what to do about it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import BotoCoreError, ClientError

from cli import queues, secrets, webhooks
from cli.errors import KeyRefused, Refusal, of_aws
from cli.provider_apis import api
from cli.stack import Stack
from dailies.errors import ApiError, AwsUnavailable, CredentialsRejected
from dailies.providers import every_provider
from dailies.providers.contract import Credentials, ListJobs, Request

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationResponseTypeDef

type Word = Literal["ok", "look", "wrong"]

MAX_SKEW = 30.0  # seconds; Sync's signatures are taken for 300, AWS's own for 900
LETTERS_SHOWN = 120
MAX_ALARMS = 100  # names that DescribeAlarms takes
LOW_CONCURRENCY = 100  # a new account has 10; receivers, streams and the archive are some thirty at a busy moment
ARCHIVE_SHARE = 3  # the archive is to take a third at most: it holds a function for minutes
WORKING = frozenset({"Enabled", "Creating", "Enabling", "Updating"})  # the latter three end by themselves


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do: `look` may be meant so, `wrong` is not."""

    about: str
    word: Word
    said: str
    next_step: str = ""


def findings(stack: Stack) -> Iterator[Finding]:
    """All of them, in the order in which a stack is set up. What may not be looked at is a finding, too."""
    checks: tuple[tuple[str, Callable[[Stack], Iterator[Finding]]], ...] = (
        ("clock", _clock),
        ("secrets", _secrets),
        ("APIs", _apis),
        ("Captions' webhook", _registration),
        ("alarms", _alarms),
        ("alarms", _mail),
        ("concurrency", _concurrency),
        ("mappings", _mappings),
        ("queues", _queues),
    )
    for about, check in checks:
        try:
            yield from check(stack)
        except (BotoCoreError, ClientError) as error:
            yield Finding(about, "wrong", str(of_aws(error)), "use credentials that may look at this")


def _clock(stack: Stack) -> Iterator[Finding]:
    """This machine's clock against AWS's: what is signed here must be of the present."""
    answer = stack.sts.get_caller_identity()
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    skew = abs(parsedate_to_datetime(date).timestamp() - time.time()) if date else 0.0
    if skew > MAX_SKEW:
        yield Finding("clock", "wrong", f"this machine's differs from AWS's by {skew:.0f} s", "set it by NTP")
    else:
        yield Finding(
            "clock", "ok", f"as {answer['Arn'].rpartition('/')[2] or 'yourself'}, within {MAX_SKEW:.0f} s of AWS's"
        )


def _secrets(stack: Stack) -> Iterator[Finding]:
    for state in secrets.states(stack):
        if state.is_set:
            yield Finding(state.name, "ok", "set")
        elif state.name.endswith("/api"):
            yield Finding(
                state.name, "look", "not set: nobody is asked about its jobs", f"`dailies secrets set {state.name}`"
            )
        else:
            yield Finding(
                state.name,
                "wrong",
                "not set, or too short: its webhook answers 401",
                f"`dailies secrets set {state.name}`",
            )


def _apis(stack: Stack) -> Iterator[Finding]:
    """Whether the providers take the stack's credentials, by the cheapest call that each has."""
    for provider in every_provider().values():
        one = api(stack, provider.name)
        rolls = [inquiry.roll for inquiry in provider.polling.values() if inquiry.roll]
        try:
            credentials = one.credentials()
            if credentials is None or not rolls:
                continue
            answer = one.call(partial(_newest, rolls[0]), credentials)
            yield Finding(f"{provider.name}'s API", "ok", f"answers {answer.status}")
        except CredentialsRejected as error:
            yield Finding(f"{provider.name}'s API", "wrong", error.reason, f"`dailies secrets set {provider.name}/api`")
        except (ApiError, AwsUnavailable) as error:
            yield Finding(f"{provider.name}'s API", "look", error.reason, "look again later")


def _registration(stack: Stack) -> Iterator[Finding]:
    """Whether Captions calls this stack. Sync and Creatify keep no register: each job names its URL."""
    try:
        if not webhooks.has_key(stack):
            return
        ours = [one for one in webhooks.registered(stack) if one.url == webhooks.url_of(stack)]
        lacking = webhooks.events(stack) - ours[0].events if len(ours) == 1 else frozenset()
    except KeyRefused as refusal:
        yield Finding("Captions' webhook", "wrong", str(refusal), "`dailies secrets set captions/api`")
        return
    except (Refusal, ApiError, AwsUnavailable) as error:
        yield Finding("Captions' webhook", "look", str(error), "look again in a minute")
        return
    if not ours:
        yield Finding("Captions' webhook", "wrong", "not registered", "`dailies hooks captions register`")
    elif len(ours) > 1:
        yield Finding(
            "Captions' webhook",
            "wrong",
            f"registered {len(ours)} times: each job is told as often, with as many secrets",
            "`dailies hooks captions list`, `dailies hooks captions delete`",
        )
    elif lacking:
        yield Finding(
            "Captions' webhook",
            "wrong",
            f"{ours[0].id} is not registered for {', '.join(sorted(lacking))}: those jobs call nobody",
            "`dailies hooks captions register`",
        )
    else:
        yield Finding("Captions' webhook", "ok", f"registered for all events: {ours[0].id}")


def _newest(roll: ListJobs, base_url: str, credentials: Credentials) -> Request:
    return roll.ask(base_url, credentials, ())


def _alarms(stack: Stack) -> Iterator[Finding]:
    """Those of this stack's resources: the name of another stack may begin as this one's."""
    names = {called: name for name, called in stack.resources("AWS::CloudWatch::Alarm").items()}
    alarms = [
        alarm
        for some in batched(names, MAX_ALARMS, strict=False)
        for page in stack.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNames=some)
        for alarm in page["MetricAlarms"]
    ]
    ringing = [alarm for alarm in alarms if alarm["StateValue"] == "ALARM"]
    for alarm in ringing:
        said = alarm.get("AlarmDescription", "")[:LETTERS_SHOWN]
        yield Finding(names[alarm["AlarmName"]], "wrong", f"rings: {said}", "docs/operations.md#alarms")
    if not ringing:
        yield Finding("alarms", "ok", "quiet")
    if not any(alarm.get("AlarmActions") for alarm in alarms):
        yield Finding(
            "alarms", "look", "nobody is told when one rings", "set `AlarmEmail` or `AlarmTopicArn`, and deploy"
        )


def _mail(stack: Stack) -> Iterator[Finding]:
    """Whether the address that the alarms are mailed to has said that it wants them."""
    for topic in stack.resources("AWS::SNS::Topic").values():
        for page in stack.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
            for one in page["Subscriptions"]:
                if one["SubscriptionArn"] == "PendingConfirmation":
                    said = f"{one['Endpoint']} has not answered AWS's question: no alarm is mailed"
                    yield Finding("alarms", "wrong", said, "confirm it in the mail from AWS")


def _concurrency(stack: Stack) -> Iterator[Finding]:
    """How many functions the account may run at once, against what the archive may take of them."""
    most = stack.functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    archive = int(stack.parameters.get("ArchiveConcurrency", 0))
    if most < LOW_CONCURRENCY or archive * ARCHIVE_SHARE > most:
        said = f"the account runs {most} functions at once, the archive alone up to {archive}: calls may be turned away"
        yield Finding("concurrency", "look", said, "ask AWS for 1,000 (Service Quotas), or lower `ArchiveConcurrency`")
    else:
        yield Finding("concurrency", "ok", f"{most} functions at once")


def _mappings(stack: Stack) -> Iterator[Finding]:
    """Whether Lambda reads the streams and the queue: one that somebody has disabled makes no error."""
    found = {
        name: stack.functions.get_event_source_mapping(UUID=uuid)
        for name, uuid in stack.resources("AWS::Lambda::EventSourceMapping").items()
    }
    wrong = [finding for name, mapping in found.items() for finding in _of_mapping(name, mapping)]
    yield from wrong or [Finding("mappings", "ok", "Lambda reads the streams and the queue")]


def _of_mapping(name: str, mapping: "EventSourceMappingConfigurationResponseTypeDef") -> Iterator[Finding]:
    """What is wrong with one."""
    result = mapping.get("LastProcessingResult", "")
    if mapping["State"] not in WORKING:
        enable = f"`aws lambda update-event-source-mapping --uuid {mapping['UUID']} --enabled`"
        yield Finding(name, "wrong", f"is {mapping['State']}: nothing of it is worked on", enable)
    elif result.startswith("PROBLEM"):
        yield Finding(name, "wrong", result, "look into its function's log, and its role")


def _queues(stack: Stack) -> Iterator[Finding]:
    waiting = {name: count for name, count in queues.counts(stack).items() if count and name != "waiting"}
    for name, count in waiting.items():
        yield Finding(
            f"queue {name}", "wrong", f"{count} failed", f"`dailies queues {name}`, then `dailies redrive {name}`"
        )
    if not waiting:
        yield Finding("queues", "ok", "no failed work waits")
