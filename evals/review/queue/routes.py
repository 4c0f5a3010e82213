"""The list of the run's documents, and the way to the next figure.

    GET /            documents with status, findings and what is checked; 100 a page
    GET /next        to the next figure: kind=unchecked|flagged|sample, after=N&key=K, in=N;
                     asked for JSON it says number, key and address of the figure
    GET /progress    the counts again, while the records are being read

The list comes from the briefs and waits for nothing; what the queue knows is filled in as it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from evals.review.library import Entry
from evals.review.queue.index import RiskIndex
from evals.review.queue.state import DocumentRisk, Kind, Place, QueueState
from evals.review.render import environment, fragment, page
from evals.review.settings import ReviewContext
from evals.review.words import words
from pipeline.fact import RecordStatus, Severity

ON_A_PAGE = 100
_TEMPLATES = ("base.html", "documents.html", "documents_list.html", "queue_state.html")

Sort = Literal["risk", "findings", "name", "number"]
Show = Literal["all", "unchecked", "flagged"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SORTS: tuple[Sort, ...] = get_args(Sort)
SHOWS: tuple[Show, ...] = get_args(Show)
STATUSES: tuple[RecordStatus, ...] = get_args(RecordStatus)
SAID = (*(f"none_{kind}" for kind in KINDS), "not_read")


@dataclass(frozen=True, slots=True)
class Row:
    """A document of the list."""

    entry: Entry
    risk: DocumentRisk

    def count(self, severity: Severity) -> int:
        """Findings of a severity."""
        return sum(n for (_, each), n in self.entry.brief.rules.items() if each == severity)

    @property
    def errors(self) -> int:
        """Findings that are errors."""
        return self.count("error")

    @property
    def warnings(self) -> int:
        """Findings that are warnings."""
        return self.count("warning")

    @property
    def unchecked(self) -> int:
        """Figures nobody has looked at; all until the queue has come to the document."""
        return self.risk.facts - self.risk.checked

    @property
    def searched(self) -> str:
        """What the search looks at."""
        known = (self.entry.doc_id, self.entry.brief.file, self.risk.issuer, self.risk.year)
        return "\n".join(str(each) for each in known if each is not None).casefold()


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the list is asked for. `sort` None: risk as soon as it is known."""

    text: str = ""
    status: RecordStatus | None = None
    show: Show = "all"
    sort: Sort | None = None
    page: int = 1

    @classmethod
    def of(cls, request: Request) -> Choice:
        """From the address; what is not understood counts as not said."""
        asked = request.query_params
        number = asked.get("page", "1")
        return cls(
            asked.get("q", "").strip(),
            next((each for each in STATUSES if each == asked.get("status")), None),
            next((each for each in SHOWS if each == asked.get("show")), "all"),
            next((each for each in SORTS if each == asked.get("sort")), None),
            int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1,
        )

    @property
    def is_filter(self) -> bool:
        """Whether some documents may be left out."""
        return bool(self.text) or self.status is not None or self.show != "all"

    def address(self, number: int) -> str:
        """The list with the same choice, another page."""
        asked = {"q": self.text, "status": self.status, "show": self.show, "sort": self.sort, "page": number}
        kept = {
            key: value
            for key, value in asked.items()
            if value not in ("", None, "all") and (key, value) != ("page", 1)
        }
        return f"/?{urlencode(kept)}" if kept else "/"


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of the list; `first` and `last` count from 1 among the `count` documents chosen."""

    rows: Sequence[Row]
    count: int
    page: int
    pages: int

    @property
    def first(self) -> int:
        """The first one's place; 0 where there is none."""
        return (self.page - 1) * ON_A_PAGE + 1 if self.count else 0

    @property
    def last(self) -> int:
        """The last one's place."""
        return min(self.page * ON_A_PAGE, self.count)


def routes(context: ReviewContext) -> list[BaseRoute]:
    """The list and the queue; the queue begins to read the records."""
    if context.reviews is None:
        raise ValueError("the list of documents needs the review log of the run")
    index = RiskIndex(context.library, context.reviews)
    _warm()
    index.start()
    context.resources.callback(index.close)
    pages = DocumentPages(context, index)
    return [
        Route("/", pages.list_documents, methods=["GET"]),
        Route("/next", pages.go_to_next, methods=["GET"]),
        Route("/progress", pages.progress, methods=["GET"]),
    ]


def _warm() -> None:
    """Load what the first page would have to wait for."""
    words("zh")
    for name in _TEMPLATES:
        environment().get_template(name)


