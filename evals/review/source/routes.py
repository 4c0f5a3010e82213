"""Addresses of the source pane in every mode: pictures of pages, and where spans are printed on them."""

from __future__ import annotations

import re
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from evals.review.settings import ReviewContext
from evals.review.source.reading_child import NotShown
from evals.review.source.reading_requests import Place
from pipeline.document import Span

MOST_SPANS = 200
# Longer numbers are no place in any document; reading them would take time.
_SPAN = re.compile(r"(\d{1,9})-(\d{1,9})", re.ASCII)


def routes(context: ReviewContext) -> list[Route]:
    """GET /documents/{n}/pages/{page} and /documents/{n}/places?spans=12-15,40-42."""
    return [
        Route("/documents/{n:int}/pages/{page:int}", _picture, methods=["GET"]),
        Route("/documents/{n:int}/places", _places, methods=["GET"]),
    ]


async def _picture(request: Request) -> Response:
    context: ReviewContext = request.app.state.context
    number, page = request.path_params["n"], request.path_params["page"]
    try:
        picture = await context.reading.picture(context.library, number, page)
    except NotShown:
        raise HTTPException(404) from None
    return Response(picture, media_type="image/webp")


async def _places(request: Request) -> Response:
    """`{"places": [{"span": [start, end], "page", "width", "height", "boxes": [[x0, top, x1, bottom], …]}]}`.

    Sizes and boxes are in points. Spans of which the place cannot be told are left out.
    """
    context: ReviewContext = request.app.state.context
    spans = parse_spans(request.query_params.get("spans", ""))
    if spans is None:
        allowed = f"one to {MOST_SPANS} of the form START-END, with START ≤ END, parted by commas"
        return JSONResponse({"error": f"spans: {allowed}", "field": "spans"}, 422)
    try:
        places = await context.reading.places(context.library, request.path_params["n"], spans)
    except NotShown as error:
        return JSONResponse({"places": [], "notice": error.notice.key})
    return JSONResponse({"places": [_as_json(place) for place in places]})


def parse_spans(text: str) -> list[Span] | None:
    """`12-15,40-42` as spans; None where it is no list of them."""
    parts = text.split(",", MOST_SPANS)
    matches = [_SPAN.fullmatch(part) for part in parts]
    if len(parts) > MOST_SPANS or not all(matches):
        return None
    spans = [Span(int(match[1]), int(match[2])) for match in matches if match]
    return spans if all(span.start <= span.end for span in spans) else None


def _as_json(place: Place) -> dict[str, Any]:
    return {
        "span": [place.span.start, place.span.end],
        "page": place.page.number,
        "width": place.page.width,
        "height": place.page.height,
        "boxes": [[round(edge, 1) for edge in (box.x0, box.top, box.x1, box.bottom)] for box in place.boxes],
    }
