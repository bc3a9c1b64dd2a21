"""`sam deploy`, an update and `sam delete` by a user of the emulated AWS with only the deployer's policies.

The emulator checks IAM for each call of `sam`, but not for what its CloudFormation does:
tests/template/test_deployer_policy.py compares the policies with the resource types.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from local import emulator, ports, processes
from local.deploy import LOCAL_PARAMETERS, SAM, build
from local.examples.packaging import environment
from local.stack import ROOT

POLICIES = sorted((ROOT / "examples/deployer-policy").glob("*.json"))
BUCKET = "aws-sam-cli-managed-default-samclisourcebucket-1"  # like SAM's own bucket, whose policy requires TLS


def findings(folder: Path) -> Iterator[str]:
    """What the user could not do, or could do but should not, a line each."""
    template = build(folder)
    port = ports.free()
    aws = emulator.start(folder, port)
    try:
        emulator.wait_until_ready(folder, port)
        aws.s3.create_bucket(Bucket=BUCKET)
        aws.iam.create_user(UserName="deployer")
        for path in POLICIES:
            document = json.dumps(json.loads(path.read_text()))
            made = aws.iam.create_policy(PolicyName=path.stem, PolicyDocument=document)
            aws.iam.attach_user_policy(UserName="deployer", PolicyArn=made["Policy"]["Arn"])
        key = aws.iam.create_access_key(UserName="deployer")["AccessKey"]
        settings = environment(aws.endpoint_url, folder)
        settings |= {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

        def sam(*words: str) -> str:
            """The error, if there is one."""
            done = subprocess.run(
                [str(SAM), *words],
                cwd=ROOT,
                env=settings,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            errors = [line for line in (done.stdout + done.stderr).splitlines() if "rror" in line]
            return (errors or ["no reason given"])[-1] if done.returncode else ""

        def deploy(stack: str, days: int) -> str:
            architecture = f"Architecture={LOCAL_PARAMETERS['Architecture']}"
            names = ["--template-file", str(template), "--stack-name", stack, "--s3-bucket", BUCKET]
            options = ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
            return sam("deploy", *names, *options, "--parameter-overrides", architecture, f"RetentionDays={days}")

        tried = {
            "deploy": deploy("dailies", 90),
            "update": deploy("dailies", 30),
            "delete": sam("delete", "--stack-name", "dailies", "--no-prompts", "--region", emulator.REGION),
        }
        yield from (f"deployer: {what}: {problem}" for what, problem in tried.items() if problem)
        if "AccessDenied" not in (refusal := deploy("another", 90)):
            yield f"deployer: another stack is not refused: {refusal or 'it is there'}"
    finally:
        processes.end(emulator.NAME, folder)
