"""Pages of annotated PDF files for the report, and where on them facts are printed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from evals.score import Scoring
from evals.verdicts import Judgement, Marked
from pipeline.document import Span
from pipeline.errors import DocumentError
from pipeline.fact import Record
from pipeline.read.pages import PdfPages

Pages = dict[str, Any]
LEAST_PICTURES = 100_000  # below so many bytes left, no document is tried any more


def pages_within(
    scoring: Scoring, names: Sequence[str], sources: Path, budget: int
) -> Iterator[tuple[str, Pages]]:
    """`pages` and `boxes` of PDF documents, of up to `budget` bytes together, the first of `names` first.

    Only of the very file that was extracted, read as it was then: places would be wrong otherwise.
    """
    marked = {one.document.doc_id: one for one in scoring.marked}
    for name in names:
        one = marked[name]
        record, text = scoring.records[name], scoring.texts.get(name)
        if budget < LEAST_PICTURES:
            return
        if record is None or text is None:
            continue
        try:
            pages = _pages(sources / one.document.file.file, record, text, one, budget)
        except (DocumentError, OSError) as error:
            logging.getLogger(__name__).warning("%s: no pictures of its pages: %s", name, error)
            continue
        if pages is not None:
            budget -= sum(len(picture[0]) for picture in pages["pages"])
            yield name, pages


def _pages(path: Path, record: Record, text: str, marked: Marked, budget: int) -> Pages | None:
    """Pictures and places of the PDF that `record` was made from.

    None where it is not at hand, or its pictures are over the budget.
    """
    if record.media_type != "application/pdf" or not path.is_file():
        return None
    if hashlib.sha256(path.read_bytes()).hexdigest() != record.sha256:
        return None
    pages = PdfPages(path)
    if pages.document.text != text:
        return None
    pictures = []
    for picture in pages.pictures():
        budget -= len(picture.data_uri)
        if budget < 0:
            return None
        pictures.append([picture.data_uri, picture.width, picture.height])
    return {"pages": pictures, "boxes": dict(_boxes(marked.judgements(), pages))}


def _boxes(judgements: Iterable[Judgement], pages: PdfPages) -> Iterator[tuple[int, list[Any]]]:
    """For each row of a document: the page and the boxes of its fact, as [page, [x0, top, x1, bottom], …]."""
    for row, judgement in enumerate(judgements):
        if judgement.fact is None:
            continue
        evidence = judgement.fact.evidence
        place = pages.place_of(Span(evidence.start, evidence.end))
        if place is not None:
            yield row, [place.page, *([round(edge, 1) for edge in astuple(box)] for box in place.boxes)]
