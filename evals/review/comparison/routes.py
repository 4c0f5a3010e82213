"""Pages of the comparison: documents by how much two runs differ in them, and one document's differences.

GET /                        documents, the most differences first; ?page=2
GET /compare/progress        how many were counted, and the table as it is now; ?page=2
GET /compare/{n}             the source, and what the runs differ in; ?text=other for the second run's text
GET /compare/next/{n}        the next document in the order of the list that has differences
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from evals.review.comparison.differences import Comparison, Difference
from evals.review.comparison.runs import ComparedRuns
from evals.review.comparison.same_documents import PairedDocument
from evals.review.render import environment, fragment, page
from evals.review.settings import ReviewContext
from evals.review.source.reading_child import Notice
from evals.review.source.view import Mark, SourceView, source_view
from evals.review.typed import shown
from evals.review.words import words
from pipeline.errors import StartError
from pipeline.fact import Fact
from pipeline.schema import fields

PAGE_DOCUMENTS = 100
_CONTEXT = 18
_LONG = 80


@dataclass(frozen=True, slots=True)
class SideView:
    """What one run has: its value, its print with what stands around it, and where."""

    fact: Fact
    value: str
    before: str
    raw: str
    after: str


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """A difference on the page."""

    id: str
    difference: Difference
    label: str
    meaning: str
    one: SideView | None
    other: SideView | None
    human: str

    @property
    def sides(self) -> tuple[tuple[Literal["a", "b"], SideView | None], ...]:
        """Both sides by the letter of their run."""
        return ("a", self.one), ("b", self.other)


def routes(context: ReviewContext) -> list[Route]:
    """The pages of the comparison. What differs is counted in the background, from the first page on."""
    if context.other is None:
        raise StartError("the comparison needs a second run: --compare RUN")
    runs = ComparedRuns(context.library, context.other)
    context.resources.callback(runs.close)
    pages = _Pages(context, runs)
    # Read before anybody waits for the first page.
    words("en")
    environment().get_template("compare_documents.html")
    return [
        Route("/", pages.documents, methods=["GET"]),
        Route("/compare/progress", pages.progress, methods=["GET"]),
        Route("/compare/next/{n:int}", pages.next_differing, methods=["GET"]),
        Route("/compare/{n:int}", pages.document, methods=["GET"]),
    ]


class _Pages:
    def __init__(self, context: ReviewContext, runs: ComparedRuns) -> None:
        self._context = context
        self._runs = runs
        names = [library.run.resolve().name for library in (runs.one, runs.other)]
        if names[0] == names[1]:
            names = [str(library.run) for library in (runs.one, runs.other)]
        self._names = {"name_a": names[0], "name_b": names[1]}

    async def documents(self, request: Request) -> Response:
        answer = page(request, "compare_documents.html", **self._list(request))
        # Once it is sent: the counting takes the processor for itself.
        answer.background = BackgroundTask(self._runs.start)
        return answer

    async def progress(self, request: Request) -> Response:
        view = self._list(request)
        parts = [
            {"id": name, "html": fragment(request, f"compare_{part}.html", **view)}
            for name, part in (("counting", "counting"), ("documents", "table"))
        ]
        return JSONResponse({"done": view["done"], "count": view["count"], "fragments": parts})

    def _list(self, request: Request) -> dict[str, Any]:
        pairs = self._runs.ordered()
        last = max(1, -(-len(pairs) // PAGE_DOCUMENTS))
        number = _page_number(request, last)
        shown_pairs = pairs[(number - 1) * PAGE_DOCUMENTS : number * PAGE_DOCUMENTS]
        counted = [found for pair in pairs if (found := self._runs.counted(pair.one)) is not None]
        return {
            **self._names,
            "rows": [(pair, self._runs.counted(pair.one)) for pair in shown_pairs],
            "done": len(counted),
            "count": len(pairs),
            "differing": sum(found.total > 0 for found in counted),
            "total": sum(found.total for found in counted),
            "only_one": self._runs.only_one,
            "only_other": self._runs.only_other,
            "page_number": number,
            "last_page": last,
        }

    async def next_differing(self, request: Request) -> Response:
        """The next document of the list with differences, or the list behind the last one."""
        ordered = [
            pair for pair in self._runs.ordered() if (found := self._runs.counted(pair.one)) and found.total
        ]
        numbers = [pair.one for pair in ordered]
        number = request.path_params["n"]
        at = numbers.index(number) + 1 if number in numbers else 0
        return RedirectResponse(f"/compare/{numbers[at]}" if at < len(numbers) else "/", 303)

    async def document(self, request: Request) -> Response:
        pair = self._runs.pair(request.path_params["n"])
        if pair is None:
            raise HTTPException(404)
        found = await asyncio.to_thread(self._runs.compare, pair)
        is_other = request.query_params.get("text") == "other" and not found.same_text
        texts = await asyncio.to_thread(self._texts, pair)
        source = await self._source(pair, found, is_other)
        return page(
            request,
            "compare.html",
            name_a=self._names["name_a"],
            name_b=self._names["name_b"],
            pair=pair,
            found=found,
            views=tuple(_views(found, texts)),
            source=source,
            is_other=is_other,
        )

    def _texts(self, pair: PairedDocument) -> tuple[str, str]:
        runs = self._runs
        return runs.one.text(pair.one) or "", runs.other.text(pair.other) or ""

    async def _source(self, pair: PairedDocument, found: Comparison, is_other: bool) -> SourceView:
        marks = _marks(found, is_other)
        if not is_other:
            return await self._context.source(pair.one, marks)
        source = await self._context.reading.source(self._runs.other, pair.other)
        notices = (*source.notices, Notice("compare.other_text", self._names["name_b"]))
        # Pages and places on them are asked of the first run, whose text is another.
        return source_view(source.document or source.text, marks, notices=notices)


def _page_number(request: Request, last: int) -> int:
    asked = request.query_params.get("page", "1")
    return min(max(int(asked), 1), last) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1


def _marks(found: Comparison, is_other: bool) -> list[Mark]:
    marks = []
    for number, difference in enumerate(found.facts, start=1):
        sides = [("a", difference.one)] if not is_other else []
        if found.same_text or is_other:
            sides.append(("b", difference.other))
        for side, fact in sides:
            if fact is not None:
                start, end = fact.evidence.start, fact.evidence.end
                marks.append(Mark(f"{number}~{side}~{start}~{end}", start, end, f"said-{side}"))
    return marks


def _views(found: Comparison, texts: tuple[str, str]) -> list[DifferenceView]:
    views = []
    for number, difference in enumerate(found.facts, start=1):
        spec = fields().get(difference.path)
        views.append(
            DifferenceView(
                id=f"difference-{number}",
                difference=difference,
                label=difference.path if spec is None else spec.label,
                meaning="" if spec is None else spec.meaning,
                one=_side(difference.one, texts[0]),
                other=_side(difference.other, texts[1]),
                human=_shortened(shown(difference.human)),
            )
        )
    return views


def _side(fact: Fact | None, text: str) -> SideView | None:
    if fact is None:
        return None
    start, end = fact.evidence.start, fact.evidence.end
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    return SideView(
        fact=fact,
        value=_shortened(shown(fact)),
        before=text[max(line_start, start - _CONTEXT) : start],
        raw=_shortened(" ".join(text[start:end].split())),
        after=text[end : min(line_end, end + _CONTEXT)],
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 2 * _LONG else f"{text[:_LONG]} … {text[-_LONG:]}"
