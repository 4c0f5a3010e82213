"""How fast an endpoint is asked, against servers that exist only in simulated time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from model_material import run_in_no_time

from pipeline.model.pace import Pace, Turn

Clock = Callable[[], float]


@dataclass
class Server:
    """Takes `most` requests at a time and refuses the rest at once, `throttled` of all others by chance.

    `seconds` an answer takes, by the number in flight. `down` is when it refuses all.
    """

    most: int = 1_000_000
    throttled: float = 0.0
    seconds: Callable[[int], float] = lambda in_flight: 1.0
    wait_seconds: float = 0.0
    down: tuple[float, float] = (0.0, 0.0)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    in_flight: int = 0
    answered: int = 0
    refused: int = 0
    limits: list[float] = field(default_factory=list)
    seconds_in_flight: float = 0.0
    seconds_in_all: float = 0.0

    async def ask(self, pace: Pace, clock: Clock) -> None:
        """Until there is an answer."""
        while True:
            turn = await pace.turn()
            is_down = self.down[0] <= clock() < self.down[1]
            if is_down or self.in_flight >= self.most or self.chance.random() < self.throttled:
                self.refused += 1
                await asyncio.sleep(0.02)
                turn.end("throttled", wait_seconds=self.wait_seconds)
                await asyncio.sleep(0.5)
                continue
            self.in_flight += 1
            seconds = self.seconds(self.in_flight) * self.chance.uniform(0.8, 1.2)
            self.seconds_in_flight += seconds
            await asyncio.sleep(seconds)
            self.in_flight -= 1
            self.answered += 1
            turn.end("ok")
            self.limits.append(pace.limit)
            return

    def work_off(self, requests: int, most_in_flight: int) -> Server:
        """Ask it so often as fast as the pace allows."""

        async def main(clock: Clock) -> None:
            pace = Pace(most_in_flight, clock=clock)
            await asyncio.gather(*(self.ask(pace, clock) for _ in range(requests)))
            assert pace.in_flight == 0
            self.seconds_in_all = clock()

        run_in_no_time(main)
        return self

    @property
    def mean_in_flight(self) -> float:
        return self.seconds_in_flight / self.seconds_in_all

    @property
    def refused_share(self) -> float:
        return self.refused / (self.refused + self.answered)


# The number in flight


@pytest.mark.parametrize(("most", "first"), [(1, 1), (4, 4), (8, 8), (64, 8)])
def test_starts_low(most: int, first: int) -> None:
    async def main(clock: Clock) -> int:
        pace = Pace(most, clock=clock)
        tasks = [asyncio.create_task(pace.turn()) for _ in range(100)]
        await asyncio.sleep(10)
        in_flight = pace.in_flight
        for task in tasks:
            task.cancel()
        return in_flight

    assert run_in_no_time(main) == first


@pytest.mark.parametrize("most", [1, 8, 64, 256])
def test_rises_to_the_most_when_all_goes_well(most: int) -> None:
    server = Server().work_off(20 * most, most)
    assert server.limits[-1] == most
    assert server.limits[4 * most] == most  # soon
    assert server.mean_in_flight > 0.7 * most
    assert server.refused == 0


@pytest.mark.parametrize("wait_seconds", [0.0, 1.0])
@pytest.mark.parametrize("most", [3, 8, 20, 50])
def test_finds_how_many_a_server_takes(most: int, wait_seconds: float) -> None:
    server = Server(most, wait_seconds=wait_seconds).work_off(80 * most, 128)
    assert server.mean_in_flight >= 0.7 * most
    assert server.refused_share < 0.15


@pytest.mark.parametrize("most", [16, 32, 64])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_single_refusals_by_chance_change_nothing(most: int, seed: int) -> None:
    server = Server(throttled=0.05, chance=random.Random(seed)).work_off(50 * most, most)
    reached = server.limits.index(most)
    assert reached < 8 * most
    assert min(server.limits[reached:]) >= 0.8 * most


def test_falls_when_answers_take_longer_the_more_are_asked() -> None:
    server = Server(seconds=lambda in_flight: max(1.0, in_flight / 8)).work_off(4000, 128)
    assert max(server.limits[2000:]) < 0.6 * 128
    # All the same it is kept busy: 8 answers a second are the most that it gives.
    assert 4000 / server.seconds_in_all > 0.9 * 8


def test_falls_when_a_server_has_less_to_give_than_before() -> None:
    server = Server()

    def seconds(in_flight: int) -> float:
        return max(1.0, in_flight / (128 if server.answered < 1500 else 8))

    server.seconds = seconds
    server.work_off(4000, 128)
    assert max(server.limits[:1500]) == 128
    assert server.limits[-1] < 0.5 * 128


def test_one_at_a_time_never_pauses_for_slow_answers() -> None:
    server = Server()

    def seconds(in_flight: int) -> float:
        return 1.0 if server.answered < 100 else 8.0

    server.seconds = seconds
    server.work_off(300, 1)
    assert server.mean_in_flight == pytest.approx(1.0)


def test_does_not_fall_when_answers_take_longer_whatever_is_asked() -> None:
    began: list[float] = []

    def seconds(in_flight: int) -> float:
        began.append(0.0)
        return 1.0 if len(began) < 500 else 8.0

    server = Server(seconds=seconds).work_off(3000, 32)
    assert min(server.limits[-200:]) >= 0.8 * 32


def test_comes_back_after_the_server_was_down() -> None:
    server = Server(down=(20.0, 50.0)).work_off(4000, 64)
    assert server.refused < 300  # hardly asked while it was down
    assert server.limits[-1] >= 0.5 * 64
    assert server.seconds_in_all < 260  # what is known of its limit is not forgotten at once


def test_many_late_answers_lower_the_number_as_refusals_do() -> None:
    async def main(clock: Clock) -> float:
        pace = Pace(32, clock=clock)
        for _ in range(8):
            (await pace.turn()).end("throttled")
        return pace.limit

    assert run_in_no_time(main) < 8


def test_other_failures_change_nothing() -> None:
    async def main(clock: Clock) -> float:
        pace = Pace(32, clock=clock)
        for _ in range(100):
            (await pace.turn()).end("failed")
        return pace.limit

    assert run_in_no_time(main) == 8


# Turns


def begun(pace: Pace, clock: Clock, order: list[int], tokens: list[int]) -> list[asyncio.Task[Turn]]:
    """Tasks that ask for a turn, one after the other, and note that they got it."""

    async def one(number: int) -> Turn:
        turn = await pace.turn(tokens[number])
        order.append(number)
        return turn

    return [asyncio.create_task(one(number)) for number in range(len(tokens))]


def test_first_come_first_served() -> None:
    async def main(clock: Clock) -> list[int]:
        pace, order = Pace(1, tokens_per_minute=60_000, clock=clock), list[int]()
        tasks = begun(pace, clock, order, [2000, 5, 9000, 1, 50])
        for task in tasks:
            turn = await task
            await asyncio.sleep(1)
            turn.end("ok", turn.tokens)
        return order

    assert run_in_no_time(main) == [0, 1, 2, 3, 4]


def test_who_is_cancelled_leaves_its_place_to_others() -> None:
    async def main(clock: Clock) -> list[int]:
        pace, order = Pace(2, clock=clock), list[int]()
        tasks = begun(pace, clock, order, [0] * 6)
        await asyncio.sleep(1)
        tasks[2].cancel()  # waits
        tasks[4].cancel()
        (await tasks[0]).end("ok")  # 3 has its turn and does not know yet
        tasks[3].cancel()
        await asyncio.sleep(1)
        (await tasks[1]).end("ok")
        (await tasks[5]).end("ok")
        assert pace.in_flight == 0
        return order

    assert run_in_no_time(main) == [0, 1, 5]


def test_others_need_not_wait_for_the_tokens_of_a_cancelled_one() -> None:
    async def main(clock: Clock) -> float:
        pace, order = Pace(8, tokens_per_minute=6000, clock=clock), list[int]()
        tasks = begun(pace, clock, order, [300, 300, 10])
        await asyncio.sleep(1)
        tasks[1].cancel()
        await tasks[2]
        return clock()

    assert run_in_no_time(main) == pytest.approx(1.0)  # 300 more would be there after three seconds


def test_a_small_request_does_not_overtake_a_large_one() -> None:
    async def main(clock: Clock) -> list[int]:
        pace, order = Pace(8, tokens_per_minute=6000, clock=clock), list[int]()
        tasks = begun(pace, clock, order, [200, 250, 10])
        await asyncio.gather(*tasks)
        return order

    assert run_in_no_time(main) == [0, 1, 2]


def test_a_pause_is_kept_by_all() -> None:
    async def main(clock: Clock) -> list[float]:
        pace = Pace(8, clock=clock)
        turns = [await pace.turn() for _ in range(8)]
        for turn in turns:
            turn.end("throttled", wait_seconds=30.0)
        at = []
        for _ in range(3):
            await pace.turn()
            at.append(clock())
        return at

    assert run_in_no_time(main) == pytest.approx([30.0, 30.0, 30.0])


def test_nobody_pauses_for_longer_than_a_minute() -> None:
    async def main(clock: Clock) -> float:
        pace = Pace(8, clock=clock)
        for turn in [await pace.turn() for _ in range(8)]:
            turn.end("throttled", wait_seconds=9999.0)
        await pace.turn()
        return clock()

    assert run_in_no_time(main) == pytest.approx(60.0)


# Requests and tokens a minute


def most_in_a_minute(sent: list[tuple[float, float]]) -> float:
    """The most of what was sent within any minute."""
    return max(sum(amount for at, amount in sent if start <= at < start + 59.999) for start, _ in sent)


@pytest.mark.parametrize("per_minute", [1, 5, 60, 600])
def test_requests_a_minute(per_minute: int) -> None:
    count = max(3, 4 * per_minute)

    async def main(clock: Clock) -> list[tuple[float, float]]:
        pace, sent = Pace(16, requests_per_minute=per_minute, clock=clock), []
        for _ in range(count):
            turn = await pace.turn()
            sent.append((clock(), 1.0))
            asyncio.get_running_loop().call_later(0.5, turn.end, "ok")
        return sent

    sent = run_in_no_time(main)
    assert most_in_a_minute(sent) <= per_minute
    assert sent[-1][0] <= 1.15 * 60 * (count - 1) / per_minute  # not much slower than it may be


@pytest.mark.parametrize(
    ("estimated", "real"),
    [(1000, 1000), (1000, 300), (300, 1000), (10_000, 2000)],
    ids=["as estimated", "given back", "more than estimated", "more than a burst, given back"],
)
def test_tokens_a_minute(estimated: int, real: int) -> None:
    per_minute, count = 60_000, 300

    async def main(clock: Clock) -> list[tuple[float, float]]:
        pace, sent = Pace(8, tokens_per_minute=per_minute, clock=clock), []
        for _ in range(count):
            turn = await pace.turn(estimated)
            sent.append((clock(), float(real)))
            asyncio.get_running_loop().call_later(0.5, turn.end, "ok", real)
        return sent

    sent = run_in_no_time(main)
    # Of those in flight nobody knows yet that they take more; nor can half a request be sent.
    slack = max(0, real - estimated) * 8 + real
    assert most_in_a_minute(sent) <= per_minute + slack
    assert sent[-1][0] <= 1.2 * 60 * count * real / per_minute


def test_a_failed_request_gives_its_tokens_back() -> None:
    async def main(clock: Clock) -> float:
        pace = Pace(8, tokens_per_minute=60_000, clock=clock)
        for _ in range(50):
            (await pace.turn(3000)).end("failed", 0)
        return clock()

    assert run_in_no_time(main) == 0
