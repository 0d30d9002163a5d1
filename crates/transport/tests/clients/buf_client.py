"""`buf curl` against the interop example: gRPC and gRPC-Web, by reflection.

buf knows nothing of the service but what reflection tells it. Needs buf, which is looked for
beside the Python that runs this, where `buf-bin` puts it, and then in PATH.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from served import Security, Served, parser, serve, skip

METHOD = "grpc.testing.TestService/UnaryCall"


def find_buf() -> str | None:
    beside = Path(sys.executable).parent / "buf"
    return str(beside) if beside.exists() else shutil.which("buf")


def run(buf: str, served: Served, protocol: str, request: dict) -> subprocess.CompletedProcess:
    arguments = [buf, "curl", "--protocol", protocol, "--data", json.dumps(request)]
    scheme = "http"
    if served.security is Security.PLAINTEXT:
        arguments.append("--http2-prior-knowledge")
    else:
        scheme = "https"
        arguments += ["--cacert", f"{served.certificates}/ca.pem"]
    if served.security is Security.MUTUAL_TLS:
        arguments += ["--cert", f"{served.certificates}/client.pem", "--key", f"{served.certificates}/client.key"]
    arguments.append(f"{scheme}://{served.target}/{METHOD}")
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)


def check(buf: str, served: Served, protocol: str) -> None:
    answered = run(buf, served, protocol, {"responseSize": 3})
    assert answered.returncode == 0, answered.stderr
    # Three zeros in base64.
    assert json.loads(answered.stdout) == {"payload": {"body": "AAAA"}}, answered.stdout

    status = {"code": 9, "message": "not the right time"}
    refused = run(buf, served, protocol, {"responseStatus": status})
    assert refused.returncode != 0, refused.stdout
    error = json.loads(refused.stderr)
    assert error == {"code": "failed_precondition", "message": "not the right time"}, error
    print(f"{protocol} over {served.security.value}: an answer and an error as expected")


def main() -> None:
    server = parser(__doc__).parse_args().server
    buf = find_buf()
    if buf is None:
        skip("buf curl", "there is no buf")
        return
    for security in Security:
        with serve(server, security) as served:
            for protocol in ("grpc", "grpcweb"):
                check(buf, served, protocol)


if __name__ == "__main__":
    main()
