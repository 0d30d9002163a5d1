"""A browser calls the interop example through gRPC-Web, from a page of another origin.

The page calls by fetch and reads the trailers out of the body. From an origin that the server
lists all calls have an answer; from one that it does not, the browser lets none through. Over
plaintext browsers speak HTTP/1.1, over TLS HTTP/2. Needs Chromium.
"""

import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from served import Security, Served, parser, serve, skip

PAGE = "browser_page.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
# A cold start of a browser on a busy machine.
TIMEOUT_SECONDS = 120


class Pages(http.server.SimpleHTTPRequestHandler):
    """Hands out this folder, silently."""

    def log_message(self, *_):
        pass


def find_browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def start_pages() -> http.server.ThreadingHTTPServer:
    handler = functools.partial(Pages, directory=str(Path(__file__).parent))
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    return pages


def origins(pages: http.server.HTTPServer) -> tuple[str, str]:
    """The same pages under two names, that is, two origins."""
    port = pages.server_address[1]
    return f"http://localhost:{port}", f"http://127.0.0.1:{port}"


def open_page(browser: str, origin: str, served: Served) -> dict:
    """What the page found, as a browser of its own, with an empty profile, shows it."""
    scheme = "http" if served.security is Security.PLAINTEXT else "https"
    address = f"{origin}/{PAGE}?server={scheme}://{served.target}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        more = [f"--user-data-dir={profile}", "--virtual-time-budget=60000", "--dump-dom", address]
        if served.security is not Security.PLAINTEXT:
            # The browser would have to be taught the development authority.
            more.insert(0, "--ignore-certificate-errors")
        command = [browser, *FLAGS, *more]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True)
    found = re.search(r'<pre id="result">(.+?)</pre>', ran.stdout)
    assert "<title>done</title>" in ran.stdout and found, f"the page did not finish: {ran.stdout[-500:]}"
    return json.loads(html.unescape(found[1]))


def zeros(count: int) -> list[int]:
    """A response with that many zeros: payload = {body: …}."""
    return [10, count + 2, 18, count] + [0] * count


def check_listed(found: dict) -> None:
    for name, messages in {"empty": [[]], "unary": [zeros(3)], "stream": [zeros(1), zeros(2)]}.items():
        call = found[name]
        assert call.get("messages") == messages, f"{name}: {call}, expected {messages}"
        assert call["trailers"]["grpc-status"] == "0", f"{name}: {call}, expected status 0"
        assert call["echo"] == "from the page", f"{name}: {call}, expected its header back"
    for name, code, message in (("missing", "5", "no"), ("unimplemented", "12", None)):
        call = found[name]
        # A call without messages may have its status in the headers.
        trailers = call.get("trailers") or {"grpc-status": call.get("status"), "grpc-message": call.get("message")}
        assert trailers["grpc-status"] == code, f"{name}: {call}, expected status {code}"
        assert message in (None, trailers["grpc-message"]), f"{name}: {call}, expected {message!r}"


def check_unlisted(found: dict) -> None:
    for name, call in found.items():
        assert call == {"error": "TypeError: Failed to fetch"}, f"{name}: {call}, expected no answer"


def main() -> None:
    server = parser(__doc__).parse_args().server
    if (browser := find_browser()) is None:
        # `.ci/run` installs one where it can.
        skip("gRPC-Web in a browser", "there is no Chromium", missing="data")
        return
    with start_pages() as pages:
        listed, unlisted = origins(pages)
        for security in (Security.PLAINTEXT, Security.TLS):
            with serve(server, security, "--allow-origin", listed) as served:
                check_listed(open_page(browser, listed, served))
                check_unlisted(open_page(browser, unlisted, served))
            print(f"{security.value}: a listed origin is answered, another one is not")
        pages.shutdown()


if __name__ == "__main__":
    main()
