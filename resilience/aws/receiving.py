"""The steps that call the webhooks: each of their responses, and requests that API Gateway rejects."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from urllib3.exceptions import HTTPError

from cli import secrets
from cli.sample_calls import CASES, FORGED, SECRET_OF, UNREADABLE, Order, call
from resilience.aws.steps import Wrong, expect, until
from resilience.aws.trial import Trial
from simulators.provider_calls import every_sample
from simulators.provider_calls.call import Call, Reply, send

FAILED = {webhook: sample.failure for webhook, sample in every_sample().items()}
TOO_LARGE = 1_048_577  # bytes: one more than MaxBodyBytes
NOTICED_SECONDS = 60.0  # max seconds until a new secret verifies calls
NOWHERE = "https://example.com/video.mp4"  # in a forged call, whose links are not fetched
BURST = 60
CALLERS = 8  # at once: a new account runs ten functions, and more calls would get 5xx
RATE = "2"  # requests a second, and at once


def a_call(trial: Trial, webhook: str, job: str, secret: str = "") -> Call:
    """An authentic call that reports a failed job, signed with the stack's secret by default."""
    secret = secret or secrets.value(trial.stack, SECRET_OF[webhook])
    return call(Order(webhook, FAILED[webhook], trial.job(job), secret, lambda _: ""))


def answered(trial: Trial, made: Call) -> Reply:
    """The webhook's response; raises Wrong if there is none."""
    try:
        return send(made, trial.stack.webhook_base_url)
    except HTTPError as error:
        raise Wrong(f"{trial.stack.webhook_base_url} does not respond: {error}") from None


def said(reply: Reply) -> str:
    """A response in words: `200 recorded`."""
    body = reply.body if isinstance(reply.body, dict) else {}
    return f"{reply.status} {body.get('result') or body.get('error') or reply.body}"


def set_secrets(trial: Trial) -> str:
    """Set Sync's signing secret, and Captions' if the stack has not registered at Captions."""
    names = ["sync/signing"]
    if not trial.parameters().get("CaptionsApiSecretArn"):
        names.append("captions/signing")
    for name in names:
        trial.dailies("secrets", "set", name, "--file", "-", given=f"whsec_smoke{trial.token}{'0' * 24}")
    states = {state["name"]: state["is_set"] for state in trial.told("secrets", "list")}
    unset = [name for name in SECRET_OF.values() if not states[name]]
    expect(not unset, f"not set: {', '.join(unset)}")
    wrong = [
        f"{one['about']} {one['message']}" for one in trial.told("doctor", ends=(0, 1)) if one["status"] == "error"
    ]
    about_secrets = [line for line in wrong if line.startswith(tuple(SECRET_OF.values()))]
    expect(not about_secrets, f"doctor: {'; '.join(about_secrets)}")
    others = f"; doctor finds besides: {'; '.join(wrong)}" if wrong else "; doctor finds nothing wrong"
    return f"{', '.join(sorted(set(SECRET_OF.values())))} are set{others}"


def webhooks(trial: Trial) -> str:
    """Test each response of each webhook."""
    seen = []
    for webhook in CASES:
        name = webhook.replace("/", "-")
        until(
            f"{webhook} takes the secret",
            lambda webhook=webhook, name=name: _triggered(trial, webhook, FAILED[webhook], f"{name}-first"),  # type: ignore[misc]
            lambda answer: answer == "200 recorded",
            seconds=NOTICED_SECONDS,
        )
        twice = a_call(trial, webhook, f"{name}-twice")
        answers = {
            "new": said(answered(trial, twice)),
            "again": said(answered(trial, twice)),
            "forged": _triggered(trial, webhook, FORGED, f"{name}-forged"),
            "too large": said(answered(trial, replace(twice, body=twice.body.ljust(TOO_LARGE)))),
            "unreadable": _triggered(trial, webhook, UNREADABLE, f"{name}-unreadable"),
        }
        expected = {
            "new": "200 recorded",
            "again": "200 duplicate",
            "forged": "401 unverified",
            "too large": "413 too_large",
            "unreadable": "200 quarantined",
        }
        wrong = [f"{case} {answers[case]}" for case in expected if answers[case] != expected[case]]
        expect(not wrong, f"{webhook}: {', '.join(wrong)}")
        seen.append(webhook)
    for webhook in CASES:
        provider, job = webhook.partition("/")[0], trial.job(f"{webhook.replace('/', '-')}-twice")
        look = lambda provider=provider, job=job: trial.row(provider, job)  # noqa: E731
        until(f"{job} settles", look, lambda row: row.get("stage") == "settled")
        expect(
            not trial.row(provider, trial.job(f"{webhook.replace('/', '-')}-forged")),
            f"{webhook}: a forged call is stored",
        )
    quarantined = Counter(f"{one['provider']}/{one['webhook']}" for one in trial.told("quarantine", "list"))
    missing = [webhook for webhook in CASES if not quarantined[webhook]]
    expect(not missing, f"not in quarantine: {', '.join(missing)}")
    return f"{', '.join(seen)}: 200 recorded, 200 duplicate, 401, 413, 200 quarantined; their jobs settled"


def throttling(trial: Trial) -> str:
    """A burst far above the rate limit; then check each job whose call was answered 200."""
    trial.deploy(ThrottleRate=RATE, ThrottleBurst=RATE)
    try:
        secret = secrets.value(trial.stack, "sync/signing")
        calls = [a_call(trial, "sync/generation", f"burst-{number}", secret) for number in range(BURST)]

        def burst() -> list[Reply]:
            with ThreadPoolExecutor(CALLERS) as callers:
                return list(callers.map(lambda made: answered(trial, made), calls))

        # A new limit reaches all of API Gateway's hosts within seconds. Repeated calls are duplicates, not new jobs.
        replies = until("429s come", burst, lambda seen: any(one.status == 429 for one in seen), seconds=120, pause=5)
    finally:
        trial.deploy(ThrottleRate="500", ThrottleBurst="1000")
    counts = Counter(reply.status for reply in replies)
    expect(counts.keys() <= {200, 429}, f"answers other than 200 and 429: {dict(counts)}")
    stored(trial, [made for made, reply in zip(calls, replies, strict=True) if reply.status == 200])
    answers = f"{counts[429]} were answered 429, {counts[200]} were answered 200"
    return f"of {BURST} calls at {RATE} a second {answers}; each of the latter is stored"


def stored(trial: Trial, calls: list[Call]) -> None:
    """Raises Wrong if a call's job does not reach the table."""
    for made in calls:
        provider = made.webhook.partition("/")[0]
        look = lambda provider=provider, job=made.job_id: trial.stack.table.job(provider, job)  # noqa: E731
        until(f"{made.job_id}, which was answered 200, is in the table", look, bool)


def _triggered(trial: Trial, webhook: str, case: str, job: str) -> str:
    """The response to a call by `dailies trigger`."""
    about = ("--case", case, "--job", trial.job(job), "--media-url", NOWHERE)
    told = trial.told("trigger", webhook, *about, "--yes", ends=(0, 1))
    body = told["body"] if isinstance(told["body"], dict) else {}
    return f"{told['status']} {body.get('result') or body.get('error') or told['body']}"
