"""Checks of a stack: each finding with the next step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import BotoCoreError, ClientError

from cli import queues, secrets, webhooks
from cli.errors import CliError, KeyRefused, of_aws
from cli.provider_apis import api
from cli.stack import Stack
from dailies.errors import ApiError, AwsUnavailable, CredentialsRejected, NoCredentials
from dailies.providers import every_provider
from dailies.providers.contract import Credentials, ListJobs, Request

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationResponseTypeDef

type FindingStatus = Literal["ok", "warning", "error"]

MAX_SKEW = 30.0  # seconds; Sync's signatures are valid for 300, AWS's own for 900
MAX_DESCRIPTION = 120  # letters
MAX_ALARMS = 100  # names that DescribeAlarms accepts
LOW_CONCURRENCY = 100  # a new account has 10; a busy stack runs about thirty functions
ARCHIVE_SHARE = 3  # the archive should use a third at most: its functions run for minutes
WORKING = frozenset({"Enabled", "Creating", "Enabling", "Updating"})  # the last three are temporary


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check. A `warning` may be intended, an `error` is not."""

    about: str
    status: FindingStatus
    message: str
    next_step: str = ""


def findings(stack: Stack) -> Iterator[Finding]:
    """All findings, in the order in which a stack is set up. A check that AWS denies is a finding too."""
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
            yield Finding(about, "error", str(of_aws(error)), "use credentials that allow this check")


def _clock(stack: Stack) -> Iterator[Finding]:
    """This machine's clock against AWS's: signatures contain the time."""
    answer = stack.sts.get_caller_identity()
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    skew = abs(parsedate_to_datetime(date).timestamp() - time.time()) if date else 0.0
    if skew > MAX_SKEW:
        yield Finding("clock", "error", f"differs from AWS's clock by {skew:.0f} s", "set the clock by NTP")
    else:
        yield Finding(
            "clock",
            "ok",
            f"within {MAX_SKEW:.0f} s of AWS's clock; you are {answer['Arn'].rpartition('/')[2] or 'yourself'}",
        )


def _secrets(stack: Stack) -> Iterator[Finding]:
    for state in secrets.states(stack):
        if state.problem:
            yield Finding(state.name, "error", f"unusable: {state.problem}", f"`dailies secrets set {state.name}`")
        elif state.is_set:
            yield Finding(state.name, "ok", "set")
        elif state.name.endswith("/api"):
            yield Finding(
                state.name, "warning", "not set: overdue jobs are not polled", f"`dailies secrets set {state.name}`"
            )
        else:
            yield Finding(
                state.name,
                "error",
                "not set, or too short: its webhooks answer 401",
                f"`dailies secrets set {state.name}`",
            )


def _apis(stack: Stack) -> Iterator[Finding]:
    """Whether the providers accept the stack's credentials, by each API's cheapest request."""
    for provider in every_provider().values():
        if not provider.has_api:
            continue
        client = api(stack, provider.name)
        lists = [polling.list_jobs for polling in provider.polling.values() if polling.list_jobs]
        try:
            if lists:
                answer = client.send(partial(_newest, lists[0]))
                yield Finding(f"{provider.name}'s API", "ok", f"answers {answer.status}")
        except NoCredentials:
            continue
        except CredentialsRejected as error:
            yield Finding(f"{provider.name}'s API", "error", error.reason, f"`dailies secrets set {provider.name}/api`")
        except (ApiError, AwsUnavailable) as error:
            yield Finding(f"{provider.name}'s API", "warning", error.reason, "try again later")


def _registration(stack: Stack) -> Iterator[Finding]:
    """Whether this stack's webhook is registered at Captions. At Sync and Creatify each job names its URL."""
    try:
        if not webhooks.has_key(stack):
            return
        ours = [one for one in webhooks.registered(stack) if one.url == webhooks.url_of(stack)]
        missing = webhooks.events(stack) - ours[0].events if len(ours) == 1 else frozenset()
    except KeyRefused as error:
        yield Finding("Captions' webhook", "error", str(error), "`dailies secrets set captions/api`")
        return
    except (CliError, ApiError, AwsUnavailable) as error:
        yield Finding("Captions' webhook", "warning", str(error), "try again in a minute")
        return
    if not ours:
        yield Finding("Captions' webhook", "error", "not registered", "`dailies webhooks captions register`")
    elif len(ours) > 1:
        yield Finding(
            "Captions' webhook",
            "error",
            f"registered {len(ours)} times: each update is sent {len(ours)} times, with different secrets",
            "`dailies webhooks captions list`, `dailies webhooks captions delete`",
        )
    elif missing:
        yield Finding(
            "Captions' webhook",
            "error",
            f"{ours[0].id} is not registered for {', '.join(sorted(missing))}: these updates are not sent",
            "`dailies webhooks captions register`",
        )
    else:
        yield Finding("Captions' webhook", "ok", f"registered for all events: {ours[0].id}")


