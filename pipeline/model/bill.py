"""What questions cost while they are asked: a row for each request, and the sum for each question."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pipeline.errors import GongkaiError
from pipeline.fact import Usage
from pipeline.model.completion import TokenCounts
from pipeline.model.ledger import LedgerRow
from pipeline.model.prices import Price
from pipeline.model.question import Asked, Spent
from pipeline.model.stores import Stores


@dataclass(slots=True)
class Call:
    """What one question spends; `added_characters` stand behind its messages when it is asked again."""

    asked: Asked
    began: float
    spent: Spent
    added_characters: int = 0

    def usage(self) -> Usage:
        """The sum so far, and the time."""
        return self.spent.usage(time.monotonic() - self.began)


class Bill:
    """Counts what requests cost at `price`; None where nobody knows it."""

    def __init__(self, price: Price | None, stores: Stores) -> None:
        self._price = price
        self._stores = stores

    def open(self, asked: Asked) -> Call:
        """A question that is going to be asked now."""
        return Call(asked, time.monotonic(), Spent(cost_usd=None if self._price is None else 0.0))

    def cost_usd(self, tokens: TokenCounts, *, batch: bool = False) -> float | None:
        """Of a request; None without a price."""
        if self._price is None:
            return None
        return self._price.cost_usd(tokens.input, tokens.cached, tokens.output, batch=batch)

    def spend(self, call: Call, tokens: TokenCounts, *, batch: bool = False) -> float | None:
        """Add a request to what its question has cost; its cost."""
        cost_usd = self.cost_usd(tokens, batch=batch)
        call.spent.add(tokens.input, tokens.cached, tokens.output, cost_usd)
        return cost_usd

    def count(
        self,
        call: Call,
        outcome: str,
        status: int | None,
        tokens: TokenCounts,
        is_estimated: bool,
        began: float,
    ) -> float:
        """Write a request down; its cost, 0 where there is no price."""
        cost_usd = self.spend(call, tokens)
        seconds = round(time.monotonic() - began, 3)
        row = LedgerRow(
            call.asked.key, outcome, status, tokens.input, tokens.cached, tokens.output,
            cost_usd, is_estimated, seconds,
        )  # fmt: skip
        self._stores.write_down(row)
        return cost_usd or 0.0

    def count_cancelled(self, call: Call, tokens: TokenCounts, began: float) -> float:
        """Write down a request that nobody waits for; it ends whatever the disk says."""
        try:
            return self.count(call, "cancelled", None, tokens, True, began)
        except GongkaiError as error:
            self._stores.error = error
            return self.cost_usd(tokens) or 0.0
