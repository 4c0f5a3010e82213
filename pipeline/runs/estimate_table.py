"""An estimate for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.model.prices import FREE, Price, Rates
from pipeline.runs.estimate import (
    Counted,
    Estimate,
    Money,
    estimate_run,
)
from pipeline.runs.progress import duration, money
from pipeline.runs.scaling import SEED, Figure
from pipeline.runs.session import ModelChoice, Spending, in_flight_of
from pipeline.runs.sources import Listing
from pipeline.terminal import error_console, out_console, plain, say

_FAILURES_SHOWN = 5
_NEXT_TO_NOTHING_USD = 0.00005


def show_estimate(
    listing: Listing, out: Path, choice: ModelChoice, spending: Spending, sample: int | None = None
) -> None:
    """Estimate a run and print it on standard output; how far the reading is goes to standard error.

    Raises what `estimate_run` raises.
    """
    with _reading(error_console()) as tell:
        estimate = estimate_run(listing, out, choice, spending, sample, tell)
    print_estimate(out_console(), estimate, choice, spending)


@contextmanager
def _reading(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Tells on a terminal how many documents were read."""
    with console.status("Reading documents to count what they ask …") as status:

        def tell(done: int, total: int) -> None:
            status.update(f"{done:,} of {total:,} documents read to count what they ask …")

        yield tell


