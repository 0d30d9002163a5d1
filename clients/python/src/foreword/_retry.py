"""When a call is made again.

gRPC's own retries do not read `google.rpc.RetryInfo`, by which the service says how long to wait, so
this is done here, once for both clients. Only methods are tried again whose request may be sent
twice, as the contract says: events carry their ids, so one that was stored counts once.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from foreword._errors import DeadlineExceededError, ForewordError, ResourceExhaustedError, UnavailableError


@dataclass(frozen=True)
class Retry:
    """How often a call is made, and how long it waits between; within the call's timeout in any case."""

    attempts: int = 5
    """The most attempts of one call; 1 never tries again."""
    first_wait: float = 0.1
    """Seconds before the second attempt; then twice as long each time."""
    longest_wait: float = 2.0
    """The most seconds before an attempt, unless the service says a longer time."""
    attempt_part: float = 0.5
    """The part of the timeout that one attempt may take, so that there is time to ask another replica
    when one hangs; 1 leaves all of it to the first.
    """

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first_wait <= 0 or self.longest_wait < self.first_wait:
            raise ValueError(f"{self}: expected attempts >= 1 and 0 < first_wait <= longest_wait")
        if not 0 < self.attempt_part <= 1:
            raise ValueError(f"{self}: expected 0 < attempt_part <= 1")


class Tries:
    """The attempts of one call."""

    def __init__(self, retry: Retry, repeatable: bool, timeout: float) -> None:
        self._retry = retry
        self._left = retry.attempts if repeatable else 1
        self._wait = retry.first_wait
        self._longest = timeout * retry.attempt_part
        self._deadline = self._attempt_ends = time.monotonic() + timeout

    def attempt_timeout(self) -> float:
        """Seconds that the attempt that begins now may take."""
        now = time.monotonic()
        self._attempt_ends = min(self._deadline, now + self._longest) if self._left > 1 else self._deadline
        return max(self._attempt_ends - now, 0.0)

    def wait_after(self, error: ForewordError) -> float | None:
        """Seconds until the next attempt; `None` if there is none."""
        self._left -= 1
        now = time.monotonic()
        if self._left == 0:
            return None
        if isinstance(error, DeadlineExceededError):
            # Its part of the time was wait enough.
            return 0.0 if self._attempt_ends <= now < self._deadline else None
        may_help = isinstance(error, UnavailableError) or (
            isinstance(error, ResourceExhaustedError) and error.retry_after is not None
        )
        if not may_help:
            return None
        # A random part less, so that clients that failed together do not come back together; never
        # sooner than the service says.
        wait = max(self._wait * random.uniform(0.5, 1.0), error.retry_after or 0.0)
        self._wait = min(self._wait * 2, self._retry.longest_wait)
        return wait if now + wait < self._deadline else None
