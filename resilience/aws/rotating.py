"""The steps in which Secrets Manager rotates a secret: old and new value verify calls."""

from cli import secrets
from cli.sample_calls import SECRET_OF
from resilience.aws.receiving import a_call, answered, said
from resilience.aws.steps import expect, until
from resilience.aws.trial import Trial

NOTICED_SECONDS = 60.0
UNKNOWN = "somebody-elses-secret-0123456789abcdefghijk"


def rotate_creatify(trial: Trial) -> str:
    """The token in Creatify's URL."""
    return _rotate(trial, "creatify/product_to_videos", "RotateCreatifyTokenArn")


def rotate_captions(trial: Trial) -> str:
    """The secret of the webhook at Captions, which makes the new one."""
    return _rotate(trial, "captions/creator", "RotateCaptionsSecretArn")


def _rotate(trial: Trial, webhook: str, function: str) -> str:
    name = SECRET_OF[webhook]
    old = secrets.value(trial.stack, name)
    how = trial.place.rotate(trial.stack, name, function)
    new = secrets.value(trial.stack, name)
    expect(new != old, f"{name} is what it was")
    for which, secret in (("new", new), ("old", old)):
        job = f"rotated-{webhook.partition('/')[0]}-{which}"
        until(
            f"{webhook} takes the {which} secret",
            lambda job=job, secret=secret: said(answered(trial, a_call(trial, webhook, job, secret))),  # type: ignore[misc]
            lambda answer: answer in ("200 recorded", "200 duplicate"),
            seconds=NOTICED_SECONDS,
        )
    forged = said(answered(trial, a_call(trial, webhook, "rotated-forged", UNKNOWN)))
    expect(forged == "401 unverified", f"another secret is answered {forged}")
    return f"{how}; new and old verify, another is answered {forged}"
