"""Resolves a CloudFormation template for given parameters: evaluates conditions, removes what they exclude, and
replaces parameters, pseudo parameters and mappings by their values. Values that only AWS knows (an ARN, an id) stay as
written."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

type Json = Any

# AWS's documented pseudo parameters, with the values of its own examples.
PSEUDO: Mapping[str, str] = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/dailies/51af3dc0-da77-11e4-872e-1234567db123",
    "AWS::StackName": "dailies",
    "AWS::URLSuffix": "amazonaws.com",
}
VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
ABSENT = object()
DECIDED = frozenset({"Conditions", "Mappings", "Outputs", "Parameters", "Resources"})


def defaults(template: Mapping[str, Json]) -> dict[str, str]:
    """The parameters with a default, by name."""
    return {name: str(each["Default"]) for name, each in template.get("Parameters", {}).items() if "Default" in each}


def resolved(template: Mapping[str, Json], parameters: Mapping[str, str]) -> dict[str, Json]:
    """The template for these parameters; others have their defaults.

    Raises KeyError for a parameter without a value, and for an unknown parameter.
    """
    given = {**defaults(template), **parameters}
    kinds = {name: each["Type"] for name, each in template.get("Parameters", {}).items()}
    values = {name: _typed(kinds[name], value) for name, value in given.items()}
    if missing := kinds.keys() - values.keys():
        raise KeyError(*missing)
    resolving = _Resolving(template, {**PSEUDO, **values})
    sections = {name: resolving.chosen(template.get(name, {})) for name in ("Resources", "Outputs")}
    for resource in sections["Resources"].values():
        if "DependsOn" in resource:
            resource["DependsOn"] = [name for name in _listed(resource["DependsOn"]) if name in sections["Resources"]]
    kept = {name: each for name, each in template.items() if name not in DECIDED}
    return {**kept, **{name: section for name, section in sections.items() if section}}


def _typed(kind: str, value: str) -> Json:
    match kind:
        case "CommaDelimitedList":
            return value.split(",")
        case "Number":
            return int(value)
    return value


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


class _Resolving:
    def __init__(self, template: Mapping[str, Json], values: Mapping[str, Json]) -> None:
        self._conditions = template.get("Conditions", {})
        self._mappings = template.get("Mappings", {})
        self._values = values

    def chosen(self, section: Mapping[str, Json]) -> dict[str, Json]:
        """The entries of a section whose condition is true, without the conditions."""
        return {
            name: {key: self.value(part) for key, part in each.items() if key != "Condition"}
            for name, each in section.items()
            if "Condition" not in each or self._holds({"Condition": each["Condition"]})
        }

    def value(self, written: Json) -> Json:
        """The resolved value; ABSENT for AWS::NoValue."""
        if isinstance(written, list):
            return [value for value in map(self.value, written) if value is not ABSENT]
        if not isinstance(written, dict):
            return written
        if len(written) == 1:
            ((name, content),) = written.items()
            if (function := self._functions.get(name)) is not None:
                return function(self, content)
        values = {name: self.value(content) for name, content in written.items()}
        return {name: value for name, value in values.items() if value is not ABSENT}

    def _ref(self, name: str) -> Json:
        return ABSENT if name == "AWS::NoValue" else self._values.get(name, {"Ref": name})

    def _if(self, content: list[Json]) -> Json:
        name, then, otherwise = content
        return self.value(then if self._holds({"Condition": name}) else otherwise)

    def _sub(self, content: Json) -> Json:
        text, own = content if isinstance(content, list) else (content, {})
        known = {**self._values, **{name: self.value(each) for name, each in own.items()}}
        left = {name: each for name, each in known.items() if name in own and not isinstance(each, str)}

        def written(found: re.Match[str]) -> str:
            value = known.get(found[1])
            return _text(value) if isinstance(value, str | int) else found[0]

        text = VARIABLE.sub(written, text)
        if not VARIABLE.search(text):
            return text
        return {"Fn::Sub": [text, left] if left else text}

    def _join(self, content: list[Json]) -> Json:
        separator, parts = content[0], self.value(content[1])
        if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
            return separator.join(parts)
        return {"Fn::Join": [separator, parts]}

    def _found(self, content: list[Json]) -> Json:
        mapping, first, second = (self.value(each) for each in content)
        return self._mappings[mapping][_text(first)][second]

    def _holds(self, condition: Mapping[str, Json]) -> bool:
        ((name, content),) = condition.items()
        match name:
            case "Condition":
                return self._holds(self._conditions[content])
            case "Fn::Not":
                return not self._holds(content[0])
            case "Fn::And":
                return all(map(self._holds, content))
            case "Fn::Or":
                return any(map(self._holds, content))
            case "Fn::Equals":
                left, right = map(self.value, content)
                return _text(left) == _text(right)
        raise ValueError(f"no condition is decided by {name}")

    _functions: ClassVar[Mapping[str, Callable[["_Resolving", Json], Json]]] = {
        "Ref": _ref,
        "Fn::If": _if,
        "Fn::Sub": _sub,
        "Fn::Join": _join,
        "Fn::FindInMap": _found,
    }


def _text(value: Json) -> str:
    """The text that CloudFormation compares: a number's text."""
    return value if isinstance(value, str) else json.dumps(value)
