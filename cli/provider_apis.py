"""The providers' APIs as the stack's owner may use them: by the stack's own credentials and addresses."""

from cli.errors import Refusal
from cli.stack import Stack
from dailies.provider_api.client import ProviderApi, every_api
from dailies.providers import every_provider


def api(stack: Stack, provider: str, *, secret_id: str = "") -> ProviderApi:
    """A provider's API, within the rate limit that the stack's functions keep to as well. `secret_id`: where its
    credentials are, if not in the stack's own secret."""
    providers = every_provider()
    settings = {f"{name.upper()}_API_SECRET_ID": f"{stack.name}/{name}/api" for name in providers}
    settings |= {f"{provider.upper()}_API_SECRET_ID": secret_id} if secret_id else {}
    settings |= {f"{name.upper()}_API_URL": _url(stack, name) for name in providers}
    return every_api(providers, settings, stack.secretsmanager, stack.table)[provider]


def _url(stack: Stack, provider: str) -> str:
    parameter = f"{provider.capitalize()}ApiUrl"
    if parameter not in stack.parameters:
        raise Refusal(f"the stack {stack.name} has no parameter {parameter}: deploy this version first (`sam deploy`)")
    return stack.parameters[parameter]
