"""Detects the template properties that the emulator reads. The emulator's own code makes each resource without a
property, then with another value. If its state is the same each time, it ignores the property.

    python -m testkit.support.emulated_properties

Prints a JSON object: READ, IGNORED or REFUSED, by `<resource type> <property>`. Needs a process of its own: the clock
does not move in it, random numbers repeat, and no thread starts.
"""

import copy
import io
import itertools
import json
import random
import re
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ministack.core import responses
from ministack.services import apigateway, s3
from ministack.services.cloudformation import engine, provisioners

from local import emulator_process
from local.deploy import TEMPLATE
from local.preflight.parameters import EVERYTHING
from local.preflight.translating import translated

type Path = tuple[str | int, ...]

READ, IGNORED, REFUSED = "read", "ignored", "refused"
STACK = "dailies"
SCOPED = (responses.AccountScopedDict, responses.AccountRegionScopedDict)
CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]*|__\w+__")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*")
# Stores whose keys we choose: one stands for all.
OURS = {re.compile(r"^(Environment\.Variables)\..*"): r"\1", re.compile(r"^(Body\.paths)\./.*?\.post"): r"\1"}


def stand_still() -> None:
    """Make two runs produce the same state."""
    numbers = itertools.count(1)
    uuid.uuid4 = lambda: uuid.UUID(int=next(numbers) << 64, version=4)
    time.time = lambda: 1_800_000_000.0
    threading.Thread.start = lambda self: None  # type: ignore[method-assign]
    random.seed(1)


class Emulator:
    """The state of the emulator's services in this process."""

    def __init__(self) -> None:
        modules = {name: module for name, module in sys.modules.items() if name.startswith("ministack.services.")}
        self._stores = {
            f"{module_name}.{name}": value
            for module_name, module in modules.items()
            if "cloudformation" not in module_name  # it keeps the template itself
            for name, value in vars(module).items()
            if isinstance(value, (dict, list, set, *SCOPED)) and not CONSTANT.fullmatch(name)
        }
        self._empty = {name: copy.deepcopy(_plain(store)) for name, store in self._stores.items()}
        self._constant: frozenset[str] = frozenset()
        held = self.held()
        self._constant = frozenset(held)

    def begin(self) -> None:
        """Reset to the state before the stack: the code that SAM uploads, and a domain of the owner."""
        for name, store in self._stores.items():
            plain, empty = _plain(store), copy.deepcopy(self._empty[name])
            if isinstance(plain, list):
                plain[:] = empty
            elif plain != empty:
                plain.clear()
                plain.update(empty)
        stand_still()
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", "")
        apigateway._create_domain_name({"domainName": EVERYTHING["DomainName"]})
        s3._buckets["packages"] = {"objects": {"uploaded": {"body": code.getvalue()}}}

    def held(self) -> dict[str, str]:
        """The contents of each store, except those that are never empty: lists of instance types."""
        return {
            name: _text(store) for name, store in self._stores.items() if name not in self._constant and _plain(store)
        }


def _plain(store: Any) -> Any:
    return store._data if isinstance(store, SCOPED) else store


def _text(value: Any) -> str:
    """A text that is the same for the same values, without times."""
    match value:
        case responses.AccountScopedDict() | responses.AccountRegionScopedDict():
            return _text(value._data)
        case dict():
            return "{" + ",".join(sorted(f"{_text(name)}:{_text(each)}" for name, each in value.items())) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_text, value)) + "]"
        case set() | frozenset():
            return "(" + ",".join(sorted(map(_text, value))) + ")"
        case None | str() | bytes() | int() | float():
            return MOMENT.sub("then", repr(value))
    return type(value).__name__ + (_text(vars(value)) if hasattr(value, "__dict__") else "")


