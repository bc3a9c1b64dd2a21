"""The providers' webhook calls: one module per provider, found by being in this folder.

A module ends with a `Sample` per webhook. The command, the recorded events, the demo, the fuzz targets and the tests
read all webhook samples from there. CONTRIBUTING.md, "Adding a provider", describes how to write one.

Shares no code with the layer, so the signatures are computed by other code than verifies them.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from simulators.provider_calls.sample import Sample


@cache
def every_sample() -> dict[str, Sample]:
    """The samples by their webhook's full name, such as `sync/generation`."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    values = [value for module in modules for value in vars(module).values()]
    return {value.webhook: value for value in values if isinstance(value, Sample)}
