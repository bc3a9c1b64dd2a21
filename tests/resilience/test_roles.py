"""The basis of the check of the roles: a grant is removed exactly, and defects in a recording are found."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from local.up import REQUESTS
from resilience.roles.grants import Grant, as_list, grants, less, of_lambda, only
from resilience.roles.needs import FLOWS, ONE_OF_EACH_ROLE
from resilience.roles.recording import Recording, read, unused
from testkit.support.template import function_roles, roles, statements

GRANTS = grants({name: statements(role) for name, role in function_roles().items()})

ROLE = "ArchiveRole"
QUEUE, OTHER_QUEUE, TABLE = (f"arn:aws:{each}" for each in ("sqs:r:a:q", "sqs:r:a:other", "dynamodb:r:a:table/t"))
TEMPLATE: list[dict[str, Any]] = [
    {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": {"Fn::GetAtt": ["Table", "Arn"]}},
    {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": [{"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::GetAtt": ["Other", "Arn"]}],
    },
]
DEPLOYED = [{**TEMPLATE[0], "Resource": TABLE}, {**TEMPLATE[1], "Resource": [QUEUE, OTHER_QUEUE]}]
ASKED = [("dynamodb:GetItem", TABLE), ("dynamodb:Query", TABLE), ("sqs:SendMessage", QUEUE)]
ALL = [*ASKED, ("sqs:SendMessage", OTHER_QUEUE)]


def pairs(of: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """The actions and resources of statements."""
    return sorted(
        (action, json.dumps(resource))
        for statement in of
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    )


def recorded(
    folder: Path, asked: Sequence[tuple[str, str]], *, decision: str = "Allow", now: Sequence[dict[str, Any]] = DEPLOYED
) -> Recording:
    """A recording of requests, each with this decision, while the role had these statements."""
    in_effect = [
        {
            "sid": "",
            "effect": statement["Effect"],
            "actions": as_list(statement["Action"]),
            "not_actions": [],
            "resources": as_list(statement["Resource"]),
            "not_resources": [],
            "conditions": {},
        }
        for statement in now
    ]
    request = {"role": "stack-ArchiveRole-1", "session": "stack-Archive-2"}
    lines: list[dict[str, Any]] = [
        {"roles": {ROLE: {"name": "stack-ArchiveRole-1", "template": TEMPLATE, "deployed": DEPLOYED}}},
        {"policies": "p", "statements": in_effect},
        *(
            {
                **request,
                "checks": [
                    {"action": action, "resource": arn, "context": {}, "decision": decision, "policies": "p"},
                ],
            }
            for action, arn in asked
        ),
    ]
    (folder / REQUESTS).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return read(folder)


class TestGrants:
    @pytest.mark.parametrize("grant", GRANTS, ids=str)
    def test_one_and_all_the_others_are_the_whole(self, grant: Grant) -> None:
        whole = statements(roles()[grant.role])
        one, others = pairs([only(whole, grant)]), pairs(less(whole, grant))
        assert len(one) == 1
        assert one[0] not in others
        assert sorted(one + others) == pairs(whole)

    def test_each_has_its_flow_or_is_lambdas_own(self) -> None:
        assert sorted(FLOWS) == sorted(grant.key for grant in GRANTS if not of_lambda(grant))

    def test_lambdas_own_are_those_of_its_pollers_and_of_the_logs(self) -> None:
        """A function that polls a stream or a queue needs a flow."""
        own = {(grant.role, grant.action.partition(":")[0], grant.resource) for grant in GRANTS if of_lambda(grant)}
        assert own == {
            ("AdvanceRole", "dynamodb", "Table.StreamArn"),
            ("AnnounceRole", "dynamodb", "Table.StreamArn"),
            ("AdvanceRole", "dynamodb", "*"),
            ("AnnounceRole", "dynamodb", "*"),
            ("ArchiveRole", "sqs", "ArchiveQueue"),
            *((role, "logs", f"{role.removesuffix('Role')}Logs") for role in function_roles()),
        }

    def test_one_of_each_role_is_tried_in_the_tests(self) -> None:
        assert sorted(ONE_OF_EACH_ROLE) == sorted(function_roles())
        assert {(role, *grant) for role, grant in ONE_OF_EACH_ROLE.items()} <= set(FLOWS)


class TestRecording:
    def test_where_all_is_well_nothing_is_found(self, tmp_path: Path) -> None:
        recording = recorded(tmp_path, ALL)
        assert [*recording.disagreements(), *recording.not_allowed(), *recording.refused()] == []
        assert unused([recording]) == []

    def test_what_the_template_does_not_allow_is_found_though_it_was_allowed(self, tmp_path: Path) -> None:
        wider = [*DEPLOYED, {"Effect": "Allow", "Action": "dynamodb:*", "Resource": TABLE}]
        recording = recorded(tmp_path, [("dynamodb:PutItem", TABLE)], now=wider)
        assert list(recording.disagreements()) == []
        assert list(recording.not_allowed()) == [f"{ROLE} dynamodb:PutItem on {TABLE}"]

    def test_a_decision_that_is_made_otherwise_here_is_found(self, tmp_path: Path) -> None:
        assert len(list(recorded(tmp_path, ASKED, decision="ImplicitDeny").disagreements())) == len(ASKED)

    def test_a_refusal_names_the_removed_grant(self, tmp_path: Path) -> None:
        without = less(DEPLOYED, Grant(ROLE, "dynamodb:Query", "Table", 0, 0))
        recording = recorded(tmp_path, [("dynamodb:Query", TABLE)], decision="ImplicitDeny", now=without)
        assert list(recording.disagreements()) == []
        ((check, grant),) = recording.refused()
        assert (check.action, str(grant)) == ("dynamodb:Query", f"{ROLE} dynamodb:Query Table")

    def test_a_refusal_for_another_reason_names_none(self, tmp_path: Path) -> None:
        nothing = [statement for statement in DEPLOYED if statement["Action"] == "sqs:SendMessage"]
        ((_, grant),) = recorded(tmp_path, ASKED[:1], decision="ImplicitDeny", now=nothing).refused()
        assert grant is None

    def test_a_grant_that_no_request_needs_is_found(self, tmp_path: Path) -> None:
        assert unused([recorded(tmp_path, ASKED)]) == [f"{ROLE} sqs:SendMessage Other"]

    def test_a_grant_that_another_one_covers_is_needed_by_none(self, tmp_path: Path) -> None:
        recording = recorded(tmp_path, ASKED)
        role = recording.roles[ROLE][0]
        role.deployed.append({"Effect": "Allow", "Action": "dynamodb:*", "Resource": TABLE})
        assert f"{ROLE} dynamodb:GetItem Table" in unused([recording])

    def test_several_stacks_use_the_grants_together(self, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        assert unused([recorded(tmp_path, ALL[:2]), recorded(tmp_path / "other", ALL[2:])]) == []

    def test_a_tests_own_session_is_left_out(self, tmp_path: Path) -> None:
        recorded(tmp_path, ALL)
        log = tmp_path / REQUESTS
        log.write_text(log.read_text().replace("stack-Archive-2", "conformance"))
        assert read(tmp_path).checks == frozenset()
