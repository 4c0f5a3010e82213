"""How fast an endpoint is asked: requests in flight, requests and tokens a minute.

The number in flight rises while all goes well: with each answer up to where it first had to fall,
above that by one for each round of answers. It falls by a third when requests are told to wait more
often than chance would have it, or when answers take several times as long as they did.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from pipeline.errors import RunStopped

Ending = Literal["ok", "throttled", "failed"]

_FIRST_IN_FLIGHT = 8
_FALL = 0.7
# Each request told to wait adds 1 to a sum, each answer takes this away; at so much the number falls.
# It is the likelihood ratio of three in ten against one in twenty: one in twenty is chance and
# almost never gets there (once in some ten thousand), a full server does at once.
_PER_ANSWER = 0.17
_TOO_MANY = 5.0
# Of many that begin at once those told to wait end first: there must be so much of all in flight.
_TOO_MANY_SHARE = 0.15
# What is known of a server's limit is not given up at once, should all fail for a while.
_KNOWN_FADES = 0.8
_LEAST_ROUND = 20
_LEAST_RISE_ROUND = 50
# A round in which answers take so many times the best one's time is slow: the number rises no more.
_SLOW = 2.5
# After so many slow rounds it falls; where that does not make answers so much faster, it is not the
# number that makes them slow.
_SLOW_ROUNDS = 4
_FASTER = 0.85
_LONGEST_PAUSE_SECONDS = 60.0
# One at a time and still told to wait: so long nobody asks.
_LOWEST_PAUSE_SECONDS = 1.0
# A minute's allowance may be spent in bursts of so much of it.
_BURST = 0.05
_NEARLY = 1e-9


class Allowance:
    """So much in any minute, refilled steadily; may be overdrawn by what could not be known before."""

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._most = max(1.0, per_minute * _BURST)
        # A minute that begins with a burst must not see more than its allowance either.
        self._per_second = (per_minute - (self._most - 1)) / 60
        self._left = self._most
        self._clock = clock
        self._at = clock()

    def seconds_until(self, amount: float) -> float:
        """How long until `amount` can be taken; more than a burst is taken when the burst is full."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        missing = min(amount, self._most) - self._left
        return 0.0 if missing < _NEARLY else missing / self._per_second

    def take(self, amount: float) -> None:
        """Take it; a negative amount is given back."""
        self._left = min(self._most, self._left - amount)


class Turn:
    """A request that may go out now. Must be ended."""

    __slots__ = ("began", "pace", "tokens")

    def __init__(self, pace: Pace, tokens: int, began: float) -> None:
        self.pace, self.tokens, self.began = pace, tokens, began

    def end(self, ending: Ending, tokens: int | None = None, wait_seconds: float = 0.0) -> None:
        """Say how it went: `tokens` that it really took, `wait_seconds` that the endpoint asked for."""
        self.pace._end(self, ending, tokens, wait_seconds)


