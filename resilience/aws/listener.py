"""The bus's events, received by a queue with a rule, like the owner's systems."""

import json
from contextlib import suppress
from typing import Any

from local.bus_queue import listening_queue
from resilience.aws.trial import Trial

RULE = "aws-smoke"


def listen(trial: Trial) -> None:
    """Create the queue and the rule, unless they exist."""
    if trial.record.listener:
        return
    trial.record.listener = trial.stack.output("BusName")
    trial.keep()
    listening_queue(trial.stack.sqs, trial.stack.events, trial.record.listener, _queue(trial), RULE)


def heard(trial: Trial, into: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Receive new events from the queue, and add them to the earlier ones."""
    sqs = trial.stack.sqs
    url = sqs.get_queue_url(QueueName=_queue(trial))["QueueUrl"]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
        for message in messages:
            into.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return into


def detail_types(events: list[dict[str, Any]], job_id: str) -> set[str]:
    """The detail types of a job's events."""
    return {event["detail-type"] for event in events if event["detail"]["job_id"] == job_id}


def stop(trial: Trial) -> None:
    """Delete both; a bus with a rule cannot be deleted."""
    if not trial.record.listener:
        return
    events, sqs, bus = trial.place.client("events"), trial.place.client("sqs"), trial.record.listener
    with suppress(events.exceptions.ResourceNotFoundException):  # never created, or the bus is gone
        events.remove_targets(Rule=RULE, EventBusName=bus, Ids=[RULE])
        events.delete_rule(Name=RULE, EventBusName=bus)
    with suppress(sqs.exceptions.QueueDoesNotExist):
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=_queue(trial))["QueueUrl"])
    trial.record.listener = ""
    trial.keep()


def _queue(trial: Trial) -> str:
    return f"{trial.name}-heard"
