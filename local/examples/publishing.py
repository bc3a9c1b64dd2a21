"""`sam publish` of the packaged template to a simulated Serverless Application Repository."""

import json
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from local.deploy import SAM
from local.examples.packaging import BUCKET, environment
from local.stack import ROOT, StackError

ANSWER = json.dumps({"applicationId": "arn:aws:serverlessrepo:us-east-1:123456789012:applications/dailies"}).encode()


def published(packaged: Path, folder: Path) -> dict[str, Any]:
    """The application that `sam publish` sends to the repository. Raises StackError if it fails."""
    requests: list[dict[str, Any]] = []

    class Repository(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(201)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Logs nothing."""

    with HTTPServer(("127.0.0.1", 0), Repository) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            command = [str(SAM), "publish", "--template", str(packaged), "--region", "us-east-1"]
            settings = environment(f"http://127.0.0.1:{server.server_port}", folder)
            done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)
        finally:
            server.shutdown()
            thread.join()
    if done.returncode or len(requests) != 1:
        raise StackError(f"`sam publish` failed: {done.stderr[-1000:]}")
    return requests[0]


def findings(packaged: Path, folder: Path) -> Iterator[str]:
    """The differences from the expected request, a line each."""
    application = published(packaged, folder)
    for name in ("licenseUrl", "readmeUrl"):
        if not application.get(name, "").startswith(f"s3://{BUCKET}/"):
            yield f"publish: {name} is {application.get(name)}, which is not where `sam package` has put it"
    if "AWS::Serverless::Function" not in application["templateBody"]:
        yield "publish: the template is not in it"
