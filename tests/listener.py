"""One of the owner's systems in end-to-end tests: a queue that hears everything that Dailies tells the bus."""

import json
from typing import Any

import pytest

from local.listening import listening_queue
from local.stack import Stack
from tests.waiting import wait_for

NAME = "owners-system"


class Listener:
    """A queue behind a rule on the bus. `heard` are the events as the bus delivered them, in the order of arrival."""

    def __init__(self, stack: Stack) -> None:
        self._aws = stack.aws
        self.heard: list[dict[str, Any]] = []
        self._url = listening_queue(self._aws.sqs, self._aws.events, stack.outputs["BusName"], NAME, NAME)

    def of(self, job_id: str, detail_type: str = "") -> list[dict[str, Any]]:
        """What was heard of a job until now."""
        self._listen()
        return [
            event
            for event in self.heard
            if event["detail"]["job_id"] == job_id and detail_type in ("", event["detail-type"])
        ]

    def hears(self, job_id: str, detail_type: str) -> dict[str, Any]:
        """What the bus tells of a job under this name, as soon as it does; the first where it is told again."""
        return wait_for(f"{detail_type} of {job_id}", lambda: self.of(job_id, detail_type), bool)[0]

    def _listen(self) -> None:
        while messages := self._aws.sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.heard.append(json.loads(message["Body"]))
                self._aws.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture(scope="session")
def listener(stack: Stack) -> Listener:
    """Listens from the first test that asks for it."""
    return Listener(stack)
