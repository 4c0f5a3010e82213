"""The application: the pages of one mode, the source pane's data and the static files behind the guard."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from evals.review.library import NoSuchDocument
from evals.review.security import MOST_BODY_BYTES, Guard, Keys, Refusal, refused
from evals.review.settings import Mode, ReviewContext
from evals.review.source import routes as source_routes
from pipeline.errors import GongkaiError

STATIC = Path(__file__).parent / "static"
# Each module has `routes(context)`. Only those of the mode are loaded: an annotator's server has
# no page that could show what the machine has read.
_MODULES: dict[Mode, tuple[str, ...]] = {
    "review": ("evals.review.queue.routes", "evals.review.figures.routes"),
    "annotate": ("evals.review.annotation.routes",),
    "adjudicate": ("evals.review.adjudication.routes",),
    "compare": ("evals.review.comparison.routes",),
}
# A name of one part without a separator: no other file than one of the folder can be meant.
_STATIC_NAME = re.compile(r"[a-z0-9_]+\.(?:css|js|svg)")
_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def make_app(context: ReviewContext, keys: Keys, names: Sequence[str] = ()) -> ASGIApp:
    """The application of a start; `context.settings.port` is the port that it listens on."""
    settings = context.settings
    return Guard(make_pages(context), keys, settings.host, settings.port, names)


def make_pages(context: ReviewContext) -> Starlette:
    """The pages without the guard."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        warming = asyncio.create_task(context.reading.warm())
        try:
            yield
        finally:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
            await context.reading.close()
            context.resources.close()

    app = Starlette(
        routes=_routes(context),
        lifespan=lifespan,
        max_body_size=MOST_BODY_BYTES,
        exception_handlers={
            HTTPException: _http_error,
            NoSuchDocument: _no_document,
            GongkaiError: _no_answer,
            RecursionError: _too_deep,
            Exception: _fault,
        },
    )
    # A redirect would name the host, and no page has two addresses.
    app.router.redirect_slashes = False
    app.state.context = context
    return app


def _routes(context: ReviewContext) -> list[BaseRoute]:
    found: list[BaseRoute] = [Route("/static/{name}", _static, methods=["GET"])]
    found += source_routes.routes(context)
    for module in _MODULES[context.settings.mode]:
        found += importlib.import_module(module).routes(context)
    return found


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    path = STATIC / name
    if not _STATIC_NAME.fullmatch(name) or path.is_symlink() or not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, media_type=_MEDIA_TYPES[path.suffix[1:]])


_NO_PAGE = Refusal(404, "security.no_page")
_TOO_LARGE = Refusal(413, "security.too_large")
_NO_METHOD = Refusal(405, "security.no_method")
_NO_DOCUMENT = Refusal(404, "security.no_document")
_FAULT = Refusal(500, "security.fault")
_BY_STATUS = {refusal.status: refusal for refusal in (_NO_PAGE, _TOO_LARGE, _NO_METHOD)}


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    refusal = _BY_STATUS.get(status, Refusal(status, "security.bad_request"))
    return _refused(request, refusal)


async def _no_document(request: Request, _: Exception) -> Response:
    return _refused(request, _NO_DOCUMENT)


async def _no_answer(request: Request, error: Exception) -> Response:
    return _refused(request, Refusal(500, _FAULT.key, str(error)))


async def _too_deep(request: Request, error: Exception) -> Response:
    """JSON that is nested a thousand times is a fault of whoever sent it."""
    if request.method != "POST":
        raise error
    return _refused(request, Refusal(400, "security.bad_request"))


async def _fault(request: Request, _: Exception) -> Response:
    return _refused(request, _FAULT)


def _refused(request: Request, refusal: Refusal) -> Response:
    return refused(refusal, is_for_script=request.method == "POST" or request.url.path.endswith("/places"))
