"""What batches cost: how much may be sent within a budget, and the bill of what came back."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import BudgetReached
from pipeline.model.batch_file import BatchFile, Job, Queued, Sent
from pipeline.model.batch_lines import LineResult
from pipeline.model.completion import TokenCounts
from pipeline.model.ledger import Ledger, LedgerRow
from pipeline.model.prices import Price

# From so many answers on, how much the next ones will write is told by what so many of them keep below.
_LEAST_ANSWERS = 20
_MOST_SHARE = 0.95


class BatchMoney:
    """The price of batches, a run's ledger, and `budget_usd`, which holds for all its sessions.

    Before they are sent, questions are taken to read what was estimated and to write all that they
    may; once there are 20 answers, as much of that as 19 of 20 answers have kept below. The sum over
    a batch stays under that unless answers become much longer than those before: only by the excess
    can a budget be overrun, and then no further batch is sent.
    """

    def __init__(
        self, file: BatchFile, ledger: Ledger, price: Price | None = None, budget_usd: float | None = None
    ) -> None:
        self._file = file
        self._ledger = ledger
        self._price = price
        self._budget_usd = budget_usd

    def cost_usd(self, tokens: TokenCounts) -> float | None:
        """At the price of a batch; None where there is no price."""
        price = self._price
        return (
            None if price is None else price.cost_usd(tokens.input, tokens.cached, tokens.output, batch=True)
        )

    def affordable(self, questions: Iterable[Queued]) -> Iterable[Queued]:
        """As many of the first questions as the budget has room for, besides what is under way."""
        if self._budget_usd is None:
            yield from questions
            return
        share, under_way = self._share(), self._file.under_way()
        left_usd = self._budget_usd - self._spent_usd - self._bound_usd(under_way, share)
        read = written = 0
        for question in questions:
            read += question.tokens.input
            written += question.tokens.output
            if self._bound_usd(TokenCounts(read, 0, written), share) > left_usd:
                return
            yield question

    def require_room(self, waiting: int, first: Queued) -> None:
        """Raise BudgetReached: `waiting` questions cannot be sent, `first` is the next of them."""
        next_usd = self._bound_usd(first.tokens, self._share())
        raise BudgetReached(
            f"the budget of {self._budget_usd:g} USD is used up: {self._spent_usd:.4f} USD are spent, "
            f"questions that wait for a batch: {waiting:,}, and the next may cost {next_usd:.4f}. "
            "Run the same command with a higher --budget to go on"
        )

    def bill(self, job: Job, outcomes: Iterable[tuple[Sent, LineResult]], seconds: float) -> None:
        """Write all lines of a batch down, `seconds` after its intent; once, however often it is called."""
        self._ledger.add_batch(job.tag, [self._row(*outcome, seconds) for outcome in outcomes])

    def _row(self, sent: Sent, result: LineResult, seconds: float) -> LedgerRow:
        """A line on the bill. What was answered without its tokens being told counts as estimated."""
        tokens = result.tokens or (sent.tokens if result.kind is None else TokenCounts(sent.tokens.input))
        return LedgerRow(
            sent.key, result.kind or "ok", result.status, tokens.input, tokens.cached, tokens.output,
            self.cost_usd(tokens), result.tokens is None, seconds,
        )  # fmt: skip

    @property
    def _spent_usd(self) -> float:
        return self._ledger.totals.cost_usd or 0.0

    def _bound_usd(self, tokens: TokenCounts, share: float) -> float:
        return self.cost_usd(TokenCounts(tokens.input, 0, round(share * tokens.output))) or 0.0

    def _share(self) -> float:
        """How much of what they may answers will write: all, until there are answers to tell."""
        shares = self._file.written_shares()
        return 1.0 if len(shares) < _LEAST_ANSWERS else min(1.0, shares[int(_MOST_SHARE * len(shares))])