class Pace:
    """Turns for requests, first come, first served. Belongs to one event loop."""

    def __init__(
        self,
        most_in_flight: int,
        *,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most_in_flight = most_in_flight
        self.limit = float(min(most_in_flight, _FIRST_IN_FLIGHT))
        self.in_flight = 0
        self._clock = clock
        self._requests = None if requests_per_minute is None else Allowance(requests_per_minute, clock)
        self._tokens = None if tokens_per_minute is None else Allowance(tokens_per_minute, clock)
        self._waiting: deque[tuple[asyncio.Future[Turn], int]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._is_halted = False
        self._paused_until = 0.0
        self._known_limit = float("inf")
        self._refusals = 0.0
        self._best_seconds: float | None = None
        self._slow_rounds = 0
        self._fell_at_seconds: float | None = None
        self._new_round()

    def _new_round(self) -> None:
        self._round_began = self._clock()
        self._round_length = max(_LEAST_ROUND, self.limit)
        self._seconds: list[float] = []
        self._ended = 0

    def halt(self) -> None:
        """Give no more turns: those who wait get RunStopped, and so does who comes."""
        self._is_halted = True
        while self._waiting:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_exception(RunStopped("nothing more is asked"))

    async def turn(self, tokens: int = 0) -> Turn:
        """Wait until a request of about `tokens` tokens may go out. Raises RunStopped after `halt`."""
        if self._is_halted:
            raise RunStopped("nothing more is asked")
        if not self._waiting and self._seconds_until(tokens) == 0:
            return self._begin(tokens)
        future: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, tokens))
        self._let_go()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                future.result().end("failed", 0)
            else:
                self._let_go()  # those behind may be let go before the first one was
            raise

    def _seconds_until(self, tokens: int) -> float:
        """0 if a request may go now; infinite while others have to end first."""
        if self.in_flight >= max(1, int(self.limit)):
            return float("inf")
        seconds = max(0.0, self._paused_until - self._clock())
        if self._requests is not None:
            seconds = max(seconds, self._requests.seconds_until(1))
        if self._tokens is not None:
            seconds = max(seconds, self._tokens.seconds_until(tokens))
        return seconds

    def _begin(self, tokens: int) -> Turn:
        self.in_flight += 1
        if self._requests is not None:
            self._requests.take(1)
        if self._tokens is not None:
            self._tokens.take(tokens)
        return Turn(self, tokens, self._clock())

    def _let_go(self) -> None:
        """Give turns to those who wait, as far as may be; else come back when the time is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            future, tokens = self._waiting[0]
            if future.done():
                self._waiting.popleft()
                continue
            seconds = self._seconds_until(tokens)
            if seconds > 0:
                if seconds != float("inf"):
                    self._timer = asyncio.get_running_loop().call_later(seconds, self._let_go)
                return
            self._waiting.popleft()
            future.set_result(self._begin(tokens))

    def _end(self, turn: Turn, ending: Ending, tokens: int | None, wait_seconds: float) -> None:
        self.in_flight -= 1
        if self._tokens is not None and tokens is not None:
            self._tokens.take(tokens - turn.tokens)
        if ending == "ok":
            self._refusals = max(0.0, self._refusals - _PER_ANSWER)
        # Those that were under way when the number was last changed say nothing about the new one.
        if turn.began >= self._round_began:
            self._learn(turn, ending, wait_seconds)
        self._let_go()

    def _learn(self, turn: Turn, ending: Ending, wait_seconds: float) -> None:
        self._ended += 1
        if ending == "throttled":
            self._refusals += 1
            if self._refusals >= max(_TOO_MANY, _TOO_MANY_SHARE * self.limit):
                self._fall(wait_seconds)
                return
        elif ending == "ok":
            self._seconds.append(self._clock() - turn.began)
            self._rise()
        if self._ended >= self._round_length:
            self._look_at_times()

    def _rise(self) -> None:
        if self._slow_rounds:
            return
        is_known = self.limit < self._known_limit
        step = 1.0 if is_known else 1.0 / max(self.limit, _LEAST_RISE_ROUND)
        self.limit = min(float(self.most_in_flight), self.limit + step)

    def _fall(self, wait_seconds: float) -> None:
        pause = min(wait_seconds, _LONGEST_PAUSE_SECONDS)
        if self.limit > 1:
            limit = max(1.0, self.limit * _FALL)
            is_first = self._known_limit == float("inf")
            self._known_limit = limit if is_first else max(limit, self._known_limit * _KNOWN_FADES)
            self.limit = limit
        else:
            pause = max(pause, _LOWEST_PAUSE_SECONDS)
        self._paused_until = max(self._paused_until, self._clock() + pause)
        self._refusals = 0.0
        self._new_round()

    def _look_at_times(self) -> None:
        """At the end of a round: have answers become slow, and is it their number?"""
        median = statistics.median(self._seconds) if self._seconds else None
        self._new_round()
        if median is None:
            return
        best, before = self._best_seconds, self._fell_at_seconds
        is_in_vain = before is not None and median > _FASTER * before
        self._best_seconds = best = median if best is None or is_in_vain else min(best, median)
        self._fell_at_seconds = None
        self._slow_rounds = self._slow_rounds + 1 if median > _SLOW * best else 0
        if self._slow_rounds:
            self._known_limit = min(self._known_limit, self.limit)
        if self._slow_rounds >= _SLOW_ROUNDS:
            self._fell_at_seconds, self._slow_rounds = median, 1
            if self.limit > 1:
                self._fall(0.0)
