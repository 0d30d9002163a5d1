"""Starts the interop example for a check, and stops it.

The other scripts here use it, and so can a reader: each takes `--server`, the path of the
example, and ends with an error at the first answer that is not as it should be.
"""

import argparse
import contextlib
import enum
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# How long the server may take to end after SIGTERM. Nothing is open then.
STOP_SECONDS = 20


class Security(enum.Enum):
    """How connections are secured."""

    PLAINTEXT = "plaintext"
    TLS = "TLS"
    MUTUAL_TLS = "mutual TLS"


@dataclass
class Served:
    """A running server."""

    port: int
    security: Security
    certificates: Path

    @property
    def target(self) -> str:
        return f"localhost:{self.port}"

    def pem(self, name: str) -> bytes:
        return (self.certificates / name).read_bytes()


@contextlib.contextmanager
def serve(server: Path, security: Security, *more: str) -> Iterator[Served]:
    """Runs the example on a free port, and expects it to end with 0 when asked to."""
    with tempfile.TemporaryDirectory() as folder:
        certificates = Path(folder)
        arguments = [str(server), *more]
        if security is not Security.PLAINTEXT:
            arguments += ["--write-certificates", folder]
            arguments += ["--tls-cert", f"{folder}/server.pem", "--tls-key", f"{folder}/server.key"]
        if security is Security.MUTUAL_TLS:
            arguments += ["--client-ca", f"{folder}/ca.pem"]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        try:
            line = process.stdout.readline()
            assert line.startswith("listening on "), f"expected an address, got {line!r}"
            yield Served(int(line.rsplit(":", 1)[1]), security, certificates)
            process.send_signal(signal.SIGTERM)
            code = process.wait(STOP_SECONDS)
            assert code == 0, f"the server ended with {code}, expected 0"
        finally:
            process.kill()
            process.wait()


def skip(name: str, reason: str, missing: str = "tool") -> None:
    """Says that a check was left out, where `cargo xtask` reads it. A missing "tool" fails
    continuous integration; "data" is what a machine may not be able to get."""
    line = f"{missing}: {name}: {reason}"
    print(f"skipped: {line}")
    if log := os.environ.get("FOREWORD_SKIP_LOG"):
        with open(log, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def parser(description: str) -> argparse.ArgumentParser:
    """Arguments that all checks have."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--server", type=Path, required=True, help="the interop example, built")
    return arguments