def print_estimate(console: Console, estimate: Estimate, choice: ModelChoice, spending: Spending) -> None:
    """Documents, questions, tokens, money and time, and what each of them rests on."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for name, value in _rows(estimate, choice, spending):
        table.add_row(plain(name, "dim"), plain(value))
    console.print(table)
    counted = estimate.counted
    for failure in () if counted is None else counted.failures[:_FAILURES_SHOWN]:
        say(console, f"cannot be read: {failure.error}", "red")
    say(console, "Nobody was asked and nothing was written: leave out --dry-run to begin.", "bold")


def _rows(estimate: Estimate, choice: ModelChoice, spending: Spending) -> Iterator[tuple[str, str]]:
    yield "documents", _documents(estimate)
    counted = estimate.counted
    if counted is None:
        yield "model", "no model is asked: 0 USD"
        return
    if counted.read < estimate.to_read:
        yield (
            "sample",
            f"{counted.read:,} of {estimate.to_read:,} were read, drawn by lot (seed {SEED}); "
            "sums are scaled to all, in brackets their 95 % intervals",
        )
    if counted.failures:
        yield "unreadable", _unreadable(estimate, counted)
    yield from _asked(choice, counted)
    yield from _costs(counted, spending)
    yield "tokens by", counted.counted_by
    yield "time", "; ".join(_time(estimate, counted, choice, spending))
    yield "not in it", "requests that are repeated because they failed or their answers did not fit"


def _documents(estimate: Estimate) -> str:
    copies = estimate.to_do - estimate.to_read
    copied = f" ({copies:,} of them copies of others, read once)" if copies else ""
    return f"{estimate.to_do:,} to do{copied}, {estimate.done:,} done already"


def _unreadable(estimate: Estimate, counted: Counted) -> str:
    failed = len(counted.failures)
    if counted.read == estimate.to_read:
        return f"{failed:,}: they ask nothing and will be failed records"
    return f"{failed:,} of the {counted.read:,} read, about {failed / counted.read:.1%} of all"


def _asked(choice: ModelChoice, counted: Counted) -> Iterator[tuple[str, str]]:
    tokens = counted.tokens
    yield "ask a model", f"{_figure(counted.asking)} documents, {choice.name}, --strategy {choice.strategy}"
    stored = f"; {_figure(tokens['stored'])} more are answered already" if tokens["stored"].total else ""
    yield "calls", f"{_figure(tokens['calls'])}{stored}"
    yield "tokens read", _figure(tokens["read"])
    yield "  of these", f"{_figure(tokens['shared'])} a beginning read before: from a server's cache at best"
    if tokens["cached"] != tokens["shared"]:
        yield (
            "",
            f"{_figure(tokens['cached'])} likely from the cache: this endpoint puts the answer's schema "
            "first, and where schemas differ nothing is shared",
        )
    if tokens["schemas"].total:
        yield "", f"{_figure(tokens['schemas'])} the schemas of the answers, which not every server counts"
    yield "tokens written", f"{_figure(tokens['written'])}, about"
    if counted.thinking_tokens:
        most = counted.thinking_tokens * tokens["calls"].total
        yield (
            "thoughts",
            "cannot be known before, and are paid as written: at most "
            f"{counted.thinking_tokens:,} tokens a call, {most:,.0f} in all",
        )


def _costs(counted: Counted, spending: Spending) -> Iterator[tuple[str, str]]:
    if counted.price is None or counted.money is None:
        yield (
            "money",
            "no price is known of this model at this endpoint: give one with --prices FILE "
            "(in the form of pipeline/model/prices.yaml)",
        )
        return
    if counted.price == FREE:
        yield "money", "0 USD: it runs on this machine"
        return
    costs = counted.money
    yield "money", f"expected {_usd(costs.expected)}"
    yield "  at least", f"{_money(costs.low)}: every beginning from the cache, schemas not counted"
    yield "  at most", f"{_money(costs.high)}: nothing from a cache"
    if costs.thoughts:
        yield (
            "  thoughts",
            f"come on top: up to {_money(costs.thoughts)}, so at the very most "
            f"{_money(costs.high + costs.thoughts)}",
        )
    yield "prices", _price(counted.price, batch=spending.batch)
    if spending.budget_usd is not None:
        yield "budget", _budget(spending.budget_usd, costs)


def _price(price: Price, *, batch: bool) -> str:
    rates, kind = price.rates, ""
    if batch:
        rates, kind = (price.batch or price.rates), ", batch" if price.batch else ", no batch price is known"
    day = f"as of {price.as_of}, " if price.as_of else ""
    return f"{price.model}{kind}: {_rates(rates)} USD a million tokens; {day}{price.source}"


def _rates(rates: Rates) -> str:
    return f"{rates.input:g} read, {rates.cached_input:g} from the cache, {rates.output:g} written"


def _budget(limit_usd: float, costs: Money) -> str:
    limit = f"{limit_usd:g} USD"
    if costs.high + costs.thoughts <= limit_usd:
        return f"{limit} is enough in any case"
    if costs.expected.total > limit_usd:
        return f"{limit} is not enough for what is expected: the run will stop when it is used up"
    return f"{limit} is enough for what is expected, not for the most it may be"


def _time(estimate: Estimate, counted: Counted, choice: ModelChoice, spending: Spending) -> Iterator[str]:
    """What bounds the time from below. How long an answer takes only the server knows."""
    if counted.reading_seconds is not None:
        yield f"reading alone {duration(counted.reading_seconds)} here"
    calls = counted.tokens["calls"].total
    read_and_written = counted.tokens["read"].total + counted.tokens["written"].total
    if spending.requests_per_minute is not None:
        yield f"at least {duration(60 * calls / spending.requests_per_minute)} by --rpm"
    if spending.tokens_per_minute is not None:
        yield f"at least {duration(60 * read_and_written / spending.tokens_per_minute)} by --tpm"
    if calls and spending.batch:
        yield "answers come with a batch, within a day"
    elif calls:
        in_flight = in_flight_of(choice, spending)
        yield f"{duration(calls / in_flight)} for every second that an answer takes ({in_flight:,} at a time)"


def _figure(figure: Figure) -> str:
    """`128,000 (126,100–130,200)`."""
    if figure.low is None or figure.high is None:
        return f"{figure.total:,.0f}"
    return f"{figure.total:,.0f} ({figure.low:,.0f}–{figure.high:,.0f})"


def _usd(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return _money(figure.total)
    return f"{_money(figure.total)} ({_money(figure.low)} – {_money(figure.high)})"


def _money(usd: float) -> str:
    return "0 USD" if usd == 0 else "under 0.0001 USD" if usd < _NEXT_TO_NOTHING_USD else money(usd)
