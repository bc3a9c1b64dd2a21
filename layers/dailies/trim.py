"""Takes out of a built layer what no function uses: python trim.py FOLDER. The layer's Makefile calls it.

botocore reads the whole description of a service to make its client, and the addresses of all services in all regions
to find one: most of a function's memory and of its cold start. Of the C runtime only the checksums are used; botocore
would load it for its signing wherever it finds that.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

# What the functions call. An operation that is missing here is an AttributeError in the end-to-end tests.
OPERATIONS = {
    "dynamodb": {"BatchGetItem", "GetItem", "PutItem", "Query"},
    "events": {"PutEvents"},
    "s3": {
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CreateMultipartUpload",
        "GetObject",
        "HeadObject",
        "ListParts",
        "PutObject",
    },
    "secretsmanager": {
        "DescribeSecret",
        "GetSecretValue",
        "PutSecretValue",
        "TagResource",
        "UntagResource",
        "UpdateSecretVersionStage",
    },
    "sqs": {"ChangeMessageVisibility", "SendMessage"},
}
RUNTIME_MODULE = "auth.py"  # of awscrt: botocore asks for this one first, and goes without the runtime where it is not

type Json = dict[str, Any]


def trim(layer: Path) -> None:
    """Trim the packages in this folder."""
    data = layer / "botocore" / "data"
    for folder in data.iterdir():
        if folder.is_dir() and folder.name not in OPERATIONS:
            shutil.rmtree(folder)
    for service, operations in OPERATIONS.items():
        *older, version = sorted((data / service).iterdir())  # named by their dates; clients are made of the newest
        for folder in older:
            shutil.rmtree(folder)
        described = version / "service-2.json.gz"
        model = json.loads(gzip.decompress(described.read_bytes()))
        described.write_bytes(gzip.compress(_compact(_only(model, operations)), mtime=0))
        for examples in version.glob("examples-1.json*"):
            examples.unlink()
    endpoints = data / "endpoints.json"
    addresses = json.loads(endpoints.read_text())
    for partition in addresses["partitions"]:
        partition["services"] = {name: at for name, at in partition["services"].items() if name in OPERATIONS}
    endpoints.write_bytes(_compact(addresses))
    (layer / "awscrt" / RUNTIME_MODULE).unlink()


def _only(model: Json, operations: set[str]) -> Json:
    """A service's description with these operations and the shapes that they speak of, without the prose."""
    missing = operations - model["operations"].keys()
    if missing:
        raise SystemExit(f"trim: no such operations: {', '.join(sorted(missing))}")
    model["operations"] = {name: model["operations"][name] for name in sorted(operations)}
    shapes: Json = {}
    waiting = [said["shape"] for operation in model["operations"].values() for said in _references(operation)]
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            waiting += [said["shape"] for said in _references(shapes[name])]
    model["shapes"] = shapes
    without_prose: Json = _without_prose(model)
    return without_prose


def _references(part: Json) -> list[Json]:
    """Where an operation or a shape names shapes."""
    direct = [part[key] for key in ("input", "output", "member", "key", "value") if key in part]
    return [*direct, *part.get("members", {}).values(), *part.get("errors", [])]


def _without_prose(part: Any) -> Any:
    if isinstance(part, dict):
        # empty, not absent: here and there botocore reads it
        return {name: "" if name == "documentation" else _without_prose(value) for name, value in part.items()}
    return [_without_prose(item) for item in part] if isinstance(part, list) else part


def _compact(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
