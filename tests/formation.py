"""CloudFormation and an owner's account, for the fast tests of registering a webhook."""

import json
from typing import Any

from botocore.exceptions import ClientError

from dailies.account import Account
from dailies.cloudformation import Outcome
from dailies.providers.captions import REGISTRY
from dailies.registering import Register, carry_out
from dailies.rotating import HeldSecret
from dailies.secrets import PLACEHOLDER, ApiSecret
from local.apis import ProviderApis
from local.apis.captions_webhooks import Registration
from tests.cloud import SECRET, Cloud

URL = "https://a1.execute-api.eu-central-1.amazonaws.com/webhooks/captions/creator"
OTHER_URL = URL.replace("a1", "b2")
KEY, OTHER_KEY = "owners/captions-key", "owners/other-key"
PATIENCE = 150.0  # seconds
EVENTS = ["creator.success", "creator.failure"]


class Formation:
    """CloudFormation and an owner's account: what is asked for, and what is there then."""

    def __init__(self, cloud: Cloud, apis: ProviderApis) -> None:
        self.aws = cloud.secretsmanager
        self.captions = apis.captions
        self.clock = apis.clock
        self.requests = apis.requests
        self.pauses: list[float] = []
        self.api_url = apis.captions.base_url
        cloud.set_secret(PLACEHOLDER)
        self.set_key(KEY, apis.captions.api_key)

    def set_key(self, name: str, key: str) -> None:
        self.aws.create_secret(Name=name, SecretString=json.dumps({"api_key": key}))

    def ask(self, request_type: str, physical_id: str = "", **properties: Any) -> Outcome:
        before = properties.pop("before", {})
        event = {
            "RequestType": request_type,
            "LogicalResourceId": "CaptionsWebhook",
            "ResourceProperties": self.properties(**properties),
            **({"PhysicalResourceId": physical_id} if physical_id else {}),
            **({"OldResourceProperties": self.properties(**before)} if request_type == "Update" else {}),
        }
        return carry_out(event, self.place)

    def properties(self, **changed: str) -> dict[str, str]:
        return {"Url": URL, "ApiUrl": self.api_url, "ApiSecretArn": KEY, **changed}

    def place(self, api_url: str, api_secret: str) -> Register:
        key = ApiSecret(lambda: self.aws, api_secret)
        account = Account("captions", api_url, key, PATIENCE, sleep=self.pause, now=self.clock.now)
        return Register(account, REGISTRY, HeldSecret(self.aws, SECRET, sleep=self.pause))

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.forward(seconds)

    def created(self) -> str:
        """The physical id of a webhook that was made without trouble."""
        outcome = self.ask("Create")
        assert outcome.reason == ""
        self.requests.clear()
        return outcome.physical_id

    @property
    def secret(self) -> str:
        return self.aws.get_secret_value(SecretId=SECRET)["SecretString"]

    @property
    def tags(self) -> list[str]:
        return [tag["Key"] for tag in self.aws.describe_secret(SecretId=SECRET).get("Tags", [])]

    def calls(self, path: str) -> int:
        """How many calls were carried out."""
        return sum(request.path == path and request.status == 200 for request in self.requests)

    def holds(self, one: Registration, url: str = URL, events: list[str] = EVENTS) -> bool:
        """It is registered as wanted, and we hold its secret."""
        return (one.url, sorted(one.enabled_events), one.secret) == (url, sorted(events), self.secret)

    def refuse_to_store(self, times: int) -> None:
        """Secrets Manager does not take the next new values."""
        left = [times]

        def refuse(**_: Any) -> None:
            if left[0] > 0:
                left[0] -= 1
                raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutSecretValue")

        self.aws.meta.events.register("before-call.secretsmanager.PutSecretValue", refuse)
