"""Envoy between clients and the interop example: grpcio, `buf curl` and a browser call through it.

grpcio and buf speak gRPC, buf and the browser gRPC-Web, which Envoy translates. Towards the
server Envoy speaks plaintext, then mutual TLS.
"""

import tempfile

import grpc

import browser
import buf_client
import grpcio_client
from proxied import find_envoy, proxy
from served import Security, Served, parser, serve, skip


def check_grpcio(front: Served) -> None:
    with grpc.insecure_channel(front.target) as channel:
        grpcio_client.check_calls(channel)
        grpcio_client.check_health(channel)
        grpcio_client.check_reflection(channel)


def check_buf(front: Served) -> None:
    if (buf := buf_client.find_buf()) is None:
        skip("buf curl through Envoy", "there is no buf")
        return
    for protocol in ("grpc", "grpcweb"):
        buf_client.check(buf, front, protocol)


def main() -> None:
    server = parser(__doc__).parse_args().server
    if (envoy := find_envoy()) is None:
        skip("Envoy in between", "there is no Envoy")
        return
    if (chromium := browser.find_browser()) is None:
        skip("gRPC-Web in a browser through Envoy", "there is no Chromium")
    with browser.start_pages() as pages, tempfile.TemporaryDirectory() as out:
        grpcio_client.make_stubs(out)
        listed, unlisted = browser.origins(pages)
        for security in (Security.PLAINTEXT, Security.MUTUAL_TLS):
            with serve(server, security) as served, proxy(envoy, served, listed) as front:
                check_grpcio(front)
                check_buf(front)
                if chromium:
                    browser.check_listed(browser.open_page(chromium, listed, front))
                    browser.check_unlisted(browser.open_page(chromium, unlisted, front))
            print(f"Envoy, {security.value} to the server: as without it")
        pages.shutdown()


if __name__ == "__main__":
    main()
