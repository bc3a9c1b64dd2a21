"""The steps that create, change and delete the stack."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from urllib3.exceptions import HTTPError

from cli import secrets
from resilience.aws import leftovers, listener, receiving
from resilience.aws.steps import LeftOut, expect, until
from resilience.aws.trial import Trial
from simulators.provider_calls.call import Call, send

PACE = 0.5  # seconds between calls
TRIES = 5  # attempts for a call, as a provider makes them
ADDRESS = "aws-smoke@example.com"  # accepts no mail, by RFC 2606 and its null MX


def create(trial: Trial) -> str:
    """Build and deploy."""
    trial.sam.build(trial.parameters()["Architecture"])
    trial.deploy()
    resources = trial.stack.cloudformation.get_paginator("list_stack_resources").paginate(StackName=trial.name)
    count = sum(len(page["StackResourceSummaries"]) for page in resources)
    (found,) = trial.described()
    return f"{found['StackStatus']}, {count} resources, {len(trial.stack.outputs)} outputs"


@dataclass
class Traffic:
    """Calls at a steady rate: the calls answered 200, and the number of retries."""

    taken: list[Call] = field(default_factory=list)
    again: int = 0
    lost: list[str] = field(default_factory=list)


@contextmanager
def traffic(trial: Trial) -> Iterator[Traffic]:
    """A provider that calls while the context is open, and retries until the response is 200."""
    told, ended = Traffic(), threading.Event()
    url, secret = trial.stack.webhook_base_url, secrets.value(trial.stack, "sync/signing")

    def calls() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            made = receiving.a_call(trial, "sync/generation", f"update-{number}", secret)
            answers = []
            for _ in range(TRIES):
                try:
                    answers.append(str(send(made, url).status))
                except HTTPError as error:
                    answers.append(type(error).__name__)
                if answers[-1] == "200":
                    told.taken.append(made)
                    break
                time.sleep(PACE)
            else:
                told.lost.append(f"{made.job_id} ({', '.join(answers)})")
            told.again += len(answers) > 1
            ended.wait(PACE)

    caller = threading.Thread(target=calls)
    caller.start()
    try:
        yield told
    finally:
        ended.set()
        caller.join()


def update_layer(trial: Trial) -> str:
    """Deploy another layer during calls."""
    before = _layers(trial)
    trial.sam.change_layer(trial.token)
    with traffic(trial) as told:
        trial.deploy()
    after = _layers(trial)
    same = sorted(before & after)
    expect(not same, f"functions still have {', '.join(same)}")
    expect(not told.lost, f"not taken in {TRIES} tries: {', '.join(told.lost)}")
    receiving.stored(trial, told.taken)
    calls = f"{len(told.taken)} calls during the update, {told.again} of them made again, none lost"
    return f"{calls}; all functions have the new layer"


def empty_parameter(trial: Trial) -> str:
    """Set an address for the alarms, then none."""
    trial.deploy(AlarmEmail=ADDRESS)
    given, actions = trial.stack.parameters["AlarmEmail"], _alarm_actions(trial)
    expect(given == ADDRESS, f"AlarmEmail is {given!r}")
    expect(actions, "no alarm has an action")
    trial.deploy(AlarmEmail="")
    emptied, topics = trial.stack.parameters["AlarmEmail"], trial.stack.resources("AWS::SNS::Topic")
    expect(emptied == "", f"AlarmEmail is still {emptied!r}")
    expect(not topics, f"there is still the topic {', '.join(topics.values())}")
    expect(not _alarm_actions(trial), "alarms still have actions")
    return f"AlarmEmail set: {actions} alarms have an action; emptied: none has, and the topic is gone"


def delete(trial: Trial) -> str:
    """`sam delete`, and the retained resources."""
    listener.stop(trial)
    outputs = trial.stack.outputs
    kept = leftovers.expected([outputs["TableName"]], [outputs["MediaBucketName"]])
    older = leftovers.expected(
        [one for one in trial.record.tables if one != outputs["TableName"]],
        [one for one in trial.record.buckets if one != outputs["MediaBucketName"]],
    )
    trial.sam.delete()
    expect(not trial.described(), "the stack is still there")
    trial.forget_stack()
    there = leftovers.settled(trial.place, trial.name, sorted([*kept, *older]))
    surplus, missing = sorted(set(there) - {*kept, *older}), sorted(set(kept) - set(there))
    expect(not missing, f"gone, and should have stayed: {', '.join(missing)}")
    expect(not surplus, f"stays, and should be gone: {', '.join(surplus)}")
    return f"stays: {', '.join(kept)}, and nothing else"


def deploy_again(trial: Trial) -> str:
    """Deploy again with the same name, and make one call."""
    if not trial.record.tables:
        raise LeftOut("no stack of this name was deleted before")
    trial.deploy()
    receiving.set_secrets(trial)
    made = receiving.a_call(trial, "sync/generation", "again")
    answer = until(
        "the new stack takes its secret",
        lambda: receiving.said(receiving.answered(trial, made)),
        lambda said: said == "200 recorded",
        seconds=receiving.NOTICED_SECONDS,
    )
    receiving.stored(trial, [made])
    return f"with a new table and a new bucket, the secrets' names free at once; a call is answered {answer}"


def _layers(trial: Trial) -> set[str]:
    """The layer versions that the stack's functions use."""
    functions = trial.stack.functions
    return {
        layer["Arn"]
        for name in trial.stack.resources("AWS::Lambda::Function").values()
        for layer in functions.get_function_configuration(FunctionName=name).get("Layers", [])
    }


def _alarm_actions(trial: Trial) -> int:
    """The number of the stack's alarms that have an action."""
    names = list(trial.stack.resources("AWS::CloudWatch::Alarm").values())
    alarms = trial.stack.cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    return sum(bool(alarm.get("AlarmActions")) for alarm in alarms)
