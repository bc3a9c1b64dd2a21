"""Recorded events that invoke the functions that register a webhook, rotate a secret and fetch one."""

from datetime import datetime

from simulators.recorded_events.changes import ACCOUNT, REGION, Json, bus_event

VERSION = "8c9c1f2e-5a3b-4d6f-9e7a-1b2c3d4e5f60"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/dailies/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/dailies-FetchSyncSecretEverySoOften-1A2B3C4D5E6F"


def secret_events(at: datetime) -> dict[str, Json]:
    """Events by `<function>/<name>`: CloudFormation's, Secrets Manager's and the schedule's."""
    return {
        "register_captions_webhook/created": _custom_resource("Create"),
        "register_captions_webhook/deleted": _custom_resource("Delete")
        | {"PhysicalResourceId": "w1A2b3C4d5E6f7G8h9I0"},
        "rotate_captions_secret/set": _step("setSecret", "captions/signing-AbCdEf"),
        "rotate_creatify_token/create": _step("createSecret", "creatify/token-GhIjKl"),
        "fetch_sync_secret/due": bus_event("Scheduled Event", {}, at, source="aws.events") | {"resources": [RULE]},
    }


def _custom_resource(request_type: str) -> Json:
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:dailies-RegisterCaptionsWebhook-1A2B3C4D5E6F"
    return {
        "RequestType": request_type,
        "ServiceToken": function,
        "ResponseURL": "https://cloudformation-custom-resource-response.s3.amazonaws.com/answer?X-Amz-Signature=0123abcd",
        "StackId": STACK,
        "RequestId": "5d478078-13e9-baf0-464a-7ef285ecc786",
        "LogicalResourceId": "CaptionsWebhook",
        "ResourceType": "Custom::CaptionsWebhook",
        "ResourceProperties": {
            "ServiceToken": function,
            "Url": f"https://a1b2c3d4e5.execute-api.{REGION}.amazonaws.com/webhooks/captions/creator",
            "ApiUrl": "https://api.captions.ai/api",
            "ApiSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:captions-key-MnOpQr",
            "Release": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:DailiesLayer0123456789:1",
        },
    }


def _step(step: str, secret: str) -> Json:
    secret_id = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:dailies/{secret}"
    return {"Step": step, "SecretId": secret_id, "ClientRequestToken": VERSION}
