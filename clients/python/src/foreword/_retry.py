"""When a call is made again.

gRPC's own retries do not read `google.rpc.RetryInfo`, by which the service says how long to wait, so
this is done here, once for both clients. Only methods are tried again whose request may be sent
twice, as the contract says: events carry their ids, so one that was stored counts once.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from foreword._errors import ForewordError, ResourceExhaustedError, UnavailableError


@dataclass(frozen=True)
class Retry:
    """How often a call is made, and how long it waits between; within the call's timeout in any case."""

    attempts: int = 5
    """The most attempts of one call; 1 never tries again."""
    first_wait: float = 0.1
    """Seconds before the second attempt; then twice as long each time."""
    longest_wait: float = 2.0
    """The most seconds before an attempt, unless the service says a longer time."""

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first_wait <= 0 or self.longest_wait < self.first_wait:
            raise ValueError(f"{self}: expected attempts >= 1 and 0 < first_wait <= longest_wait")


class Tries:
    """The attempts of one call."""

    def __init__(self, retry: Retry, repeatable: bool, timeout: float) -> None:
        self._retry = retry
        self._left = retry.attempts if repeatable else 1
        self._wait = retry.first_wait
        self._deadline = time.monotonic() + timeout

    def time_left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.0)

    def wait_after(self, error: ForewordError) -> float | None:
        """Seconds until the next attempt; `None` if there is none."""
        self._left -= 1
        may_help = isinstance(error, UnavailableError) or (
            isinstance(error, ResourceExhaustedError) and error.retry_after is not None
        )
        if self._left == 0 or not may_help:
            return None
        # A random part less, so that clients that failed together do not come back together; never
        # sooner than the service says.
        wait = max(self._wait * random.uniform(0.5, 1.0), error.retry_after or 0.0)
        self._wait = min(self._wait * 2, self._retry.longest_wait)
        return wait if wait < self.time_left() else None
