"""gRPC's own interoperability clients for Python against the interop example.

Runs every case that the clients have, but those that need a Google account: the client on
threads and the one on asyncio, each case in a process of its own, over plaintext, over TLS,
and through Envoy to a server with mutual TLS. Prints a table.

`--client` is a folder with the packages `tests`, `tests_aio` and `src` of gRPC's source, as
`cargo xtask soak` lays it out. Besides grpcio they want google-auth and requests.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from proxied import find_envoy, proxy
from served import Security, Served, parser, serve, skip

CLIENTS = {"threads": "tests.interop.client", "asyncio": "tests_aio.interop.client"}
# These log in to Google.
WITH_ACCOUNT = {"compute_engine_creds", "oauth2_auth_token", "jwt_token_creds", "per_rpc_creds"}
LIST_CASES = "from tests.interop.methods import TestCase\nfor case in TestCase: print(case.value)"
CASE_SECONDS = 60


def list_cases(client: Path) -> list[str]:
    listed = subprocess.run([sys.executable, "-c", LIST_CASES], cwd=client, capture_output=True, text=True, check=True)
    cases = listed.stdout.split()
    assert WITH_ACCOUNT < set(cases), f"expected the cases with an account among {cases}"
    return [case for case in cases if case not in WITH_ACCOUNT]


def run_case(client: Path, module: str, case: str, served: Served) -> str | None:
    """Runs one case; gives what went wrong, if anything did."""
    arguments = [sys.executable, "-m", module, "--test_case", case]
    arguments += ["--server_host", "localhost", "--server_port", str(served.port)]
    environment = dict(os.environ)
    if served.security is Security.TLS:
        arguments += ["--use_tls", "true"]
        # The client knows the authority of gRPC's own tests, or the system's; this is the system's.
        environment["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = f"{served.certificates}/ca.pem"
    try:
        ran = subprocess.run(
            arguments, cwd=client, env=environment, capture_output=True, text=True, timeout=CASE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"did not end within {CASE_SECONDS} s"
    return None if ran.returncode == 0 else f"exit code {ran.returncode}: {ran.stderr[-2000:]}"


def print_table(cases: list[str], columns: list[str], outcomes: dict) -> None:
    width = max(map(len, cases))
    print("  ".join(["case".ljust(width), "client ", *columns]))
    for case in cases:
        for client in CLIENTS:
            words = ["FAILED" if outcomes[case, client, column] else "passed" for column in columns]
            cells = [word.ljust(len(column)) for word, column in zip(words, columns)]
            print("  ".join([case.ljust(width), client, *cells]).rstrip())


def start_servers(server: Path, running: contextlib.ExitStack) -> dict[str, Served]:
    """A server for each column of the table."""
    start = lambda security: running.enter_context(serve(server, security))
    served = {"plaintext": start(Security.PLAINTEXT), "TLS": start(Security.TLS)}
    if envoy := find_envoy():
        served["Envoy"] = running.enter_context(proxy(envoy, start(Security.MUTUAL_TLS)))
    else:
        skip("interop cases through Envoy", "there is no Envoy")
    return served


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--client", type=Path, required=True, help="folder of gRPC's Python clients")
    arguments = arguments.parse_args()
    cases = list_cases(arguments.client)
    outcomes = {}
    with contextlib.ExitStack() as running:
        served = start_servers(arguments.server, running)
        for case in cases:
            for client, module in CLIENTS.items():
                for column, server in served.items():
                    outcomes[case, client, column] = run_case(arguments.client, module, case, server)
    print_table(cases, list(served), outcomes)
    failed = {key: reason for key, reason in outcomes.items() if reason}
    for key, reason in failed.items():
        print(f"\n{', '.join(key)}: {reason}")
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} passed")
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
