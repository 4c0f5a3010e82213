"""What works a run's documents off: the interface that `--engine local` and `--engine ray` share."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Protocol

from pipeline.errors import GongkaiError
from pipeline.model.ledger import LedgerTotals
from pipeline.runs.plan import Job
from pipeline.runs.work import Done


@dataclass(frozen=True, slots=True)
class Finished:
    """A job whose first document has its record; the copies' records are made of it."""

    job: Job
    record: Done


class Engine(Protocol):
    """Works jobs off in any order."""

    @property
    def error(self) -> GongkaiError | None:
        """Why it stopped before the end; None while it did not."""

    def work_off(self, jobs: Iterable[Job], stop: threading.Event) -> AsyncGenerator[Finished, None]:
        """The jobs as they are done. None is begun after `stop` is set; those in flight are finished.

        What is no document's doing sets `stop` and `error`.
        """

    def spent(self) -> LedgerTotals | None:
        """What this session has asked and paid; None where no model is asked."""
