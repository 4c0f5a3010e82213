"""The page of one document in the review of a run: source beside figures, and the changes made there.

    GET  /documents/{n}                   the page
    GET  /documents/{n}/figure?key=…      all that is known of one figure
    GET  /documents/{n}/proposal?path=…&span=12-15   the value that a print has in a field
    GET  /documents/{n}/changes?since=…   what other windows have changed
    POST /documents/{n}/figures           one change (`Asked` in changes.py), or undo

An answer has fragments for every place that is another than in the window that asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from evals.review.figures.changes import Asked, ChangeWrong, Reviewer
from evals.review.figures.document import DocumentView
from evals.review.figures.fragments import ChangedParts
from evals.review.figures.kept import Views
from evals.review.queue.sample_log import DrawnFigures
from evals.review.render import fragment, lang_of, page
from evals.review.settings import ReviewContext
from evals.review.source.routes import parse_spans
from evals.review.source.view import Mark
from evals.review.typed import BOUND_SIGNS, TypedWrong, proposed, shown
from evals.review.words import words
from pipeline.document import Document
from pipeline.fact import Fact
from pipeline.runs.reviews import ReviewConflict, ReviewEvent, ReviewRefused
from pipeline.schema import fields

_QUICK_REASONS = ("misread", "wrong_field", "wrong_cell", "other_year", "source_unclear")
NOBODY = "reviewer"


def routes(context: ReviewContext) -> list[Route]:
    """The addresses above."""
    pages = _Pages(context, Views(context), DrawnFigures(context.library.run))
    return [
        Route("/documents/{n:int}", pages.document, methods=["GET"]),
        Route("/documents/{n:int}/figure", pages.figure, methods=["GET"]),
        Route("/documents/{n:int}/proposal", pages.proposal, methods=["GET"]),
        Route("/documents/{n:int}/changes", pages.changes, methods=["GET"]),
        Route("/documents/{n:int}/figures", pages.change, methods=["POST"]),
    ]


def marks_of(view: DocumentView) -> Iterator[Mark]:
    """The evidence of every figure in force; what was removed is not marked."""
    for place in view.places.values():
        if place.key and place.verdict != "removed" and place.start is not None and place.end is not None:
            yield Mark(place.key, place.start, place.end, place.kind)


@dataclass(frozen=True)
class _Pages:
    context: ReviewContext
    views: Views
    drawn: DrawnFigures

    async def document(self, request: Request) -> Response:
        number = request.path_params["n"]
        view = await asyncio.to_thread(self.views.view, number)
        source = await self.context.source(number, tuple(marks_of(view)))
        return page(
            request,
            "document.html",
            view=view,
            source=source,
            number=number,
            made=self._made(number),
            total=len(self.context.library),
            chosen=request.query_params.get("key", ""),
            specs=fields().values(),
            bounds=BOUND_SIGNS,
            reasons=_QUICK_REASONS,
        )

    async def figure(self, request: Request) -> Response:
        view = await asyncio.to_thread(self.views.view, request.path_params["n"])
        slot, key = request.query_params.get("slot", ""), request.query_params.get("key", "")
        place = view.places.get(slot) or view.place_of(key)
        if place is None:
            return JSONResponse({"fragments": []})  # taken back meanwhile
        html = fragment(
            request,
            "figure_detail.html",
            place=place,
            figure=view.figures.get(place.key),
            history=self._history(view, place.key),
            findings=view.findings_about(place.key) if place.key else (),
            is_drawn=place.key in self.drawn.of(view.record.doc_id),
            show=shown,
            bounds=BOUND_SIGNS,
            spec=fields().get(place.path),
            labels={path: spec.label for path, spec in fields().items()},
        )
        return JSONResponse({"fragments": [{"id": "detail-body", "html": html}]})

    def _made(self, number: int) -> int:
        """Where the record of a document stands, which tells it from one of another extraction."""
        self.context.library.refresh()
        return self.context.library.entry(number).start

    def _history(self, view: DocumentView, key: str) -> list[ReviewEvent]:
        """Every change of a figure, the newest first, undone ones too."""
        events = self.views.events(view.record.doc_id) if key else ()
        return [event for event in reversed(events) if event.target.key == key]

    async def proposal(self, request: Request) -> Response:
        """The value of a print in a field, as far as it can be told."""
        path = request.query_params.get("path", "")
        spans = parse_spans(request.query_params.get("span", ""))
        text = await asyncio.to_thread(self.context.library.text, request.path_params["n"])
        if path not in fields() or not spans or text is None or spans[0].end > len(text):
            return JSONResponse({"typed": ""})
        found = proposed(path, text[spans[0].start : spans[0].end])
        if found is None:
            return JSONResponse({"typed": ""})
        made = Fact.model_construct(value=found.value, status=found.status, bound="exact")
        return JSONResponse({"typed": shown(made), "bound": found.bound})

    async def changes(self, request: Request) -> Response:
        """What is another now than after the change `since`."""
        given = request.query_params.get("since", "0")
        if not (given.isascii() and given.isdigit() and len(given) < 16):
            return JSONResponse({"error": f"since: {given[:20]!r} is no number of a change"}, 422)
        of_page = request.query_params.get("record", "")
        if of_page and of_page != str(self._made(request.path_params["n"])):
            return JSONResponse({"since": int(given), "fragments": [], "remade": True})
        return JSONResponse(await asyncio.to_thread(self._since, request, int(given)))

    async def change(self, request: Request) -> Response:
        """200 with fragments, 409 with the other's value, 422 with what is allowed."""
        try:
            asked = Asked.model_validate_json(await request.body())
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in fault["loc"])
            return JSONResponse({"error": f"{place}: {fault['msg']}", "field": place}, 422)
        document = None
        if asked.action == "add":
            source = await self.context.reading.source(self.context.library, request.path_params["n"])
            document = source.document
        return await asyncio.to_thread(self._carried_out, request, asked, document)

    def _carried_out(self, request: Request, asked: Asked, document: Document | None) -> Response:
        said = words(lang_of(request))
        view = self.views.view(request.path_params["n"])
        if asked.record is not None and asked.record != self._made(request.path_params["n"]):
            return JSONResponse({"error": said["review.remade"], "field": "record"}, 422)
        try:
            events = self._reviewer().change(view, asked, document)
        except TypedWrong as error:
            return JSONResponse({"error": said(error.key, typed=error.typed), "field": "typed"}, 422)
        except ChangeWrong as error:
            return JSONResponse({"error": said(error.word, **error.values), "field": error.field}, 422)
        except ReviewConflict as error:
            conflict = self._conflict(request, asked, error)
            return JSONResponse({**self._since(request, asked.since), "conflict": conflict}, 409)
        except ReviewRefused as error:
            return JSONResponse({"error": str(error), "field": ""}, 422)
        return JSONResponse(self._since(request, asked.since, events))

    def _reviewer(self) -> Reviewer:
        if self.context.reviews is None:
            raise ReviewRefused("this server was not started for corrections")
        return Reviewer(self.context.reviews, self.context.settings.annotator or NOBODY)

    def _conflict(self, request: Request, asked: Asked, error: ReviewConflict) -> dict[str, Any]:
        """Both values, and what a further change has to name as seen."""
        said = words(lang_of(request))
        view = self.views.view(request.path_params["n"])
        keys = [each.key for each in asked.figures] if error.current is None else [error.current.target.key]
        figure = next((found for key in keys if (found := view.figures.get(key))), None)
        theirs = "" if figure is None else shown(figure.fact) or said["review.verdict_removed"]
        by = "" if error.current is None else error.current.annotator
        return {
            "key": "" if figure is None else figure.key,
            "base": 0 if figure is None else figure.base,
            "mine": asked.typed if asked.typed is not None else said[f"review.action_{asked.action}"],
            "theirs": theirs,
            "by": by,
            "at": "" if error.current is None else error.current.at,
            "said": said("review.conflict", by=by, theirs=theirs),
        }

    def _since(self, request: Request, since: int, events: Sequence[ReviewEvent] = ()) -> dict[str, Any]:
        """Fragments of what is another now than after the change `since`."""
        number = request.path_params["n"]
        after = self.views.view(number)
        if after.last == since:
            return {"since": since, "fragments": [], "say": ""}
        parts = ChangedParts(request, self.views.view(number, since), after)
        place = after.place_of(events[-1].target.key) if events else None
        return {
            "since": after.last,
            "fragments": list(parts.fragments()),
            "say": parts.said(events),
            "gone": parts.findings_gone,
            "bases": {event.target.key: event.number for event in events},
            "slot": "" if place is None else place.slot,
        }
