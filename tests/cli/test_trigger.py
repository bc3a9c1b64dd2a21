"""`dailies trigger` with a given secret and URL: what cannot be sent is reported before anything is sent."""

from collections.abc import Iterator

import pytest

from simulators.webhook_server import Webhook, webhook
from testkit.fixtures.archiver import Archive
from testkit.fixtures.cli import Done, dailies
from testkit.fixtures.deployed_stack import deploy


@pytest.fixture
def called() -> Iterator[Webhook]:
    with webhook() as receiver:
        yield receiver


def trigger(name: str, *options: str) -> Done:
    return dailies("trigger", name, "--case", "failure" if name == "captions/creator" else "failed", *options)


@pytest.mark.parametrize("name", ["captions/creator", "creatify/product_to_videos", "sync/generation"])
@pytest.mark.parametrize("secret", ["ключ", "abc\r", "abc\n", "abc\0", "abc\x7f"])
def test_a_secret_that_no_call_can_bear(called: Webhook, name: str, secret: str) -> None:
    done = trigger(name, "--secret", secret, "--url", called.url)
    assert (done.code, "printable ASCII characters" in done.err) == (2, True)
    assert secret.strip() not in done.err
    assert called.deliveries == []


def test_one_that_was_set_by_other_means(archive_at_work: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    archive_at_work.cloud.secretsmanager.create_secret(Name="dailies/captions/signing", SecretString="ключ-ключ")
    deploy(archive_at_work, {}, {})
    done = trigger("captions/creator", "--stack", "dailies", "--yes")
    assert (done.code, done.err.count("\n"), "`dailies secrets set captions/signing`" in done.err) == (1, 1, True)
    assert "ключ" not in done.err


def test_any_other_is_sent_as_it_is(called: Webhook) -> None:
    assert trigger("captions/creator", "--secret", "two words ~!", "--url", called.url).code == 0
    assert [one.headers["authorization"] for one in called.deliveries] == ["Bearer two words ~!"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "127.0.0.1/x",
        "ftp://x/y",
        "http://127.0.0.1:99999/x",
        "http://[::1/x",
        "http://",
        "https:///x",
        "//x/y",
    ],
)
@pytest.mark.parametrize("more", [(), ("--print", "curl")])
def test_an_url_that_is_none(url: str, more: tuple[str, ...]) -> None:
    done = trigger("captions/creator", "--secret", "0123456789abcdef", "--url", url, *more)
    assert (done.code, "is not an http(s) URL" in done.err, done.out) == (2, True, "")
