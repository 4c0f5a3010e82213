"""Templates → pages and parts of pages, in the language of whoever asks.

Everything is escaped; a name that a template uses and nobody gave raises.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from evals.review.words import LANGS, Lang, words

TEMPLATES = Path(__file__).with_name("templates")
LANG_COOKIE = "gongkai_lang"
_YEAR_SECONDS = 365 * 86_400


def page(request: Request, template: str, *, status_code: int = 200, **context: Any) -> HTMLResponse:
    """A whole page. A language that the address asks for (`?lang=zh`) is remembered."""
    response = HTMLResponse(fragment(request, template, **context), status_code)
    response.headers["Cache-Control"] = "no-store"
    if request.query_params.get("lang") in LANGS:
        response.set_cookie(
            LANG_COOKIE,
            request.query_params["lang"],
            max_age=_YEAR_SECONDS,
            httponly=True,
            samesite="strict",
        )
    return response


def fragment(request: Request, template: str, **context: Any) -> str:
    """A template as text, for a page or for the part of one that has changed."""
    return environment().get_template(template).render(**_usual(request), **context)


def lang_of(request: Request) -> Lang:
    """The language asked for: in the address, before, at the start of the server, by the browser."""
    started_with = request.app.state.context.settings.lang
    for asked in (request.query_params.get("lang"), request.cookies.get(LANG_COOKIE), started_with):
        for lang in LANGS:
            if asked == lang:
                return lang
    return "zh" if _first_language(request).startswith("zh") else "en"


def _first_language(request: Request) -> str:
    return request.headers.get("accept-language", "").split(",")[0].strip().lower()


def _usual(request: Request) -> dict[str, Any]:
    """What every template can use."""
    lang = lang_of(request)
    context = request.app.state.context
    spoken = words(lang)
    return {
        "t": spoken,
        "lang": lang,
        "other_lang": "en" if lang == "zh" else "zh",
        "other_lang_url": str(request.url.include_query_params(lang="en" if lang == "zh" else "zh").query),
        "path": request.url.path,
        "csrf": context.csrf,
        "mode": context.settings.mode,
        "browser_words": json.dumps(spoken.for_browser, ensure_ascii=False),
    }


@cache
def environment() -> Environment:
    """The Jinja environment of all pages."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["count"] = lambda number: f"{number:,}"
    return made
