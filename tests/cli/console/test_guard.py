"""The console serves only its own pages and requests from the address bar."""

import pytest

from testkit.fixtures.console import BY_LINK, BY_SCRIPT, Console

PAGES = ["/", "/figures", "/queues", "/quarantine", "/nowhere", "/job?provider=sync&id=none", "/static/console.css"]
CROSS_SITE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' https://dailies-bucket.s3.amazonaws.com",
    "media-src": "'self' https://dailies-bucket.s3.amazonaws.com",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


@pytest.fixture(scope="module")
def console(one_console: Console) -> Console:
    """A console with one job."""
    one_console.hears("g-secret")
    return one_console


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_says_what_a_browser_may_do_with_it(console: Console, path: str) -> None:
    headers = console.get(path).headers
    policy = dict(directive.split(" ", 1) for directive in headers["content-security-policy"].split("; "))
    assert policy == POLICY  # nothing inline, no eval, no other host but the bucket's own
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8780", "127.0.0.1.evil.example", "169.254.169.254", ""])
def test_a_name_that_somebody_else_gave_this_machine_is_refused(console: Console, host: str) -> None:
    """DNS rebinding: the browser takes us for evil.example, and sends that name."""
    answer = console.get("/", {**BY_LINK, "host": host})
    assert answer.status_code == 400
    assert "g-secret" not in answer.text


def test_the_machines_own_names_are_answered(console: Console) -> None:
    for name in (console.host, console.host.replace("127.0.0.1", "localhost")):
        assert console.get("/queues", {**BY_LINK, "host": name}).status_code == 200


class TestForeignPages:
    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    @pytest.mark.parametrize("dest", ["empty", "script", "image", "iframe"])
    def test_none_is_read_or_embedded_by_another_site_or_another_port(
        self, console: Console, site: str, dest: str
    ) -> None:
        mode = "navigate" if dest == "iframe" else "no-cors"
        answer = console.get("/", {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest})
        assert (answer.status_code, "<main" in answer.text) == (403, False)

    def test_a_link_to_a_page_may_be_followed_from_anywhere(self, console: Console) -> None:
        assert console.get("/queues", {**BY_LINK, "sec-fetch-site": "cross-site"}).status_code == 200

    def test_a_client_without_a_browser_is_answered(self, console: Console) -> None:
        assert console.get("/queues", {}).status_code == 200


class TestActing:
    """The token is in a page. A foreign page can send a form, but cannot read the token or change the browser's
    headers.
    """

    JOB = "/job?provider=sync&id=g-secret"

    def refused(self, console: Console, headers: dict[str, str], **changed: str) -> bool:
        """Whether the replay was rejected and nothing was published."""
        sent = {name: value.replace("{host}", console.host) for name, value in headers.items()}
        status = console.press(self.JOB, "/replay", sent, **changed).status_code
        published = console.cloud.told()
        assert (status, bool(published)) in {(403, False), (303, True)}
        return status == 403

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "same-origin", "origin": "null"},  # a form of ours: no referrer, so no origin
            {"origin": "http://{host}"},  # an older browser's headers
        ],
    )
    def test_our_own_button_acts(self, console: Console, headers: dict[str, str]) -> None:
        assert not self.refused(console, headers)

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
            {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:3000"},
            {"sec-fetch-site": "none"},
            {"sec-fetch-site": "cross-site", "origin": "http://{host}"},
            {"origin": "https://evil.example"},
            {"origin": "http://127.0.0.1:3000"},
            {"origin": "https://{host}"},
            {"origin": "null"},
            {},
        ],
    )
    def test_no_other_origin_acts_even_with_the_token(self, console: Console, headers: dict[str, str]) -> None:
        assert self.refused(console, headers)

    @pytest.mark.parametrize("token", ["", "x" * 43, "é"])
    def test_no_action_works_without_the_token(self, console: Console, token: str) -> None:
        assert self.refused(console, BY_SCRIPT, token=token)

    @pytest.mark.parametrize("path", ["/replay", "/redrive", "/reparse"])
    def test_no_link_acts(self, console: Console, path: str) -> None:
        assert console.get(path).status_code == 405
        assert console.client.post(path, headers=BY_LINK).status_code == 403
