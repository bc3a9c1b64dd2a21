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
        "each webhook is called: new, again, forged, too large, unreadable",
        "200 recorded, 200 duplicate, 401, 413, 200 quarantined",
        receiving.webhooks,
        Usage(calls=24),
    ),
    Step(
        "archive",
        "a medium of 30 MB by a presigned link",
        "the same bytes and CRC64NVME, job.json, events on the bus",
        archiving.large_medium,
        Usage(calls=1, media=1, downloaded_mb=30),
    ),
    Step(
        "dead-letter",
        "an error page in place of a video; then the video, and dailies redrive",
        "given up, told, redriven, archived",
        archiving.dead_letter,
        Usage(calls=1, media=2),
    ),
    Step(
        "rotate-creatify",
        "Secrets Manager rotates the token in Creatify's URL",
        "the new and the old URL take calls",
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
        "ThrottleRate is 2, and 60 calls come at once",
        "429s; each call that was answered 200 is stored",
        receiving.throttling,
        Usage(calls=10 * receiving.BURST, deploys=2),
    ),
    Step(
        "layer",
        "another layer is deployed while calls come at a steady pace",
        "each is answered 200, or when it is made again",
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
        "the table and the bucket stay, and nothing else",
        deploying.delete,
        Usage(deploys=1),
    ),
    Step(
        "again",
        "sam deploy under the same name",
        "the stack is created, and takes a call",
        deploying.deploy_again,
        Usage(calls=1, deploys=1),
        stack=False,
    ),
)
