"""The responses of a custom resource to CloudFormation."""

import json

from dailies.aws.custom_resource import Outcome, answer

EVENT = {
    "StackId": "arn:aws:cloudformation:eu-central-1:1:stack/dailies/1",
    "RequestId": "r-1",
    "LogicalResourceId": "CaptionsWebhook",
    "ResponseURL": "https://cloudformation.example/answer?X-Amz-Signature=s",
}


def test_it_has_the_requests_ids_and_the_result() -> None:
    request = answer(EVENT, Outcome("w-1", data={"WebhookId": "w-1"}))
    assert (request.method, request.url) == ("PUT", EVENT["ResponseURL"])
    assert json.loads(request.body) == {
        **{name: EVENT[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "w-1",
        "Data": {"WebhookId": "w-1"},
    }


def test_a_failure_is_one_short_line() -> None:
    body = answer(EVENT, Outcome("w-1", "it\nwent \r\n wrong " + "é" * 5000)).body
    response = json.loads(body)
    assert (response["Status"], response["Reason"][:13], len(body) < 4096) == ("FAILED", "it went wrong", True)


def test_the_url_is_signed_for_a_put_without_a_content_type() -> None:
    assert answer(EVENT, Outcome("w-1")).headers["content-type"] == ""
