"""What `gongkai review` was asked for, and what the routes of its modes share."""

from __future__ import annotations

import asyncio
import ipaddress
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.review.library import Library
    from evals.review.source.reading_child import Reading
    from evals.review.source.view import Mark, SourceView
    from pipeline.runs.reviews import ReviewLog

Mode = Literal["review", "annotate", "adjudicate", "compare"]
Lang = Literal["zh", "en"]
LOOPBACK = "127.0.0.1"
DEFAULT_TARGET = 0.99


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """One start of `gongkai review RUN`. `port` 0 asks for a free one; once it listens it is the real one.

    `lang` None leaves the language to the browser. `target` is the share of figures that are to be right.
    """

    run: Path
    documents: Path | None = None
    annotator: str = ""
    lang: Lang | None = None
    target: float = DEFAULT_TARGET
    annotate: Path | None = None
    adjudicate: tuple[Path, Path] | None = None
    out: Path | None = None
    compare: Path | None = None
    host: str = LOOPBACK
    port: int = 0

    @property
    def mode(self) -> Mode:
        """Which pages the server has."""
        if self.annotate is not None:
            return "annotate"
        if self.adjudicate is not None:
            return "adjudicate"
        return "review" if self.compare is None else "compare"

    @property
    def is_loopback(self) -> bool:
        """Whether no other machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True)
class ReviewContext:
    """What every route module gets, and finds at `request.app.state.context`.

    `csrf` goes into `<html data-csrf>`. What is entered into `resources` is closed when the server
    ends: locks, threads, open files. `other` is the second run of the comparison, `reviews` the
    log of corrections, open for writing in the mode `review` only.
    """

    settings: ReviewSettings
    library: Library
    reading: Reading
    csrf: str
    resources: ExitStack
    other: Library | None = None
    reviews: ReviewLog | None = None

    async def source(self, number: int, marks: Sequence[Mark] = ()) -> SourceView:
        """A document of the run as blocks for the source pane, read in the child process.

        From its canonical text alone, with a notice, where the file is not at hand or cannot be read.
        """
        from evals.review.source.view import source_view

        source = await self.reading.source(self.library, number)
        shown = source.text if source.document is None else source.document
        return await asyncio.to_thread(source_view, shown, marks, notices=source.notices, pages=source.pages)
