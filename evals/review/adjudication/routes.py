"""Pages of the adjudication: the list of documents with agreement, and one document's disagreements.

GET  /                              documents, agreement before and after
GET  /adjudicate/{n}                the source, and what the two differ in
POST /adjudicate/{n}/decide         {"aims": [{"key", "base"}], "choice", "value", "reason", "version"}
POST /adjudicate/{n}/undo           {"seen", "version"}
GET  /adjudicate/next/{n}           the next document behind n that has something open
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from evals.agree import KINDS, Agreement
from evals.gold_file import GoldFile
from evals.occurrences import SearchText
from evals.review.adjudication.cards import Card, cards, columns_of, gloss_of, marks, number_paths, opposite
from evals.review.adjudication.disagreements import Choice
from evals.review.adjudication.places_said import PlacesSaid, positions_in
from evals.review.adjudication.session import Adjudication, Aim, DecisionConflict, DocumentAdjudication
from evals.review.annotation.draft import locked_gold
from evals.review.comparison.same_documents import hashes_of
from evals.review.library import Library
from evals.review.render import fragment, lang_of, page
from evals.review.settings import ReviewContext
from evals.review.source.reading_child import Notice
from evals.review.source.view import SourceView
from evals.review.words import words
from pipeline.errors import GoldError, StartError

QUICK_REASONS = 6


def routes(context: ReviewContext) -> list[Route]:
    """The pages of the adjudication. Locks the folder of the result until the server ends.

    Raises StartError or GoldError where the folders cannot be adjudicated.
    """
    settings = context.settings
    if settings.adjudicate is None or settings.out is None:
        raise StartError("--adjudicate A B needs --out GOLD, the folder of the adjudicated gold")
    context.resources.enter_context(locked_gold(settings.out))
    numbers = numbers_by_hash(context.library)
    try:
        made = Adjudication(*settings.adjudicate, settings.out, lambda file: _places(context, numbers, file))
    except GoldError as error:
        raise StartError(str(error)) from error
    context.resources.callback(lambda: print(made.as_text(), flush=True))
    pages = _Pages(context, made, numbers)
    return [
        Route("/", pages.documents, methods=["GET"]),
        Route("/adjudicate/next/{n:int}", pages.next_open, methods=["GET"]),
        Route("/adjudicate/{n:int}", pages.document, methods=["GET"]),
        Route("/adjudicate/{n:int}/decide", pages.decide, methods=["POST"]),
        Route("/adjudicate/{n:int}/undo", pages.undo, methods=["POST"]),
    ]


def numbers_by_hash(library: Library) -> dict[str, int]:
    """Numbers of the run's documents by the SHA-256 of their files."""
    found: dict[str, int] = {}
    for number, sha256 in hashes_of(library).items():
        found.setdefault(sha256, number)
    return found


def _places(context: ReviewContext, numbers: dict[str, int], file: GoldFile) -> PlacesSaid:
    number = numbers.get(file.sha256)
    if number is None:
        return PlacesSaid()
    text = context.library.text(number)
    record = context.library.record(number)
    return PlacesSaid(None if text is None else SearchText(text), positions_in(record))


