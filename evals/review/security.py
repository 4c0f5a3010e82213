"""Who may ask the review server, and what a browser may do with its answers.

A page of another site can send requests to this machine, and can give its own name this
machine's address (DNS rebinding). So `Guard` lets a request through only if

1. its Host is one under which the server was started,
2. its Origin, if it has one, is the server's own, and Sec-Fetch-Site tells of no other site,
3. it has the cookie that the printed address gave: the address holds the token of this start,
4. a change has the header X-Gongkai-CSRF and a JSON body, which no form of another site can send.

Every answer carries the same headers: nothing inline runs, nothing is loaded from elsewhere,
nothing is kept in a cache.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import ipaddress
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from evals.review.words import words

CSRF_HEADER = "X-Gongkai-CSRF"
MOST_BODY_BYTES = 1024 * 1024
MOST_PATH_BYTES = 512  # a longer one names nothing, and a number of thousands of digits takes long to read
METHODS = ("GET", "HEAD", "POST")
_WILDCARDS = ("0.0.0.0", "::")
_OWN_SITE = ("same-origin", "none")
_JSON = "application/json"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types fragments",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_ERROR_PAGE = (
    '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" '
    'content="width=device-width"><title>{status}</title><h1>{status}</h1><p>{zh}</p>'
    '<p lang="en">{en}</p><p>{detail}</p>'
)


@dataclass
class Keys:
    """The secrets of one start. Cookie and CSRF value are made from the token and do not give it away.

    `ticket` opens the page once: it is what the browser is started with, whose command line other
    users of the machine may see. If it comes a second time, one of the two was somebody else: the
    cookie that it gave, which is not that of the token, is good for nothing from then on.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    ticket: str | None = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    _of_ticket: str = field(default_factory=lambda: secrets.token_urlsafe(32), init=False, repr=False)
    _is_ticket_used: bool = field(default=False, init=False)
    _is_ticket_spoilt: bool = field(default=False, init=False)

    @property
    def cookie(self) -> str:
        """The value of the cookie that the token gives."""
        return self._derived("cookie")

    @property
    def csrf(self) -> str:
        """The value of the header that every change has to carry."""
        return self._derived("csrf")

    def _derived(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    def open_with(self, offered: str) -> str | None:
        """The value of the cookie for the token, and for the ticket the first time; else None."""
        if is_same(offered, self.token):
            return self.cookie
        if self.ticket is None or not is_same(offered, self.ticket):
            return None
        if self._is_ticket_used:
            self._is_ticket_spoilt = True
            return None
        self._is_ticket_used = True
        return self._of_ticket

    def has_given(self, cookie: str) -> bool:
        """Whether this is the value of a cookie that is in force."""
        of_ticket = self._is_ticket_used and not self._is_ticket_spoilt and is_same(cookie, self._of_ticket)
        return is_same(cookie, self.cookie) or of_ticket


def is_same(offered: str, secret: str) -> bool:
    """Compare in a time that tells nothing of where the two differ."""
    return hmac.compare_digest(offered.encode("utf-8", "replace"), secret.encode())


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered: an HTTP status, and a key of words.yaml."""

    status: int
    key: str
    detail: str = ""


_FOREIGN = Refusal(403, "security.foreign")
_WRONG_HOST = Refusal(403, "security.wrong_host")
_NO_TOKEN = Refusal(403, "security.no_token")
_NO_CSRF = Refusal(403, "security.no_csrf")
_NO_JSON = Refusal(415, "security.no_json")
_NO_METHOD = Refusal(405, "security.no_method")
_NO_PAGE = Refusal(404, "security.no_page")
_TWO_LENGTHS = Refusal(400, "security.bad_request")


class Guard:
    """The application with the checks in front of it and the headers on every answer."""

    def __init__(self, app: ASGIApp, keys: Keys, host: str, port: int, names: Sequence[str] = ()) -> None:
        """`names` are further names and addresses under which the server may be asked."""
        self._app = app
        self._keys = keys
        self._port = port
        self._names = frozenset(_names(host, names))
        # An address cannot be rebound: a browser that names one asks the machine that has it.
        self._allows_addresses = host in _WILDCARDS
        self.cookie_name = f"gongkai_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._answer(scope, Headers(scope=scope))
        await (answer or self._app)(scope, receive, send_with_headers)

    def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        """A refusal, or the redirect that sets the cookie; None where the request may go on."""
        is_change = scope["method"] == "POST"
        refusal = _NO_METHOD if scope["method"] not in METHODS else self._foreign(headers)
        tokens = _tokens(scope)
        if refusal is None and tokens and scope["method"] == "GET":
            cookie = self._keys.open_with(tokens[0]) if len(tokens) == 1 else None
            if cookie is not None:
                return self._opened(scope, cookie)
            refusal = _NO_TOKEN
        refusal = refusal or self._unknown(headers, is_change)
        if refusal is None and len(scope["path"].encode("utf-8", "replace")) > MOST_PATH_BYTES:
            refusal = _NO_PAGE
        if refusal is None:
            return None
        answer = refused(refusal, is_for_script=is_change)
        answer.headers["Connection"] = "close"  # what was sent behind it is not looked at
        return answer

    def _foreign(self, headers: Headers) -> Refusal | None:
        """Why a request is none of this server's own pages."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return _WRONG_HOST
        if any(origin.lower() != f"http://{hosts[0].lower()}" for origin in headers.getlist("origin")):
            return _FOREIGN
        if any(site not in _OWN_SITE for site in headers.getlist("sec-fetch-site")):
            return _FOREIGN
        # Where a body ends is said twice: who stands between may believe the other one.
        return _TWO_LENGTHS if {"content-length", "transfer-encoding"} <= set(headers) else None

    def _unknown(self, headers: Headers, is_change: bool) -> Refusal | None:
        """Why a request is not of the browser that has opened the address, or no change that it sent."""
        if not self._keys.has_given(_cookie(headers, self.cookie_name)):
            return _NO_TOKEN
        if is_change and not is_same(headers.get(CSRF_HEADER, ""), self._keys.csrf):
            return _NO_CSRF
        if is_change and headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
            return _NO_JSON
        return None

    def _opened(self, scope: Scope, cookie: str) -> Response:
        """The same address without the token, and the cookie."""
        rest = urlencode([(key, value) for key, value in _query(scope) if key != "token"])
        # Slashes in front would make it the address of another host.
        path = "/" + quote(scope["path"].lstrip("/\\"), safe="/")
        answer = RedirectResponse(path + (f"?{rest}" if rest else ""), status_code=303)
        answer.set_cookie(self.cookie_name, cookie, httponly=True, samesite="strict", path="/")
        return answer

    def _is_own(self, host: str) -> bool:
        name, port = _split(host)
        if not name or port != self._port:
            return False
        return name in self._names or (self._allows_addresses and _is_address(name))


def refused(refusal: Refusal, *, is_for_script: bool) -> Response:
    """The answer to a request that is not answered, in both languages: a page, or JSON for scripts.

    Whoever is refused has no language set yet, and nothing of the request is repeated.
    """
    zh, en = (words(lang)[refusal.key] for lang in ("zh", "en"))
    if is_for_script:
        return JSONResponse({"error": " / ".join(filter(None, (zh, en, refusal.detail)))}, refusal.status)
    said = {"zh": zh, "en": en, "detail": refusal.detail}
    page = _ERROR_PAGE.format(status=refusal.status, **{key: html.escape(text) for key, text in said.items()})
    return HTMLResponse(page, refusal.status)


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _tokens(scope: Scope) -> list[str]:
    return [value for key, value in _query(scope) if key == "token"]


def _names(host: str, names: Sequence[str]) -> Iterator[str]:
    for name in (host, *names):
        if name not in _WILDCARDS:
            yield name.lower()
    # Loopback has several names, and a wildcard listens there too.
    if host in (*_WILDCARDS, "localhost") or _is_loopback(host):
        yield from ("127.0.0.1", "localhost", "::1")


def _split(host: str) -> tuple[str, int]:
    """Name and port of a Host header; a name that no host has where it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        port = 80 if parts.port is None else parts.port
    except ValueError:
        return "", 0
    name = parts.hostname or ""
    shown = f"[{name}]" if ":" in name else name
    if host.lower() not in (f"{shown}:{port}", shown if port == 80 else None):
        return "", 0
    return name, port


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _cookie(headers: Headers, name: str) -> str:
    # Lenient: cookies of other servers on this machine come along, whatever their form.
    return cookie_parser(headers.get("cookie", "")).get(name, "")


def raw_headers() -> Iterator[tuple[bytes, bytes]]:
    """The headers for answers that are made below the application: of requests that are no HTTP."""
    for key, value in HEADERS.items():
        yield key.lower().encode(), value.encode()
