"""The providers' APIs, with the stack's credentials and addresses."""

from cli.errors import CliError
from cli.stack import Stack
from dailies.aws.telemetry import Telemetry
from dailies.provider_api.client import Api, every_api
from dailies.providers import every_provider


class Silent(Telemetry):
    """Counts nothing: the command's requests are not in the stack's metrics."""

    def count(self, *_: object, **__: object) -> None:
        """Nothing."""


def api(stack: Stack, provider: str, *, secret_id: str = "") -> Api:
    """A provider's API, within the rate limit that the stack's functions keep to as well. `secret_id`: where its
    credentials are, if not in the stack's own secret."""
    settings = {
        f"{provider.upper()}_API_SECRET_ID": secret_id or f"{stack.name}/{provider}/api",
        f"{provider.upper()}_API_URL": _url(stack, provider),
    }
    only = {provider: every_provider()[provider]}
    return every_api(only, settings, stack.secretsmanager, stack.table, Silent(stack.name))[provider]


def _url(stack: Stack, provider: str) -> str:
    parameter = f"{provider.capitalize()}ApiUrl"
    if parameter not in stack.parameters:
        raise CliError(
            f"The stack {stack.name} has no parameter {parameter}: it is an older version. Run `sam deploy`."
        )
    return stack.parameters[parameter]
