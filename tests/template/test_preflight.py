"""The template resolved for given parameters, as the checkers of `make lint` see it."""

from typing import Any

import pytest

from local.deploy import TEMPLATE
from local.preflight.parameters import EVERYTHING
from local.preflight.resolving import resolved
from local.preflight.translating import translated

PARAMETERS = {
    "Mail": {"Type": "String", "Default": ""},
    "Hosts": {"Type": "CommaDelimitedList", "Default": "a,b"},
    "Minutes": {"Type": "Number", "Default": 5},
}
CONDITIONS = {
    "HasMail": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Mail"}, ""]}]},
    "EachMinute": {"Fn::Equals": [{"Ref": "Minutes"}, 1]},
    "Both": {"Fn::And": [{"Condition": "HasMail"}, {"Condition": "EachMinute"}]},
    "One": {"Fn::Or": [{"Condition": "HasMail"}, {"Condition": "EachMinute"}]},
}


def value(written: Any, **parameters: str) -> Any:
    """The value of a property that is written like this, for these parameters."""
    template = {
        "Parameters": PARAMETERS,
        "Conditions": CONDITIONS,
        "Mappings": {"Rates": {"5": {"Word": "often"}}},
        "Resources": {"Thing": {"Type": "T", "Properties": {"Value": written}}},
    }
    return resolved(template, parameters)["Resources"]["Thing"]["Properties"].get("Value", "absent")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"Ref": "Mail"}, ""),
        ({"Ref": "Minutes"}, 5),
        ({"Ref": "Hosts"}, ["a", "b"]),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::NoValue"}, "absent"),
        ({"Ref": "Table"}, {"Ref": "Table"}),
        ({"Fn::GetAtt": ["Table", "Arn"]}, {"Fn::GetAtt": ["Table", "Arn"]}),
        ({"Fn::Join": [",", {"Ref": "Hosts"}]}, "a,b"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Table"}]]}, {"Fn::Join": ["/", ["a", {"Ref": "Table"}]]}),
        ({"Fn::Sub": "rate(${Minutes} minutes)"}, "rate(5 minutes)"),
        ({"Fn::Sub": "${AWS::StackName}/${Table.Arn}"}, {"Fn::Sub": "dailies/${Table.Arn}"}),
        ({"Fn::Sub": "${!Literal}"}, "${!Literal}"),
        ({"Fn::Sub": ["${Own}/${Mail}x", {"Own": {"Ref": "Minutes"}}]}, "5/x"),
        ({"Fn::Sub": ["${Own}", {"Own": {"Ref": "Table"}}]}, {"Fn::Sub": ["${Own}", {"Own": {"Ref": "Table"}}]}),
        ({"Fn::FindInMap": ["Rates", {"Ref": "Minutes"}, "Word"]}, "often"),
        ([{"Fn::If": ["HasMail", 1, {"Ref": "AWS::NoValue"}]}, 2], [2]),
        ({"Fn::If": ["HasMail", 1, {"Fn::If": ["EachMinute", 2, 3]}]}, 3),
    ],
    ids=str,
)
def test_what_is_known_is_written_and_what_only_aws_knows_stays(written: Any, expected: Any) -> None:
    assert value(written) == expected


@pytest.mark.parametrize(
    ("mail", "minutes", "both", "one"),
    [("", "5", False, False), ("a@b", "5", False, True), ("", "1", False, True), ("a@b", "1", True, True)],
)
def test_conditions_are_decided(mail: str, minutes: str, *, both: bool, one: bool) -> None:
    given = {"Mail": mail, "Minutes": minutes}
    assert value({"Fn::If": ["Both", True, False]}, **given) is both
    assert value({"Fn::If": ["One", True, False]}, **given) is one


def test_what_a_condition_excludes_is_gone_and_nothing_depends_on_it() -> None:
    template = {
        "Parameters": PARAMETERS,
        "Conditions": CONDITIONS,
        "Resources": {
            "Topic": {"Type": "T", "Condition": "HasMail"},
            "Other": {"Type": "T", "DependsOn": ["Topic", "Third"]},
            "Third": {"Type": "T"},
        },
        "Outputs": {"Topic": {"Condition": "HasMail", "Value": "x"}},
    }
    without = resolved(template, {})
    assert without["Resources"] == {"Other": {"Type": "T", "DependsOn": ["Third"]}, "Third": {"Type": "T"}}
    assert "Outputs" not in without
    with_mail = resolved(template, {"Mail": "a@b"})
    assert with_mail["Resources"]["Topic"] == {"Type": "T"}
    assert with_mail["Outputs"] == {"Topic": {"Value": "x"}}


def test_a_parameter_without_a_value_or_that_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError, match="Needed"):
        resolved({"Parameters": {"Needed": {"Type": "String"}}, "Resources": {}}, {})
    with pytest.raises(KeyError, match="Unknown"):
        resolved({"Resources": {}}, {"Unknown": "x"})


def test_only_conditional_resources_are_absent_with_the_default_parameters() -> None:
    template = translated(TEMPLATE)
    conditional = {name for name, resource in template["Resources"].items() if "Condition" in resource}
    assert conditional
    more = translated(TEMPLATE, EVERYTHING)
    everything = resolved(more, EVERYTHING)
    assert everything["Resources"].keys() == more["Resources"].keys()
    assert resolved(template, {})["Resources"].keys() == template["Resources"].keys() - conditional
    empty = {name for name, each in template["Parameters"].items() if each.get("Default") == ""}
    assert empty <= EVERYTHING.keys()
