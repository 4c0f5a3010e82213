"""Annotation from scratch: the list of documents, the form beside the source, and every change of it.

Blind: these pages show the document and what the annotator typed. Of a record only the name and the
hash of its file are read; templates, facts, findings and confidences of the run go nowhere.
"""

from __future__ import annotations

import asyncio
import getpass
import re
from dataclasses import dataclass
from typing import Any, get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from evals.occurrences import SearchText
from evals.review.annotation.check import linked, problems_of
from evals.review.annotation.desk import Desk
from evals.review.annotation.draft import Change, DraftConflict, GoldDraft, locked_gold
from evals.review.annotation.form import (
    Form,
    broken_sums,
    form_of,
    is_cell,
    item_shown,
    label_of,
    line_of,
    paths_offered,
    progress,
)
from evals.review.annotation.journal import Entry
from evals.review.annotation.state import LISTS, DraftState
from evals.review.annotation.values import Wrong, item_of, item_with, line_with, shown, value_of
from evals.review.render import fragment, lang_of, page
from evals.review.settings import ReviewContext
from evals.review.words import words
from pipeline.errors import GoldError
from pipeline.fact import Bound, Scope, Template
from pipeline.schema import fields
from pipeline.statistics import local_rows

PAGE_ROWS = 200
MOST_CHANGES = 2000
_ID = re.compile(r"[a-z0-9_]{1,24}")
_STATES = ("none", "draft", "annotated", "damaged")