def _newest(list_jobs: ListJobs, base_url: str, credentials: Credentials) -> Request:
    return list_jobs.build(base_url, credentials, ())


def _alarms(stack: Stack) -> Iterator[Finding]:
    """This stack's own alarms, found by its resources: names of another stack's may begin the same."""
    names = {physical: name for name, physical in stack.resources("AWS::CloudWatch::Alarm").items()}
    alarms = [
        alarm
        for some in batched(names, MAX_ALARMS, strict=False)
        for page in stack.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNames=some)
        for alarm in page["MetricAlarms"]
    ]
    in_alarm = [alarm for alarm in alarms if alarm["StateValue"] == "ALARM"]
    for alarm in in_alarm:
        description = alarm.get("AlarmDescription", "")[:MAX_DESCRIPTION]
        yield Finding(names[alarm["AlarmName"]], "error", f"in alarm: {description}", "docs/operations.md#alarms")
    if not in_alarm:
        yield Finding("alarms", "ok", "none in alarm")
    if not any(alarm.get("AlarmActions") for alarm in alarms):
        yield Finding(
            "alarms", "warning", "no alarm notifies anybody", "set `AlarmEmail` or `AlarmTopicArn`, and deploy"
        )


def _mail(stack: Stack) -> Iterator[Finding]:
    """Whether the address for alarms has confirmed its subscription."""
    for topic in stack.resources("AWS::SNS::Topic").values():
        for page in stack.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
            for one in page["Subscriptions"]:
                if one["SubscriptionArn"] == "PendingConfirmation":
                    message = f"{one['Endpoint']} has not confirmed the subscription: it gets no alarms"
                    yield Finding("alarms", "error", message, "confirm it in the mail from AWS")


def _concurrency(stack: Stack) -> Iterator[Finding]:
    """The account's limit of concurrent functions, against the archive's share of it."""
    limit = stack.functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    archive = int(stack.parameters.get("ArchiveConcurrency", 0))
    if limit < LOW_CONCURRENCY or archive * ARCHIVE_SHARE > limit:
        message = (
            f"the account runs {limit} functions at once, the archive up to {archive}: deliveries may be throttled"
        )
        yield Finding(
            "concurrency", "warning", message, "ask AWS for 1,000 (Service Quotas), or lower `ArchiveConcurrency`"
        )
    else:
        yield Finding("concurrency", "ok", f"{limit} functions at once")


def _mappings(stack: Stack) -> Iterator[Finding]:
    """Whether Lambda reads the streams and the queue: a disabled mapping causes no error."""
    found = {
        name: stack.functions.get_event_source_mapping(UUID=uuid)
        for name, uuid in stack.resources("AWS::Lambda::EventSourceMapping").items()
    }
    problems = [finding for name, mapping in found.items() for finding in _of_mapping(name, mapping)]
    yield from problems or [Finding("mappings", "ok", "Lambda reads the streams and the queue")]


def _of_mapping(name: str, mapping: "EventSourceMappingConfigurationResponseTypeDef") -> Iterator[Finding]:
    """The problem of one mapping, if it has one."""
    result = mapping.get("LastProcessingResult", "")
    if mapping["State"] not in WORKING:
        enable = f"`aws lambda update-event-source-mapping --uuid {mapping['UUID']} --enabled`"
        yield Finding(name, "error", f"{mapping['State'].lower()}: its records are not processed", enable)
    elif result.startswith("PROBLEM"):
        yield Finding(name, "error", result, "check its function's log and role")


def _queues(stack: Stack) -> Iterator[Finding]:
    waiting = {name: count for name, count in queues.counts(stack).items() if count and name != "waiting"}
    for name, count in waiting.items():
        yield Finding(
            f"queue {name}", "error", f"{count} failed", f"`dailies queues {name}`, then `dailies redrive {name}`"
        )
    if not waiting:
        yield Finding("queues", "ok", "no failed messages")
