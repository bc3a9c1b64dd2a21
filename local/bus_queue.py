"""A queue that receives every event on Dailies' bus, like one of the owner's systems."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient


def listening_queue(sqs: "SQSClient", events: "EventBridgeClient", bus: str, queue: str, rule: str) -> str:
    """Make it, with a rule on the bus, and return its URL. The same arguments return the same queue."""
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    source = events.put_rule(Name=rule, EventBusName=bus, EventPattern='{"source":["dailies"]}')["RuleArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": source}},
        },
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": rule, "Arn": arn}])
    return url
