"""Where the service is, and how it is reached: addresses, TLS, credentials, options of the channel."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

import grpc

from foreword._calls import Metadata

Token = str | Callable[[], str]
"""An API key or a JSON Web Token, or a function that returns the one to show now."""

OPTIONS: list[tuple[str, int | str]] = [
    # A replica that falls silent, and whose machine does not close the connection, is left within 15
    # seconds, between calls too. The service takes 100 such frames a second of a connection
    # (`transport.control_frames_per_second`).
    ("grpc.keepalive_time_ms", 10_000),
    # For what was sent to arrive, and for the answer to a ping; without the latter it is a minute.
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A service that was away is asked again within a second of its return, not after minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # In spite of its name, this is how long a connection may take to come about.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # All addresses of a name are asked in turn, such as the replicas behind a headless Service.
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
]


@dataclass(frozen=True, kw_only=True)
class Tls:
    """TLS; everything is PEM. With a certificate and its key, it is mutual."""

    authorities: bytes | None = None
    """Whom the service's certificate must be of; `None`: those that gRPC trusts by itself."""
    certificate: bytes | None = None
    """The client's certificate, with its chain."""
    key: bytes | None = None
    """The key of that certificate."""
    name: str | None = None
    """The name that the service's certificate must have; `None`: the host of the address."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a certificate needs its key, and a key its certificate: give both or none")

    def credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(self.authorities, self.key, self.certificate)

    def options(self) -> list[tuple[str, int | str]]:
        return [("grpc.ssl_target_name_override", self.name)] if self.name else []

    def __repr__(self) -> str:
        # A key must not come into a log.
        return f"Tls(name={self.name!r}, mutual={self.key is not None})"


def check(target: str, tls: Tls | None, token: Token | None) -> None:
    """Refuses a token that others on the way could read."""
    if token is not None and tls is None and not is_this_machine(target):
        raise ValueError(f"a token for {target} would travel in plaintext: give tls=Tls(…)")


def is_this_machine(target: str) -> bool:
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    host = target.rsplit("/", 1)[-1].rsplit(":", 1)[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def with_token(metadata: Metadata, token: Token | None) -> tuple[tuple[str, str | bytes], ...]:
    if token is None:
        return tuple(metadata)
    shown = token if isinstance(token, str) else token()
    return (*metadata, ("authorization", f"Bearer {shown}"))
