"""The steps of the smoke test, in order."""

from collections.abc import Sequence

from resilience.aws import archiving, deploying, receiving, rotating
from resilience.aws.costs import Usage
from resilience.aws.steps import Step
from resilience.aws.trial import Trial

STEPS: Sequence[Step[Trial]] = (
    Step(
        "deploy",
        "sam build and sam deploy, with a parameters file",
        "the stack is created",
        deploying.create,
        Usage(deploys=1),
        stack=None,
    ),
    Step(
        "secrets",
        "dailies secrets set, dailies doctor",
        "each webhook's secret is set",
        receiving.set_secrets,
        Usage(),
    ),
    Step(
        "webhooks",
        "call each webhook: new, duplicate, forged, too large, unreadable",
        "200 recorded, 200 duplicate, 401, 413, 200 quarantined",
        receiving.webhooks,
        Usage(calls=24),
    ),
    Step(
        "archive",
        "a 30 MB medium from a presigned link",
        "the same bytes and CRC64NVME, job.json, events on the bus",
        archiving.large_medium,
        Usage(calls=1, media=1, downloaded_mb=30),
    ),
    Step(
        "dead-letter",
        "an error page instead of a video; then the video, and dailies redrive",
        "failed, published, redriven, archived",
        archiving.dead_letter,
        Usage(calls=1, media=2),
    ),
    Step(
        "rotate-creatify",
        "Secrets Manager rotates the token in Creatify's URL",
        "the new and the old URL accept calls",
        rotating.rotate_creatify,
        Usage(calls=3),
    ),
    Step(
        "rotate-captions",
        "Secrets Manager rotates the secret of the webhook at Captions",
        "the new and the old secret verify",
        rotating.rotate_captions,
        Usage(calls=3),
    ),
    Step(
        "throttling",
        "60 calls at once, with ThrottleRate 2",
        "429s; each call that was answered 200 is stored",
        receiving.throttling,
        Usage(calls=10 * receiving.BURST, deploys=2),
    ),
    Step(
        "layer",
        "deploy another layer during calls at a steady rate",
        "each call or its retry is answered 200",
        deploying.update_layer,
        Usage(calls=300, deploys=1),
    ),
    Step(
        "parameter",
        "AlarmEmail is set in the parameters file, then emptied",
        "set in the stack, then empty, with its topic gone",
        deploying.empty_parameter,
        Usage(deploys=2),
    ),
    Step(
        "delete",
        "sam delete",
        "only the table and the bucket are retained",
        deploying.delete,
        Usage(deploys=1),
    ),
    Step(
        "again",
        "sam deploy with the same name",
        "the stack is created, and accepts a call",
        deploying.deploy_again,
        Usage(calls=1, deploys=1),
        stack=False,
    ),
)
