"""`make invoke` without Docker: its input for `sam local invoke`, and how it reads the result. With Docker, `make
smoke` and `python -m demo.invoke --check` run it.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from cli.errors import CliError
from cli.stack import Stack
from demo import invoke
from demo.invoke import Answer
from testkit.support.template import folder, functions, receivers

EVENTS = Path(__file__).parents[2] / "events"
CONFIGURATION = {
    "Handler": "app.lambda_handler",
    "Runtime": "python3.13",
    "MemorySize": 512,
    "Timeout": 29,
    "Environment": {
        "Variables": {
            "SIGNING_SECRET_ID": "arn:aws:secretsmanager:us-east-1:000000000000:secret:dailies/sync/signing-AbCdEf",
            "ARCHIVE_QUEUE_URL": "http://localhost:4577/000000000000/found",
            "SYNC_API_URL": "http://127.0.0.1:9999",
        }
    },
}


def test_each_event_is_for_a_function_of_the_template() -> None:
    names = [str(path.relative_to(EVENTS)) for path in EVENTS.glob("*/*.json")]
    assert {invoke.function_of(name) for name in names} == functions().keys()


def test_the_check_calls_each_webhook_with_each_outcome() -> None:
    found = invoke.deliveries()
    assert {name.partition("/")[0] for name in found} == {folder(name).name for name in receivers()}
    assert {"sync_generation/completed", "sync_generation/failed", "creatify_product_to_video/image_generating"} <= {
        *found
    }


def test_what_is_no_call_is_given_as_it_is_recorded(fast_stack: Stack, tmp_path: Path) -> None:
    given = invoke.event("advance/webhook", fast_stack, tmp_path)
    assert json.loads(given) == json.loads((EVENTS / "advance/webhook.json").read_bytes())


@pytest.mark.parametrize(
    "name", ["sync_generation", "sync_generation/completed/x", "../README", "sync_generation/none"]
)
def test_an_event_that_is_none_is_refused(name: str, fast_stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"^No event .*\. events/README\.md lists the events\.$"):
        invoke.event(name, fast_stack, tmp_path)


class TestTheEnvironment:
    def test_on_aws_it_is_the_stacks_own_with_the_users_credentials(self, fast_stack: Stack) -> None:
        found = invoke.environment(CONFIGURATION, fast_stack, None)
        held = fast_stack.session.get_credentials()
        assert held
        assert found.items() >= CONFIGURATION["Environment"]["Variables"].items()  # type: ignore[index]
        assert (found["AWS_ACCESS_KEY_ID"], found["AWS_REGION"]) == (held.access_key, "us-east-1")
        assert "AWS_ENDPOINT_URL" not in found

    def test_a_local_stack_is_where_the_container_reaches_it_its_queues_too(self, fast_stack: Stack) -> None:
        local = replace(fast_stack, endpoint_url="http://127.0.0.1:4577")
        found = invoke.environment(CONFIGURATION, local, "http://172.17.0.1:5000")
        assert found["AWS_ENDPOINT_URL"] == "http://172.17.0.1:5000"
        assert found["ARCHIVE_QUEUE_URL"] == "http://172.17.0.1:5000/000000000000/found"
        assert found["SYNC_API_URL"] == "http://127.0.0.1:9999"


def test_the_template_names_each_variable_and_the_built_code(tmp_path: Path) -> None:
    built = {
        "Track": {"Type": invoke.FUNCTION, "Properties": {"CodeUri": "Track"}},
        "DailiesLayer": {"Type": invoke.LAYER, "Properties": {"ContentUri": "DailiesLayer"}},
        "Table": {"Type": "AWS::DynamoDB::Table"},
    }
    (tmp_path / "template.yaml").write_text(yaml.safe_dump({"Resources": built}))
    made = invoke.template("Track", CONFIGURATION, {"TABLE_NAME": "t", "AWS_ENDPOINT_URL": "u"}, tmp_path)["Resources"]
    assert made.keys() == {"Track", "DailiesLayer"}
    track = made["Track"]["Properties"]
    assert track["Environment"]["Variables"].keys() == {"TABLE_NAME", "AWS_ENDPOINT_URL"}
    assert (track["CodeUri"], track["Timeout"]) == (str(tmp_path / "Track"), 29)
    assert track["Architectures"] == [invoke.ARCHITECTURE]
    assert invoke.IMAGE.endswith(invoke.ARCHITECTURE)


@pytest.mark.parametrize(
    ("text", "status", "is_good"),
    [
        ('{"statusCode": 200, "body": "{\\"result\\": \\"recorded\\"}"}', (200, "recorded"), True),
        ('{"statusCode": 200, "body": "{\\"result\\": \\"duplicate\\"}"}', (200, "duplicate"), True),
        ('{"statusCode": 503, "body": "{\\"error\\": \\"unavailable\\"}"}', (503, "unavailable"), False),
        ('{"errorMessage": "timed out", "errorType": "Sandbox.Timedout"}', (None, "timed out"), False),
        ("null", (None, "none"), True),
        ('{"batchItemFailures": []}', (None, "none"), True),
        ("", (None, "none"), False),
    ],
)
def test_an_answer_is_read(text: str, status: tuple[int | None, str], *, is_good: bool) -> None:
    answer = Answer(text, 1.0)
    assert (answer.status, answer.is_good) == (status, is_good)


def test_without_docker_the_check_says_what_it_left_out(
    fast_stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    invoke.all_of_them(invoke.deliveries(), fast_stack, tmp_path)
    assert capsys.readouterr().out == "Left out: sam local invoke, which needs Docker (not installed)\n"