class _Pages:
    def __init__(self, context: ReviewContext, made: Adjudication, numbers: dict[str, int]) -> None:
        self._context = context
        self._made = made
        self._numbers = numbers
        self._made_cards: dict[int, tuple[int, tuple[Card, ...]]] = {}
        self._annotator = context.settings.annotator or "adjudicator"

    async def documents(self, request: Request) -> Response:
        before, after_a, after_b = await asyncio.to_thread(self._agreements)
        return page(
            request,
            "adjudicate_documents.html",
            documents=self._made.documents,
            only_a=self._made.only_a,
            only_b=self._made.only_b,
            unfinished_a=self._made.unfinished_a,
            unfinished_b=self._made.unfinished_b,
            out=str(self._made.out),
            finished=len(self._made.finished),
            kinds=KINDS,
            before=before,
            after_a=after_a,
            after_b=after_b,
        )

    def _agreements(self) -> tuple[Agreement, Agreement | None, Agreement | None]:
        """Of both, and of each with the gold as far as there is any."""
        made = self._made
        return (made.before, made.after("a"), made.after("b")) if made.finished else (made.before, None, None)

    async def next_open(self, request: Request) -> Response:
        """The next document behind `n` with something open, from the first again behind the last."""
        number, documents = request.path_params["n"], self._made.documents
        ordered = [*documents[number:], *documents[:number]]
        found = next((each for each in ordered if each.standing.status == "open"), None)
        return RedirectResponse("/" if found is None else f"/adjudicate/{found.number}", 303)

    async def document(self, request: Request) -> Response:
        document = self._document(request)
        number = self._numbers.get(document.a.file.sha256)
        if number is None:
            source = SourceView((), notices=(Notice("adjudicate.no_source"),))
        else:
            source = await self._context.source(number, marks(document))
        return page(
            request,
            "adjudicate.html",
            source=source,
            source_number=number or 0,
            paths=number_paths(),
            last=self._made.documents[-1].number,
            **self._view(document),
        )

    def _view(self, document: DocumentAdjudication) -> dict[str, Any]:
        """What the page of a document and its parts show."""
        with document.guard:
            batch, version, shown = document.log.last_batch, document.log.next_number, self._cards(document)
        return {
            "document": document,
            "standing": document.standing,
            "merged": document.merged,
            "cards": shown,
            "version": version,
            "gloss_of": gloss_of,
            "opposite": opposite,
            "columns_of": columns_of,
            "last_batch": batch,
            "seen": batch[-1].number if batch else 0,
            "quick_reasons": range(1, QUICK_REASONS + 1),
            "name_a": ", ".join(document.a.file.annotators) or "A",
            "name_b": ", ".join(document.b.file.annotators) or "B",
        }

    async def decide(self, request: Request) -> Response:
        body = await _body(request)
        reason, aims = body.get("reason", ""), _aims(body.get("aims"))
        choice: Choice | None = next((each for each in get_args(Choice) if each == body.get("choice")), None)
        if choice is None or not isinstance(reason, str) or aims is None:
            raise HTTPException(400)
        document = self._document(request)

        def change() -> str:
            document.decide(aims, choice, body.get("value"), reason, self._annotator)
            return "adjudicate.said_decided" if reason.strip() else "adjudicate.said_pending"

        return await self._changed(request, document, change, aims[0].key, body.get("version"))

    async def undo(self, request: Request) -> Response:
        body = await _body(request)
        if not isinstance(body.get("seen"), int):
            raise HTTPException(400)
        document = self._document(request)
        undone: list[str] = []

        def change() -> str:
            undone.extend(each.key for each in document.undo(body["seen"], self._annotator))
            return "adjudicate.said_undone"

        return await self._changed(request, document, change, "", body.get("version"), undone)

    async def _changed(
        self,
        request: Request,
        document: DocumentAdjudication,
        change: Callable[[], str],
        key: str,
        version: Any,
        undone: list[str] | None = None,
    ) -> Response:
        """Make a change and answer with the parts of the page that it altered.

        `version` is that of the page; one that another window has left behind gets everything.
        """
        spoken = words(lang_of(request))
        with document.guard:
            shown = self._cards(document) if version == document.log.next_number else None
        try:
            said = await asyncio.to_thread(change)
        except DecisionConflict:
            content = {
                "conflict": {"key": key},
                "fragments": self._fragments(request, document),
                "say": spoken["adjudicate.said_conflict"],
            }
            return JSONResponse(content, 409)
        except (ValueError, GoldError) as error:
            return JSONResponse({"error": str(error), "field": key}, 422)
        left = len(document.merged.open)
        return JSONResponse(
            {
                "fragments": self._fragments(request, document, shown),
                "say": f"{spoken[said]} {spoken('adjudicate.left', n=left)}",
                "left": left,
                "undone": undone or [],
            }
        )

    def _fragments(
        self, request: Request, document: DocumentAdjudication, shown: tuple[Card, ...] | None = None
    ) -> list[dict[str, str]]:
        """What differs from the cards that are `shown`; everything where that is not known, or they moved."""
        view = self._view(document)
        standing = {"id": "standing", "html": fragment(request, "adjudicate_standing.html", **view)}
        now = view["cards"]
        if shown is None or [each.asked.key for each in shown] != [each.asked.key for each in now]:
            return [{"id": "asked", "html": fragment(request, "adjudicate_cards.html", **view)}, standing]
        parts = []
        for number, (before, card) in enumerate(zip(shown, now, strict=True), start=1):
            if before == card:
                continue
            is_count = bool(before.alike and card.alike) and replace(before, alike=card.alike) == card
            part = {"card": card, "number": number, "count": len(now)}
            name, template = (f"{card.id}-alike", "alike") if is_count else (card.id, "card")
            parts.append(
                {"id": name, "html": fragment(request, f"adjudicate_{template}.html", **view, **part)}
            )
        return [*parts, standing]

    def _cards(self, document: DocumentAdjudication) -> tuple[Card, ...]:
        """The cards as they are now, made once a change."""
        version = document.log.next_number
        known = self._made_cards.get(document.number)
        if known is None or known[0] != version:
            known = self._made_cards[document.number] = (version, cards(document))
        return known[1]

    def _document(self, request: Request) -> DocumentAdjudication:
        number: int = request.path_params["n"]
        if not 1 <= number <= len(self._made.documents):
            raise HTTPException(404)
        return self._made.documents[number - 1]


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise HTTPException(400) from None
    if not isinstance(body, dict):
        raise HTTPException(400)
    return body


def _aims(given: Any) -> list[Aim] | None:
    if not isinstance(given, list) or not given:
        return None
    aims = []
    for each in given:
        if not isinstance(each, dict) or not isinstance(each.get("key"), str):
            return None
        if not isinstance(each.get("base"), int):
            return None
        aims.append(Aim(each["key"], each["base"]))
    return aims