class DocumentPages:
    """The pages of the list."""

    def __init__(self, context: ReviewContext, index: RiskIndex) -> None:
        self._context, self._index = context, index

    async def list_documents(self, request: Request) -> Response:
        """The whole page."""
        with self._index.held():
            return page(request, "documents.html", **self._view(request))

    async def progress(self, request: Request) -> Response:
        """The counts, and the list itself once every document is read."""
        view = self._view(request)
        names = {"queue-state": "queue_state.html"}
        if view["state"].is_complete:
            names["documents"] = "documents_list.html"
        fragments = [{"id": key, "html": fragment(request, name, **view)} for key, name in names.items()]
        state: QueueState = view["state"]
        return JSONResponse(
            {
                "complete": state.is_complete,
                "read": state.documents_read,
                "documents": state.documents,
                "figures": state.figures,
                "checked": state.checked,
                "flagged": state.flagged,
                "remaining": state.remaining.count,
                "fragments": fragments,
            },
            headers={"Cache-Control": "no-store"},
        )

    async def go_to_next(self, request: Request) -> Response:
        """To the page of the next figure, or back to the list where none is left."""
        asked = request.query_params
        kind = next((each for each in KINDS if each == asked.get("kind", "unchecked")), None)
        if kind is None:
            raise HTTPException(404)
        self._index.sync()
        after = Place(_number(asked.get("after")), asked.get("key", "")) if "after" in asked else None
        within = _number(asked["in"]) if "in" in asked else None
        place = self._index.next(kind, after, within, self._context.settings.target)
        if place is None:
            said = f"none_{kind}" if self._index.wait(0) else "not_read"
            return _went(request, {"address": f"/?said={said}", "number": None, "key": None})
        address = f"/documents/{place.number}#figure-{quote(place.key, safe='~')}"
        return _went(request, {"address": address, "number": place.number, "key": place.key})

    def _view(self, request: Request) -> dict[str, Any]:
        self._index.sync()
        settings = self._context.settings
        choice = Choice.of(request)
        state = self._index.state(settings.target, settings.annotator)
        sort = choice.sort or ("risk" if state.is_complete else "findings")
        entries = self._context.library.entries
        rows = [Row(entry, self._index.document(entry.number)) for entry in entries]
        said = request.query_params.get("said")
        return {
            "run": settings.run.name or str(settings.run),
            "state": state,
            "target": f"{100 * settings.target:g}",
            "time_left": _time_left(state),
            "choice": choice,
            "sort": sort,
            "shown": _shown(rows, choice, sort),
            "said": said if said in SAID else None,
        }


def _went(request: Request, way: dict[str, Any]) -> Response:
    """The way as a redirect; as JSON for a script, which may be on the right page already."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(way, headers={"Cache-Control": "no-store"})
    return RedirectResponse(way["address"], 303)


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _shown(rows: Sequence[Row], choice: Choice, sort: Sort) -> Shown:
    asked = choice.text.casefold().split()
    chosen = [row for row in rows if _is_chosen(row, choice, asked)] if choice.is_filter else list(rows)
    chosen.sort(key=_ORDERS[sort])
    pages = max(1, -(-len(chosen) // ON_A_PAGE))
    at = min(max(choice.page, 1), pages)
    return Shown(chosen[(at - 1) * ON_A_PAGE : at * ON_A_PAGE], len(chosen), at, pages)


def _is_chosen(row: Row, choice: Choice, asked: Sequence[str]) -> bool:
    if choice.status is not None and row.entry.brief.status != choice.status:
        return False
    if choice.show == "unchecked" and not row.unchecked:
        return False
    if choice.show == "flagged" and not (row.risk.flagged if row.risk.is_read else row.errors + row.warnings):
        return False
    searched = row.searched if asked else ""
    return all(word in searched for word in asked)


_ORDERS: dict[Sort, Callable[[Row], Any]] = {
    "risk": lambda row: (-row.risk.expected, row.entry.number),
    "findings": lambda row: (-row.errors, -row.warnings, row.entry.number),
    "name": lambda row: (row.entry.doc_id, row.entry.number),
    "number": lambda row: row.entry.number,
}


def _time_left(state: QueueState) -> tuple[str, str] | None:
    """The time that the remaining checks take at the reviewer's pace: a number and its unit."""
    if state.seconds_a_check is None or not state.remaining.count:
        return None
    minutes = state.remaining.count * state.seconds_a_check / 60
    return (f"{max(1, round(minutes))}", "minutes") if minutes < 120 else (f"{minutes / 60:.1f}", "hours")
