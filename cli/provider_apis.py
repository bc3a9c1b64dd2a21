"""The providers' APIs, with the stack's credentials and addresses."""

from cli.errors import CliError
from cli.stack import Stack
from dailies.provider_api.client import ProviderApi, every_api
from dailies.providers import every_provider


def api(stack: Stack, provider: str, *, secret_id: str = "") -> ProviderApi:
    """A provider's API, within the rate limit that it shares with the stack's functions. `secret_id`: the secret with
    its credentials, if that is not the stack's own."""
    settings = {
        f"{provider.upper()}_API_SECRET_ID": secret_id or f"{stack.name}/{provider}/api",
        f"{provider.upper()}_API_URL": _url(stack, provider),
    }
    only = {provider: every_provider()[provider]}
    return every_api(only, settings, stack.secretsmanager, stack.table)[provider]


def _url(stack: Stack, provider: str) -> str:
    parameter = f"{provider.capitalize()}ApiUrl"
    if parameter not in stack.parameters:
        raise CliError(
            f"The stack {stack.name} has no parameter {parameter}: it is an older version. Run `sam deploy`."
        )
    return stack.parameters[parameter]
