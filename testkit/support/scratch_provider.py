"""A provider that does not exist, added to a copy of the repository by the steps of CONTRIBUTING.md: Acme, with a
bearer token, one webhook, one media role and no API."""

import re
from pathlib import Path

PROVIDER = '''"""Acme (acme.example): clips. Calls when a clip is done or has failed.

Proof: `Authorization: Bearer <secret>`. It has no API. Undocumented: retries, any clock.

https://acme.example/webhooks (does not exist)
"""

from dailies.jobs.models import Delivery, JobError, MediaLink, Proof, Report, Status
from dailies.providers.contract import ProofRules, Provider, Webhook
from dailies.providers.payload import JobId, Lenient, Payload, StatusWord, Url
from dailies.providers.signatures import Secrets, bearer

WORDS: dict[str, Status] = {"done": "completed", "failed": "failed"}


class ClipEvent(Payload):
    """The end of a clip."""

    clip: JobId
    state: StatusWord
    download: Url = None
    reason: Lenient[str] = None


def verify(delivery: Delivery, secrets: Secrets, _rules: ProofRules) -> Proof:
    """By the bearer, which has no time."""
    return bearer(delivery.headers.get("authorization", ""), secrets)


def parse_clip(body: bytes) -> Report:
    """A clip that is done or has failed."""
    event = ClipEvent.read(body)
    status = WORDS.get(event.state, "unknown")
    return Report(
        job_id=event.clip,
        status=status,
        provider_status=event.state,
        media=(MediaLink("clip", event.download),) if event.download else (),
        error=JobError("", event.reason or "", retryable=False) if status == "failed" else None,
    )


CLIP = Webhook(provider="acme", name="clip", verify=verify, parse=parse_clip)
ACME = Provider(name="acme", webhooks=(CLIP,), roles={"clip": frozenset({"video"})})
'''

FUNCTION = '''"""Acme calls when a clip is done or has failed: verify, record once, answer.

POST /webhooks/acme/clip
"""

from dailies.aws import cold_start

cold_start.begin()  # before the other imports; `receiver` ends it

import os

from botocore.session import get_session

from dailies.providers.acme import CLIP
from dailies.steps.receive import receiver

lambda_handler = receiver(CLIP, os.environ, get_session().create_client)
'''

SAMPLE = '''"""Acme's calls: a shared secret as bearer."""

from datetime import datetime

from simulators.provider_calls.call import compact
from simulators.provider_calls.sample import Case, Headers, Medium, Order, Sample


def clip_body(order: Order) -> bytes:
    """The end of a clip."""
    body = {"clip": order.job_id, "state": order.case}
    if order.case == "failed":
        return compact({**body, "reason": "no tape"})
    return compact({**body, "download": order.links.get("clip", "")})


def prove(_body: bytes, secret: str, _at: datetime) -> Headers:
    """The secret itself."""
    return {"Authorization": f"Bearer {secret}"}


CLIP = Sample(
    webhook="acme/clip",
    secret="dailies-example-acme-secret",  # noqa: S106  the example of events/, published with them
    job_id="clip-1",
    cases={"done": Case("completed", ("clip",)), "failed": Case("failed")},
    media={"clip": Medium("operation.mp4", "https://cdn.acme.example/clip-1.mp4?signature=0123456789abcdef")},
    body=clip_body,
    prove=prove,
)
'''

PAGE = """# Acme

Acme calls `POST /webhooks/acme/clip` when a clip is done or has failed. It proves its calls by a bearer.

```sh
dailies secrets set acme/signing
dailies secrets show-urls
```
"""


def add(tree: Path) -> list[Path]:
    """Write the five files that a person writes; returns their paths. The repository's own code makes the recorded
    events."""
    files = {
        "layers/dailies/python/dailies/providers/acme.py": PROVIDER,
        "functions/acme_clip/app.py": FUNCTION,
        "simulators/provider_calls/acme.py": SAMPLE,
        "docs/providers/acme.md": PAGE,
        "template.yaml": _with_acme((tree / "template.yaml").read_text(encoding="utf-8")),
    }
    for name, content in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return [tree / name for name in files]


def _with_acme(template: str) -> str:
    """The template with Captions' webhook resources copied for Acme."""
    for first, last in (
        ("  CaptionsCreatorRole:\n", r"\n  # ----"),
        ("  CaptionsSigningSecret:\n", r"\n  CaptionsApiSecret:"),
        ("  CaptionsCreatorUrl:\n", r"\n  CaptionsWebhookId:"),
    ):
        begin = template.index(first)
        behind = re.compile(last).search(template, begin)
        assert behind, last
        block = template[begin : behind.start()].rstrip("\n") + "\n"
        blank = "\n" if "Url:" not in first else ""
        template = template[:begin] + _renamed(block) + blank + template[begin:]
    listed = re.compile(
        r'^ +(- !Ref CaptionsCreator(Role|Logs)|\["\.\.\.", "\$\{CaptionsCreator\}"\],)\n', re.MULTILINE
    )
    return listed.sub(lambda line: _renamed(line[0]) + line[0], template)


def _renamed(text: str) -> str:
    for old, new in {
        "CaptionsCreator": "AcmeClip",
        "captions_creator": "acme_clip",
        "captions/creator": "acme/clip",
        "CaptionsSigningSecret": "AcmeSigningSecret",
        "captions/signing": "acme/signing",
        "job#captions#": "job#acme#",
        "quarantine#captions#": "quarantine#acme#",
        "/captions/": "/acme/",
    }.items():
        text = text.replace(old, new)
    description = {
        "AcmeClip:\n": "Acme calls when a clip is done or has failed.",
        "AcmeSigningSecret:\n": "The secret that Acme shows for its webhook, as a plain string.",
        "AcmeClipUrl:\n": "Give this to Acme.",
    }
    for name, said in description.items():
        text = re.sub(rf"((?:^|\n)  {name}(?:    .*\n)*?    +Description: ).*", rf"\g<1>{said}", text)
    return text