class Stack:
    """Our template with these parameters, as the emulator's CloudFormation makes it."""

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self.resources: Mapping[str, Any] = template["Resources"]
        self._mappings = template.get("Mappings", {})
        given = [{"Key": name, "Value": value} for name, value in parameters.items()]
        self._parameters = engine._resolve_parameters(template, given)
        self._conditions = engine._evaluate_conditions(template, self._parameters)
        self.order: list[str] = engine._topological_sort(self.resources, self._conditions)

    def properties(self, name: str, made: Mapping[str, Any]) -> Any:
        """A resource's properties, as its handler receives them."""
        written = copy.deepcopy(self.resources[name].get("Properties", {}))
        known = (made, self._parameters, self._conditions, self._mappings, STACK, f"arn:aws:cloudformation:::{STACK}")
        properties = engine._resolve_refs(written, *known)
        return {name: value for name, value in properties.items() if value is not engine._NO_VALUE}

    def make(self, name: str, properties: Any, made: dict[str, Any]) -> None:
        """Make one resource. A type without a handler gets only a name."""
        kind, attributes = self.resources[name]["Type"], {}
        called = name
        if kind in provisioners._RESOURCE_HANDLERS:
            called, attributes = provisioners._provision_resource(kind, name, properties, STACK)
        made[name] = {"PhysicalResourceId": called, "Attributes": attributes}

    def before(self, name: str) -> list[str]:
        """A resource's dependencies, in the order of creation."""
        needed: set[str] = set()
        left = {name}
        while left:
            left = {each for one in left for each in engine._extract_deps(self.resources[one], set(self.order))}
            left -= needed
            needed |= left
        return [each for each in self.order if each in needed]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path to each value, in lists too. Empty values are left out."""
    match value:
        case dict():
            for name, each in value.items():
                yield from leaves(each, (*path, name))
        case list():
            for place, each in enumerate(value):
                yield from leaves(each, (*path, place))
        case _:
            yield path


def spelled(path: Path) -> str:
    """A path as a property's name: `Rules.Status`, without the index in a list."""
    name = ".".join(step for step in path if isinstance(step, str))
    for ours, instead in OURS.items():
        name = ours.sub(instead, name)
    return name


def without(properties: Any, path: Path) -> Any:
    """The properties without one."""
    properties = copy.deepcopy(properties)
    del _at(properties, path[:-1])[path[-1]]
    return properties


def changed(properties: Any, path: Path) -> Any:
    """The properties with another value of the same kind in one place."""
    properties = copy.deepcopy(properties)
    holder = _at(properties, path[:-1])
    match holder[path[-1]]:
        case bool() as value:
            other: Any = not value
        case int() as value:
            other = value + 1
        case "true" | "false" as value:
            other = "false" if value == "true" else "true"
        case str() as value:
            other = str(int(value) + 1) if value.isdigit() else f"{value}x"
        case value:
            raise TypeError(f"{spelled(path)} is {value!r}")
    holder[path[-1]] = other
    return properties


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def prepared(emulator: Emulator, stack: Stack, name: str) -> tuple[Any, dict[str, Any]]:
    """A resource's properties, after its dependencies were made in an empty emulator."""
    emulator.begin()
    made: dict[str, Any] = {}
    for each in stack.before(name):
        stack.make(each, stack.properties(each, made), made)
    return stack.properties(name, made), made


def outcome(emulator: Emulator, stack: Stack, name: str, edit: Callable[[Any], Any]) -> Any:
    """The emulator's state after making a resource with changed properties, or the error: then they were read."""
    properties, made = prepared(emulator, stack, name)
    try:
        stack.make(name, edit(properties), made)
    except Exception as refusal:  # noqa: BLE001  of whatever kind
        return repr(refusal)
    return emulator.held(), _text(made[name])


def readings(emulator: Emulator, stack: Stack, name: str) -> Iterator[tuple[str, str]]:
    """The result for each property of a resource."""
    paths = {spelled(path): path for path in leaves(prepared(emulator, stack, name)[0])}
    if stack.resources[name]["Type"] not in provisioners._RESOURCE_HANDLERS:
        yield from ((each, REFUSED) for each in paths)
        return
    as_it_is, again = (outcome(emulator, stack, name, lambda properties: properties) for _ in range(2))
    if isinstance(as_it_is, str) or again != as_it_is:
        raise RuntimeError(f"{name} cannot be made, or not the same twice: {as_it_is}")
    for each, path in paths.items():
        outcomes = (outcome(emulator, stack, name, partial(edit, path=path)) for edit in (without, changed))
        yield each, READ if any(one != as_it_is for one in outcomes) else IGNORED


def all_readings() -> dict[str, str]:
    """READ if every resource's property is read, IGNORED if one's is not. Of several resources with the same
    properties, one is tested. Our own resources (`Custom::`) are left out."""
    emulator_process.correct()
    emulator = Emulator()
    found: dict[str, set[str]] = {}
    tried = set()
    for parameters in ({}, EVERYTHING):
        template = translated(TEMPLATE, parameters)
        stack = Stack(template, parameters)
        for name in stack.order:
            kind = stack.resources[name]["Type"]
            shape = (kind, frozenset(map(spelled, leaves(prepared(emulator, stack, name)[0]))))
            if shape in tried or kind.startswith("Custom::"):
                continue
            tried.add(shape)
            for property_name, reading in readings(emulator, stack, name):
                found.setdefault(f"{kind} {property_name}", set()).add(reading)
    return {name: next(each for each in (REFUSED, IGNORED, READ) if each in found[name]) for name in sorted(found)}


if __name__ == "__main__":
    json.dump(all_readings(), sys.stdout, indent=1)
