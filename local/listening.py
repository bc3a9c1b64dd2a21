"""A queue that hears all that Dailies tells the bus, as one of the owner's systems would have it."""

import json

from local.stack import Stack


def listening_queue(stack: Stack, name: str) -> str:
    """Make it, behind a rule of the same name: its URL. Asked for once more, it is the same one."""
    aws, bus = stack.aws, stack.outputs["BusName"]
    url = aws.sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = aws.events.put_rule(Name=name, EventBusName=bus, EventPattern='{"source":["dailies"]}')["RuleArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        },
    }
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    aws.events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return url
