"""Answers and ledger of a client, brought to disk together a moment after something has come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipeline.errors import GongkaiError
from pipeline.fact import Usage
from pipeline.model.answers import Answers
from pipeline.model.ledger import Ledger, LedgerRow
from pipeline.model.question import Asked, TokenLogprob

# What arrives within so many seconds is brought to disk together.
_COMMIT_SECONDS = 0.005


class Stores:
    """Belongs to one event loop. A fault of the disk is kept in `error`: it meets the next question."""

    def __init__(self, answers: Answers, ledger: Ledger | None) -> None:
        self.answers = answers
        self.ledger = ledger
        self.error: GongkaiError | None = None
        self._timer: asyncio.TimerHandle | None = None

    def keep(
        self,
        asked: Asked,
        content: str,
        usage: Usage,
        logprobs: Sequence[TokenLogprob] | None = None,
        *,
        is_cut: bool = False,
    ) -> None:
        """Keep an answer, or that there is none of this length, so that nobody pays for it again."""
        self.answers.put(asked, content, usage, logprobs, is_cut=is_cut, commit=False)
        self._commit_soon()

    def write_down(self, row: LedgerRow) -> None:
        """A request for the ledger, where there is one."""
        if self.ledger is not None:
            self.ledger.add(row, commit=False)
            self._commit_soon()

    def flush(self) -> None:
        """Bring to disk what has come, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._commit()

    def check(self) -> None:
        """Raise the fault that the disk has had."""
        if self.error is not None:
            raise self.error

    def _commit_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_COMMIT_SECONDS, self._commit)

    def _commit(self) -> None:
        self._timer = None
        for store in (self.ledger, self.answers):  # the bill first: it must not be too low
            try:
                if store is not None:
                    store.commit()
            except GongkaiError as error:
                self.error = error
