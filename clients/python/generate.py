"""Writes the generated part of the package: messages, their types, and the clients' methods.

Usage: generate.py PROTO_DIR OUT_DIR. `cargo xtask codegen` runs it, and `cargo xtask test` compares
what it writes with what is committed, so that a wheel is built without any compiler.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from google.protobuf import descriptor_pb2 as pb

PACKAGE = "foreword.v1"
HEAD = '"""Written by generate.py: change the .proto files instead."""\n'

class Rpc(NamedTuple):
    """A method of the contract."""

    name: str
    path: str
    request: str
    response: str
    repeatable: bool
    kind: str
    comment: str


KINDS = {(False, False): "unary", (False, True): "stream_of_one", (True, True): "stream"}


def main() -> None:
    protos, out = Path(sys.argv[1]), Path(sys.argv[2])
    files = compile_protos(protos, out)
    (out / "v1" / "__init__.py").write_text(messages(files))
    (out / "_methods.py").write_text(methods(files))


def compile_protos(protos: Path, out: Path) -> list[pb.FileDescriptorProto]:
    """Runs protoc; the files of the contract, with their comments."""
    names = sorted(str(path.relative_to(protos)) for path in protos.glob("foreword/v1/*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        described = Path(folder) / "descriptor.bin"
        generated = Path(folder) / "out"
        generated.mkdir()
        arguments = [f"-I{protos}", "--include_source_info", f"--descriptor_set_out={described}"]
        arguments += [f"--python_out={generated}", f"--pyi_out={generated}"]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments, *names], check=True)
        (out / "v1").mkdir(parents=True, exist_ok=True)
        for path in sorted((generated / "foreword" / "v1").iterdir()):
            (out / "v1" / path.name).write_bytes(path.read_bytes())
        return list(pb.FileDescriptorSet.FromString(described.read_bytes()).file)


def messages(files: list[pb.FileDescriptorProto]) -> str:
    """`foreword.v1`: every message and enum under one name."""
    lines, names = [], []
    for file in files:
        module = file.name.removesuffix(".proto").replace("/", ".") + "_pb2"
        found = sorted([*(it.name for it in file.message_type), *(it.name for it in file.enum_type)])
        if found:
            lines.append(f"from {module} import (\n" + "".join(f"    {name},\n" for name in found) + ")\n")
        names += found
    exported = "".join(f'    "{name}",\n' for name in sorted(names))
    return f"{HEAD}\n{''.join(lines)}\n__all__ = [\n{exported}]\n"


def methods(files: list[pb.FileDescriptorProto]) -> str:
    """`foreword._methods`: each method of the contract, once for each client."""
    rpcs = [rpc for file in files for rpc in rpcs_of(file)]
    constants = "".join(
        f"_{rpc.name.upper()} = Method(\n"
        f'    "{rpc.path}",\n    v1.{rpc.request},\n    v1.{rpc.response},\n    repeatable={rpc.repeatable},\n)\n'
        for rpc in rpcs
    )
    imports = (
        "from __future__ import annotations\n\n"
        "from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator\n\n"
        "from foreword import v1\n"
        "from foreword._calls import AsyncCalls, Calls, Metadata, Method\n\n"
    )
    classes = [
        "class Methods(Calls):\n"
        '    """The methods of the contract. Without a `timeout`, in seconds, the client\'s counts."""\n',
        *(method(rpc, is_async=False) for rpc in rpcs),
        "\n\nclass AsyncMethods(AsyncCalls):\n"
        '    """The same for asyncio."""\n',
        *(method(rpc, is_async=True) for rpc in rpcs),
    ]
    return f"{HEAD}\n{imports}{constants}\n\n{''.join(classes)}"


def rpcs_of(file: pb.FileDescriptorProto) -> Iterator[Rpc]:
    comments = {tuple(it.path): it.leading_comments for it in file.source_code_info.location}
    for place, service in enumerate(file.service):
        for number, rpc in enumerate(service.method):
            yield Rpc(
                name=re.sub(r"(?<=[a-z])(?=[A-Z])", "_", rpc.name).lower(),
                path=f"/{PACKAGE}.{service.name}/{rpc.name}",
                request=rpc.input_type.removeprefix(f".{PACKAGE}."),
                response=rpc.output_type.removeprefix(f".{PACKAGE}."),
                repeatable=rpc.options.idempotency_level != pb.MethodOptions.IDEMPOTENCY_UNKNOWN,
                kind=KINDS[rpc.client_streaming, rpc.server_streaming],
                comment=comments[6, place, 2, number],
            )


def method(rpc: Rpc, *, is_async: bool) -> str:
    takes, gives, head, given = f"request: v1.{rpc.request}", f"v1.{rpc.response}", "def", "request"
    if rpc.kind != "unary":
        gives = f"{'Async' if is_async else ''}Iterator[{gives}]"
    elif is_async:
        head = "async def"
    if rpc.kind == "stream":
        either = f" | AsyncIterable[v1.{rpc.request}]" if is_async else ""
        takes, given = f"requests: Iterable[v1.{rpc.request}]{either}", "requests"
    wait = "await " if head == "async def" else ""
    lines = [line.strip() for line in rpc.comment.strip().splitlines()]
    text = "\n        ".join(lines)
    # A summary alone needs no line of its own for the end.
    end = "" if len(lines) == 1 else "\n        "
    return (
        f"\n    {head} {rpc.name}(\n        self, {takes}, *, timeout: float | None = None, metadata: Metadata = ()\n"
        f"    ) -> {gives}:\n"
        f'        """{text}{end}"""\n'
        f"        return {wait}self._{rpc.kind}(_{rpc.name.upper()}, {given}, timeout, metadata)\n"
    )


if __name__ == "__main__":
    main()