def routes(context: ReviewContext) -> list[Route]:
    """The pages of the annotation mode. Takes the lock of the folder until the server ends."""
    folder = context.settings.annotate
    if folder is None:
        return []
    context.resources.enter_context(locked_gold(folder))
    desk = Desk(folder, context.settings.annotator or getpass.getuser(), context.library)
    pages = Pages(context, desk)
    return [
        Route("/", pages.documents, methods=["GET"]),
        Route("/annotate/paths", pages.paths, methods=["GET"]),
        Route("/annotate/{n:int}", pages.form, methods=["GET"]),
        Route("/annotate/{n:int}/changes", pages.change, methods=["POST"]),
        Route("/annotate/{n:int}/undo", pages.undo, methods=["POST"]),
        Route("/annotate/{n:int}/redo", pages.undo, methods=["POST"]),
        Route("/annotate/{n:int}/finish", pages.finish, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Pages:
    """The answers to requests."""

    context: ReviewContext
    desk: Desk

    async def documents(self, request: Request) -> Response:
        """The list, filtered by name and state, a page at a time."""
        listed = await asyncio.to_thread(self.desk.listed)
        wanted, state = request.query_params.get("q", "").strip(), request.query_params.get("state", "")
        counts = {each: sum(document.state == each for document in listed) for each in _STATES}
        found = [
            document
            for document in listed
            if wanted.lower() in document.doc_id.lower() and state in ("", document.state)
        ]
        last = max(1, -(-len(found) // PAGE_ROWS))
        at = min(max(1, _number(request.query_params.get("page"))), last)
        following = next((each for each in listed if each.state in ("draft", "none")), None)
        return page(
            request,
            "annotate_documents.html",
            documents=found[(at - 1) * PAGE_ROWS : at * PAGE_ROWS],
            counts=counts,
            total=len(listed),
            found=len(found),
            at=at,
            last=last,
            q=wanted,
            state=state,
            following=following,
            folder=str(self.desk.folder),
            annotator=self.desk.annotator,
        )

    async def paths(self, _: Request) -> Response:
        """What a line of the prose can be about, for the field that is chosen from."""
        local = [
            {"path": row.key or "", "label": row.printed, "meaning": _meaning(row.key)}
            for row in local_rows()
        ]
        return JSONResponse({"paths": paths_offered(), "statistics": local})

    async def form(self, request: Request) -> Response:
        """The source and the form of a document."""
        number = request.path_params["n"]
        entry = self.desk.library.entry(number)
        try:
            draft = await asyncio.to_thread(self.desk.draft, number)
            state = await asyncio.to_thread(lambda: draft.state)
        except GoldError as error:
            return page(request, "annotate_refused.html", status_code=409, entry=entry, said=str(error))
        text = await self.desk.text(self.context, number)
        source = await self.context.source(number)
        return page(
            request,
            "annotate.html",
            number=number,
            entry=entry,
            count=len(self.desk.library),
            source=source,
            **_form_values(form_of(state, text), draft),
        )

    async def change(self, request: Request) -> Response:
        """`{key, old, new}`, or several as `{changes: […]}`, or one `field` of a line or an item."""
        number = request.path_params["n"]
        body = await _body(request)
        asked = body.get("changes", [body])
        if not isinstance(asked, list) or not 0 < len(asked) <= MOST_CHANGES:
            raise _bad("changes")
        text = await self.desk.text(self.context, number)
        key = _text_of(asked[0], "key")
        try:
            draft = await asyncio.to_thread(self.desk.draft, number)
            changes = []
            for each in asked:
                key = _text_of(each, "key")
                changes.append(_change_of(each, key, text))
            entry = await asyncio.to_thread(draft.change_all, changes, self.desk.annotator)
        except DraftConflict as error:
            return self._conflict(request, error, changes, draft, text)
        except Wrong as error:
            said = words(lang_of(request))(error.word, typed=error.typed)
            return JSONResponse({"error": said, "field": key}, 422)
        except (ValueError, GoldError) as error:
            return JSONResponse({"error": str(error), "field": key}, 422)
        return JSONResponse(self._answer(request, draft, text, [change.key for change in changes], entry))

    def _answer(
        self, request: Request, draft: GoldDraft, text: SearchText, keys: list[str], entry: Entry | None
    ) -> dict[str, Any]:
        """What a change brings about: the places themselves, or the whole form where rows come and go."""
        state = draft.state
        answer: dict[str, Any] = {"number": draft.number, "values": {}, "fragments": []}
        moved = {step.key for step in entry.steps} - {*keys, "status"} if entry else set()
        if moved or not all(_is_small(key) for key in keys):
            return answer | {"fragments": self._whole(request, draft, text)}
        for key in keys:
            name, _, item = key.partition("/")
            if name not in LISTS:
                answer["values"][key] = shown(state.value(key)) if is_cell(key) else state.value(key)
            elif item not in state.lists[name] or (entry and entry.steps[0].old is None):
                answer["fragments"].append(self._row(request, state, name, item, text))
            elif name == "narrative":
                answer["row"] = _line_json(state, item, text)
            else:
                answer["row"] = _item_json(state, name, item, text)
        answer["fragments"] += self._parts(request, draft, with_sums=any("/" not in key for key in keys))
        return answer

    def _row(
        self, request: Request, state: DraftState, name: str, item: str, text: SearchText
    ) -> dict[str, str]:
        """A line or item that is new, or nothing in the place of one that is gone."""
        row = f"line-{item}" if name == "narrative" else f"item-{name.replace('.', '-')}-{item}"
        if item not in state.lists[name]:
            return {"id": row, "html": ""}
        if name == "narrative":
            html = fragment(request, "annotate_line.html", line=line_of(state, item, text), **_choices())
        else:
            html = fragment(
                request, "annotate_item.html", item=item_shown(state, name, item, text), name=name
            )
        return {"id": row, "html": html, "into": f"list-{name}"}

    def _whole(self, request: Request, draft: GoldDraft, text: SearchText) -> list[dict[str, str]]:
        values = _form_values(form_of(draft.state, text), draft)
        number = request.path_params["n"]
        return [
            {"id": "form-body", "html": fragment(request, "annotate_form.html", number=number, **values)},
            {"id": "form-head", "html": fragment(request, "annotate_head.html", number=number, **values)},
        ]

    def _parts(self, request: Request, draft: GoldDraft, *, with_sums: bool) -> list[dict[str, str]]:
        state = draft.state
        filled, places = progress(state)
        values = {"filled": filled, "places": places, "status": state.head["status"], "draft": draft}
        parts = [{"id": "form-head", "html": fragment(request, "annotate_head.html", **values)}]
        if with_sums:
            sums = fragment(
                request,
                "annotate_findings.html",
                findings=tuple(state.value("findings")),
                broken=broken_sums(state),
            )
            parts.append({"id": "findings", "html": sums})
        return parts

    def _conflict(
        self,
        request: Request,
        error: DraftConflict,
        changes: list[Change],
        draft: GoldDraft,
        text: SearchText,
    ) -> Response:
        """Both values: what another window has put there, and what was to be put there by this one.

        Of lines, items and lists also the form as it is now; `whole`: a list, whose order or members changed.
        """
        mine = next(change.new for change in changes if change.key == error.key)
        conflict = {
            "key": error.key,
            "label": label_of(error.key),
            "mine": _said(mine),
            "theirs": _said(error.current),
            "current": shown(error.current) if is_cell(error.key) else error.current,
            "whole": error.key in (*LISTS, "findings"),
        }
        said = words(lang_of(request))(
            "annotate.conflict", place=conflict["label"], mine=conflict["mine"], theirs=conflict["theirs"]
        )
        is_listed = error.key.partition("/")[0] in (*LISTS, "findings")
        fragments = self._whole(request, draft, text) if is_listed else []
        answer = {"conflict": conflict, "error": said, "field": error.key, "fragments": fragments}
        return JSONResponse(answer, 409)

    async def undo(self, request: Request) -> Response:
        """Take back the last change, or do it again. `{number}` is the newest change that the page knows."""
        number = request.path_params["n"]
        body = await _body(request)
        spoken = words(lang_of(request))
        text = await self.desk.text(self.context, number)
        is_undo = request.url.path.endswith("/undo")
        try:
            draft = await asyncio.to_thread(self.desk.draft, number)
            if body.get("number") != draft.number:
                answer = {"error": spoken["annotate.other_window"], "number": draft.number}
                return JSONResponse(answer | {"fragments": self._whole(request, draft, text)}, 409)
            entry = await asyncio.to_thread(draft.undo if is_undo else draft.redo, self.desk.annotator)
        except GoldError as error:
            return JSONResponse({"error": str(error)}, 422)
        if entry is None:
            said = spoken["annotate.nothing_to_undo" if is_undo else "annotate.nothing_to_redo"]
            return JSONResponse({"say": said, "number": draft.number, "fragments": []})
        said = spoken("annotate.undone" if is_undo else "annotate.redone", place=label_of(entry.key))
        return JSONResponse(
            {
                "say": said,
                "key": entry.key,
                "number": draft.number,
                "fragments": self._whole(request, draft, text),
            }
        )

    async def finish(self, request: Request) -> Response:
        """Check the gold with its document; with no error left it is annotated."""
        number = request.path_params["n"]
        text = await self.desk.text(self.context, number)
        try:
            draft = await asyncio.to_thread(self.desk.draft, number)
            problems = await asyncio.to_thread(problems_of, draft, text)
            errors = [problem for problem in problems if problem.severity == "error"]
            if not errors and draft.value("status") != "annotated":
                changes = [Change("status", draft.value("status"), "annotated")]
                names = draft.value("annotators")
                if self.desk.annotator not in names:
                    changes.insert(0, Change("annotators", names, [*names, self.desk.annotator]))
                await asyncio.to_thread(draft.change_all, changes, self.desk.annotator)
        except GoldError as error:
            return JSONResponse({"error": str(error), "field": "finish"}, 422)
        spoken = words(lang_of(request))
        said = spoken("annotate.not_finished", n=len(errors)) if errors else spoken["annotate.finished"]
        shown_problems = fragment(
            request, "annotate_problems.html", problems=linked(draft.state, problems, spoken), done=not errors
        )
        return JSONResponse(
            {
                "done": not errors,
                "say": said,
                "number": draft.number,
                "fragments": [
                    {"id": "problems", "html": shown_problems},
                    *self._parts(request, draft, with_sums=True),
                ],
            }
        )


def _form_values(form: Form, draft: GoldDraft) -> dict[str, Any]:
    return {
        "form": form,
        "draft": draft,
        "filled": form.filled,
        "places": form.places,
        "status": form.status,
        "findings": form.findings,
        "broken": form.broken,
        **_choices(),
    }


def _choices() -> dict[str, Any]:
    return {"forms": get_args(Template), "bounds": get_args(Bound), "scopes": get_args(Scope)}


def _change_of(asked: Any, key: str, text: SearchText) -> Change:
    """The change of a draft that a page asks for. Raises Wrong and ValueError."""
    name, _, item = key.partition("/")
    old, new = asked.get("old"), asked.get("new")
    if name in LISTS and item and not _ID.fullmatch(item):
        raise ValueError(f"{key!r} is no key of a gold file")
    if name in LISTS and item and "field" in asked:
        return Change(key, old, _with_field(name, asked, old, text))
    if name in LISTS and item and isinstance(new, dict) and "span" in new:
        start, end = new["span"]
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text.text)):
            raise ValueError(f"{key}: span {new['span']!r} is no place of the text")
        return Change(key, None, _from_span(name, start, end, text))
    if not is_cell(key):
        return Change(key, old, new)
    return Change(key, value_of(key, _text_of(asked, "old")), value_of(key, _text_of(asked, "new")))


def _with_field(name: str, asked: Any, old: Any, text: SearchText) -> dict[str, Any]:
    if not isinstance(old, dict):
        raise ValueError(f"{name}: old is {old!r}; needed is the line that was seen")
    field_, typed = _text_of(asked, "field"), _text_of(asked, "new")
    if name != "narrative":
        return item_with(old, field_, typed, text)
    place = asked.get("place")
    return line_with(old, field_, typed, text, place if isinstance(place, int) else None)


def _from_span(name: str, start: int, end: int, text: SearchText) -> dict[str, Any]:
    """A line or an item from what was selected in the source."""
    if name != "narrative":
        return item_of(text, start, end)
    return line_with({}, "raw", text.text[start:end], text, start)


def _is_small(key: str) -> bool:
    """Whether a change of `key` alters its own place only."""
    return (
        not key.startswith("templates.")
        and key not in LISTS
        and key not in ("findings", "status", "annotators")
    )


def _line_json(state: DraftState, item: str, text: SearchText) -> dict[str, Any]:
    line = line_of(state, item, text)
    return {
        "key": f"narrative/{item}",
        "item": state.lists["narrative"][item],
        "shown": line.shown,
        "spans": [line.span],
        "label": line.label,
        "meaning": line.meaning,
        "hasLabel": line.has_label,
    }


def _item_json(state: DraftState, name: str, item: str, text: SearchText) -> dict[str, Any]:
    form = item_shown(state, name, item, text)
    return {
        "key": f"{name}/{item}",
        "item": state.lists[name][item],
        "shown": {"starts": form.starts, "ends": form.ends},
        "spans": [form.starts_span, form.ends_span],
    }


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "，".join(str(each) for each in value.values() if each is not None)
    if isinstance(value, list):
        return "，".join(map(str, value))
    return shown(value) or "~"


def _meaning(key: str | None) -> str:
    spec = fields().get(f"statistics.{key}")
    return "" if spec is None else spec.meaning.rpartition(": ")[2]


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        raise _bad("JSON") from None
    if not isinstance(body, dict):
        raise _bad("JSON")
    return body


def _text_of(asked: Any, name: str) -> str:
    value = asked.get(name) if isinstance(asked, dict) else None
    if not isinstance(value, str) or len(value) > 20_000:
        raise _bad(name)
    return value


def _bad(name: str) -> Exception:
    return HTTPException(400, name)


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 9 else 1
