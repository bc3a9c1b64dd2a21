"""A provider's text stays text in the console: it never becomes markup, an attribute or a link."""

from collections import Counter
from html.parser import HTMLParser

from dailies.jobs.models import MediaLink
from testkit.fixtures.console import BY_LINK, BY_SCRIPT, Console, archived, failure, query

MARKUP = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"
TEXTS = [
    MARKUP,
    "{{ 7 * 7 }}{% raw %}",
    "</title></textarea></style></script><svg/onload=alert(1)>",
    "javascript:alert(1)//../..",
    '" hx-get="https://evil.example" hx-trigger="load" x="',
    "<hx-partial hx-target='#main'>gone</hx-partial>",
    "--><!--\u202eltr",
]
LEADING = {"href", "src", "action", "formaction", "hx-get", "hx-post"}


class Markup(HTMLParser):
    """A page's elements with their attribute names, its link targets, and all its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag, tuple(name for name, _ in attrs)] += 1
        self.links += [value for name, value in attrs if value and name in LEADING]
        self.texts += [value for name, value in attrs if value and name not in LEADING]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def recorded(console: Console, text: str) -> list[str]:
    """Rows with this text in each field that a provider or a host fills, and their pages."""
    medium = MediaLink("output", "https://h.example/one.mp4")
    received = console.hears(
        text, provider_status=text, error=failure(text, text), media=(medium,), parent=text, payload=text.encode()
    )
    event = console.hears(
        text, origin="archive", receipt=archived(medium, source_host=text, note=text, content_type="video/x" + text)
    )
    console.hears(
        f"failed {text}", media=(medium,), receipt=archived(medium, state="failed", reason=text), origin="archive"
    )
    event_id = console.quarantines(text.encode(), reason=text)
    console.fails(
        '{"detail": {"provider": "sync", "job_id": "g-1", "media": [{"role": "output", "media_id": "x"}]}}', reason=text
    )
    day = event.received_at[:10]
    return [
        str(console.client.build_request("GET", path, params=params).url.raw_path, "ascii")
        for path, params in (
            ("/job", {"provider": "sync", "id": text}),
            ("/job", {"provider": "sync", "id": f"failed {text}"}),
            ("/payload", {"provider": "sync", "id": text, "event": received.event_id}),
            ("/delivery", {"provider": "sync", "day": day, "event": event_id}),
        )
    ]


def test_hostile_words_are_shown_as_they_are_and_make_no_markup(console: Console) -> None:
    harmless = [Markup(console.get(page).text).elements for page in recorded(console, "harmless")]
    for text in TEXTS:
        pages = [Markup(console.get(page).text) for page in recorded(console, text)]
        assert [page.elements for page in pages] == harmless
        assert all(any(text in said for said in page.texts) for page in pages)
        assert {link[0] for page in pages for link in page.links} <= {"/", "#"}


def test_hostile_words_are_shown_as_they_are_in_lists(console: Console) -> None:
    for text in TEXTS:
        recorded(console, text)
    for path in ("/?provider=sync", "/queues", "/quarantine"):
        page = Markup(console.get(path).text)
        for text in TEXTS:
            assert any(text in said for said in page.texts)
        assert {link[0] for link in page.links} <= {"/", "#"}
        assert not [name for _, names in page.elements for name in names if name.startswith("on")]


def test_no_link_puts_words_of_its_own_into_a_page(console: Console) -> None:
    console.hears()
    for path, hostile in (
        ("/job?provider=sync&id=g-1", {"done": "changed", "events": MARKUP, "announced": "1"}),
        ("/job?provider=sync&id=g-1", {"done": MARKUP, "events": "1", "announced": "1"}),
        ("/queues", {"processed": MARKUP, "failed": "0", "repeated": "0"}),
        ("/quarantine", {"days": MARKUP, "parsed": MARKUP, "failed": "0"}),
        ("/", {"provider": MARKUP, "status": MARKUP, "stage": MARKUP, "since": MARKUP, "seen": MARKUP}),
    ):
        answer = console.client.get(path, params=query(path) | hostile, headers=BY_LINK)
        assert answer.status_code == 200
        assert 'class="notice"' not in answer.text
        assert "<img src=x" not in answer.text


def test_a_cursor_that_is_none_is_refused(console: Console) -> None:
    answer = console.client.get("/", params={"after": MARKUP}, headers=BY_SCRIPT)
    assert (answer.status_code, "<img src=x" in answer.text) == (409, False)
