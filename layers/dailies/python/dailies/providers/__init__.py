"""One file tells all about one provider; each ends with the value that lists it all. Adding one: CONTRIBUTING.md."""

from importlib import import_module
from pkgutil import iter_modules

from dailies.providers.contract import Provider


def every_provider() -> dict[str, Provider]:
    """All providers by name: what stands in this folder, so that a new file is all a new provider needs here."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    values = (value for module in modules for value in vars(module).values())
    return {value.name: value for value in values if isinstance(value, Provider)}
