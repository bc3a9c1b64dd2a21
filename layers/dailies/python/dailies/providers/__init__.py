"""One file per provider, which ends with its `Provider` value. CONTRIBUTING.md says how to add one."""

from importlib import import_module
from pkgutil import iter_modules

from dailies.providers.contract import Provider


def every_provider() -> dict[str, Provider]:
    """All providers in this folder, by name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    values = (value for module in modules for value in vars(module).values())
    return {value.name: value for value in values if isinstance(value, Provider)}
