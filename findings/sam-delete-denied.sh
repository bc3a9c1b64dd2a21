#!/bin/sh
# `sam delete` looks for two stacks that nobody made. Who may not look for them is refused after the stack is gone, or, for
# the other one, before: a policy for one stack has to name three.
. "$(dirname "$0")/environment.sh"
install 'aws-sam-cli==1.170.0'

# CloudFormation with the stack `mine`, and AccessDenied for what the environment says.
"$PYTHON" -W ignore - "$FOLDER/env/bin/sam" >"$FOLDER/said" <<'PY'
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs

SPACE = 'xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"'
STACK = (
    "<Stacks><member><StackName>mine</StackName><StackStatus>CREATE_COMPLETE</StackStatus>"
    "<CreationTime>2026-11-30T00:00:00Z</CreationTime>"
    "<EnableTerminationProtection>false</EnableTerminationProtection></member></Stacks>"
)


def deleted(refused):
    called = []

    class CloudFormation(BaseHTTPRequestHandler):
        def do_POST(self):
            given = {name: value[0] for name, value in parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()).items()}
            action, name = given["Action"], given.get("StackName", "")
            called.append(action)
            if refused in name:
                return self.answer(403, f"<ErrorResponse {SPACE}><Error><Code>AccessDenied</Code><Message>{name}</Message></Error></ErrorResponse>")
            if action == "DescribeStacks" and (name != "mine" or "DeleteStack" in called):
                return self.answer(400, f"<ErrorResponse {SPACE}><Error><Code>ValidationError</Code><Message>Stack with id {name} does not exist</Message></Error></ErrorResponse>")
            body = {"DescribeStacks": STACK, "GetTemplate": "<TemplateBody>{\"Resources\": {}}</TemplateBody>"}.get(action, "")
            self.answer(200, f"<{action}Response {SPACE}><{action}Result>{body}</{action}Result></{action}Response>")

        def answer(self, status, body):
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), CloudFormation) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        environment = os.environ | {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "key", "NO_PROXY": "127.0.0.1", "SAM_CLI_TELEMETRY": "0",
        }
        command = [sys.argv[1], "delete", "--stack-name", "mine", "--no-prompts", "--region", "us-east-1", "--s3-bucket", "none"]
        code = subprocess.run(command, env=environment, capture_output=True).returncode
        server.shutdown()
    return f"ends with {code}, the stack is {'gone' if 'DeleteStack' in called else 'there'}"


for refused in ("WebFunctionCode", "CompanionStack", "nothing"):
    print(f"{refused}: {deleted(refused)}")
PY

expected="WebFunctionCode: ends with 1, the stack is gone
CompanionStack: ends with 1, the stack is there
nothing: ends with 0, the stack is gone"
[ "$(cat "$FOLDER/said")" = "$expected" ] || changed "$(cat "$FOLDER/said")"
seen "aws-sam-cli 1.170.0, refused DescribeStacks of mine-<hash>-WebFunctionCode: $(sed -n 's/^WebFunctionCode: //p' "$FOLDER/said")"
seen "aws-sam-cli 1.170.0, refused DescribeStacks of mine-<hash>-CompanionStack: $(sed -n 's/^CompanionStack: //p' "$FOLDER/said")"
