"""When the fake server has too many requests."""

from __future__ import annotations

import math
import time

from fake_replies import Behaviour
from fake_wire import Sending, error_body


class Limits:
    """At most so many completions at a time, and so many a minute."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._tokens, self._filled = max(behaviour.rpm / 60, 1.0), time.monotonic()

    def refusal(self, in_flight: int) -> Sending | None:
        """The answer to a request over a limit; `in_flight` counts it too."""
        behaviour = self._behaviour
        if behaviour.limit_inflight and in_flight > behaviour.limit_inflight:
            body = error_body("too many requests at a time", "rate_limit_exceeded")
            return Sending("limit_inflight", body, 429)
        seconds = self._seconds_to_wait()
        if seconds <= 0:
            return None
        body = error_body("too many requests per minute", "rate_limit_exceeded")
        return Sending("rpm", body, 429, {"Retry-After": str(math.ceil(seconds))})

    def _seconds_to_wait(self) -> float:
        """Until the rate allows a request: a bucket of a second's worth, refilled all the time."""
        rate = self._behaviour.rpm / 60
        if not rate:
            return 0.0
        now = time.monotonic()
        self._tokens = min(max(rate, 1.0), self._tokens + (now - self._filled) * rate)
        self._filled = now
        if self._tokens < 1:
            return (1 - self._tokens) / rate
        self._tokens -= 1
        return 0.0
