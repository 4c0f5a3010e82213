"""Requests that a review server has to refuse, and how it answers them.

    python tests/review_attacks.py [RUN]

starts the real command in each of its modes, sends every request as raw bytes and prints a line
a case and the counts. A case that should be answered is among them for each kind, so that a
server which refuses everything does not pass.
"""

from __future__ import annotations

import shutil
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from evals.review.security import HEADERS, Keys
from tests.review_material import SAMPLES, extracted
from tests.review_server import ReviewServer, review_server

Head = tuple[tuple[str, str], ...]
REFUSED = frozenset({400, 403, 404, 405, 413, 415, 422})
MODES = ("review", "annotate", "adjudicate", "compare")
_SECONDS = 30

# `{…}` in a case stands for a value of the server that is attacked.
HOST: Head = (("Host", "127.0.0.1:{port}"),)
COOKIE: Head = (("Cookie", "{cookie}"),)
KNOWN: Head = (*HOST, *COOKIE)
CHANGE: Head = (*KNOWN, ("Content-Type", "application/json"), ("X-Gongkai-CSRF", "{csrf}"))
# The page of a document and the addresses that take changes, by mode.
PAGES = {
    "review": "/documents/{}",
    "annotate": "/annotate/{}",
    "adjudicate": "/adjudicate/{}",
    "compare": "/compare/{}",
}
CHANGES = {
    "review": ("/documents/1/figures",),
    "annotate": ("/annotate/1/changes", "/annotate/1/undo", "/annotate/1/redo", "/annotate/1/finish"),
    "adjudicate": ("/adjudicate/1/decide", "/adjudicate/1/undo"),
    "compare": (),
}
CHANGED = "{changed}"


@dataclass(frozen=True)
class Attack:
    """A request, and with which status it may be answered."""

    group: str
    name: str
    path: str = "/"
    head: Head = KNOWN
    expected: frozenset[int] = REFUSED
    method: str = "GET"
    body: bytes = b""
    version: str = "HTTP/1.1"
    raw: bytes | None = None


@dataclass(frozen=True)
class Outcome:
    """How an attack was answered, and everything that was wrong with it."""

    attack: Attack
    status: int
    faults: tuple[str, ...]


def cases(mode: str) -> Iterator[Attack]:
    """All requests to a server of a mode, by groups."""
    yield from _hosts()
    yield from _origins()
    yield from _tokens()
    yield from _changes(mode)
    yield from _methods()
    yield from _paths(mode)
    yield from _numbers(mode)
    yield from _malformed()


def _hosts() -> Iterator[Attack]:
    for name in ("127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"):
        yield Attack("host", f"own name {name}", head=(("Host", name), *COOKIE), expected=frozenset({200}))
    wrong = (
        "attacker.example",
        "attacker.example:{port}",
        "127.0.0.1.attacker.example:{port}",
        "localhost.attacker.example:{port}",
        "7f000001.rebind.example:{port}",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:1",
        "127.0.0.1:0{port}",
        "127.0.0.1:{port}0",
        "127.0.0.1:{port}.attacker.example",
        "attacker.example:{port}@127.0.0.1:{port}",
        "127.0.0.1:{port}@attacker.example",
        "user@127.0.0.1:{port}",
        "localhost.:{port}",
        "0.0.0.0:{port}",
        "127.1:{port}",
        "2130706433:{port}",
        "0x7f.0.0.1:{port}",
        "127.0.0.2:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "[::1:{port}",
        "127.0.0.1:{port}, attacker.example",
        "attacker.example, 127.0.0.1:{port}",
        "127.0.0.1:{port}/..",
        "http://127.0.0.1:{port}",
        "127.0.0.1:http",
        "127.0.0.1:{port}\tx",
        "127.0.0.1\t:{port}",
        "local\thost:{port}",
        "LOCALHOST.:{port}",
        "[127.0.0.1]:{port}",
        "[::1%25lo]:{port}",
        "[::1]x:{port}",
        "[0:0:0:0:0:0:0:1]:{port}",
        "127.0.0.1:{port}#@attacker.example",
        "127.0.0.1:{port}?",
        "127.0.0.1:{port}\\@attacker.example",
        "１２７.0.0.1:{port}",
        "127。0。0。1:{port}",
        "127.0.0.1%00:{port}",
        "",
    )
    for host in wrong:
        yield Attack("host", f"Host: {host or '(empty)'}", head=(("Host", host), *COOKIE))
        yield Attack(
            "host", f"Host: {host or '(empty)'}, right token", "/?token={token}", head=(("Host", host),)
        )
    yield Attack("host", "no Host, HTTP/1.1", head=COOKIE)
    yield Attack("host", "no Host, HTTP/1.0", head=COOKIE, version="HTTP/1.0")
    twice = (*HOST, ("Host", "attacker.example"), *COOKIE)
    yield Attack("host", "two Hosts, own first", head=twice)
    yield Attack("host", "two Hosts, own last", head=(("Host", "attacker.example"), *KNOWN))
    for name in ("X-Forwarded-Host", "X-Forwarded-Server", "Forwarded"):
        forwarded = (("Host", "attacker.example"), (name, "127.0.0.1:{port}"), *COOKIE)
        yield Attack("host", f"own name in {name} only", head=forwarded)
    yield Attack("host", "two Hosts, both own", head=(*HOST, *KNOWN))
    yield Attack("host", "absolute target of another host", "http://attacker.example/", KNOWN)
    foreign = (("Host", "attacker.example"), *COOKIE)
    yield Attack(
        "host", "absolute target with the own name, Host of another", "http://127.0.0.1:{port}/", foreign
    )
    yield Attack("host", "target with a name in front", "//attacker.example:{port}/", KNOWN)
    yield Attack("host", "no Host, HTTP/1.0, right token", "/?token={token}", (), version="HTTP/1.0")


_FOREIGN_ORIGINS = (
    "http://attacker.example",
    "https://attacker.example",
    "http://127.0.0.1.attacker.example:{port}",
    "http://127.0.0.1:{port}.attacker.example",
    "http://attacker.example:{port}",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost:{port}",
    "http://user@127.0.0.1:{port}",
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port} http://attacker.example",
    "null",
    "",
    "file://",
    "chrome-extension://abcdef",
)


def _origins() -> Iterator[Attack]:
    own = (("Origin", "http://127.0.0.1:{port}"), ("Sec-Fetch-Site", "same-origin"))
    yield Attack("origin", "own Origin", head=(*KNOWN, *own), expected=frozenset({200}))
    yield _answered("origin", "change from the own Origin", own)
    yield Attack("origin", "typed address", head=(*KNOWN, ("Sec-Fetch-Site", "none")), expected=_only(200))
    for origin in _FOREIGN_ORIGINS:
        shown = origin or "(empty)"
        foreign = (("Origin", origin),)
        yield Attack("origin", f"GET, Origin: {shown}", head=(*KNOWN, *foreign), expected=_only(403))
        yield _change("origin", f"POST, Origin: {shown}", (*CHANGE, *foreign), _only(403))
    for site in ("cross-site", "same-site", "SAME-ORIGIN", "other", ""):
        shown = site or "(empty)"
        foreign = (("Sec-Fetch-Site", site),)
        yield Attack("origin", f"GET, Sec-Fetch-Site: {shown}", head=(*KNOWN, *foreign), expected=_only(403))
        yield _change("origin", f"POST, Sec-Fetch-Site: {shown}", (*CHANGE, *foreign), _only(403))
        path = "/?token={token}"
        name = f"right token, Sec-Fetch-Site: {shown}"
        yield Attack("origin", name, path, (*HOST, *foreign), _only(403))
    doubled = (*KNOWN, *own, ("Origin", "http://attacker.example"))
    yield Attack("origin", "two Origins", head=doubled, expected=_only(403))


def _tokens() -> Iterator[Attack]:
    yield Attack("token", "right token", "/?token={token}", HOST, _only(303))
    yield Attack("token", "right cookie", expected=_only(200))
    wrong = {
        "wrong": "x" * 43,
        "empty": "",
        "one character less": "{shorter}",
        "one character more": "{token}x",
        "first character alone": "{first}",
        "other case": "{swapped}",
        "of an earlier start": "{earlier}",
        "the CSRF value": "{csrf}",
        "the cookie's value": "{cookie_value}",
        "not ASCII": "%E4%BB%A4%E7%89%8C",
        "no UTF-8": "%FF%FE",
        "NUL": "{token}%00",
        "very long": "a" * 20_000,
    }
    for name, token in wrong.items():
        yield Attack("token", f"token {name}", f"/?token={token}", HOST, _only(403))
    yield Attack("token", "two tokens, right first", "/?token={token}&token=x", HOST, _only(403))
    yield Attack("token", "two tokens, right last", "/?token=x&token={token}", HOST, _only(403))
    yield Attack("token", "wrong token beside the cookie", "/?token=x", KNOWN, _only(403))
    yield Attack("token", "token in a POST", "/?token={token}", HOST, _only(403), "POST")
    yield Attack(
        "token", "token as a header", head=(*HOST, ("Authorization", "{token}")), expected=_only(403)
    )
    cookies = {
        "none": None,
        "wrong": "gongkai_{port}=x",
        "empty": "gongkai_{port}=",
        "the token itself": "gongkai_{port}={token}",
        "the CSRF value": "gongkai_{port}={csrf}",
        "of an earlier start": "gongkai_{port}={earlier_cookie}",
        "under another port's name": "gongkai_1={cookie_value}",
        "cut": "{shorter_cookie}",
        "other case": "GONGKAI_{port}={cookie_value}",
        "quoted": 'gongkai_{port}="{cookie_value}',
    }
    for name, cookie in cookies.items():
        head = HOST if cookie is None else (*HOST, ("Cookie", cookie))
        for path in ("/", "{document}", "/documents/1/pages/1", "/documents/1/places?spans=1-2"):
            yield Attack("token", f"cookie {name}, {path}", path, head, _only(403))
        yield Attack("token", f"cookie {name}, static", "/static/core.js", head, _only(403))
    odd = (*HOST, ("Cookie", 'a="{{; [x]=1; {cookie}; b={{"c": 1}}'))
    yield Attack("token", "right cookie among odd ones", head=odd, expected=_only(200))
    leads = ("//attacker.example/?token={token}", "/%5C/attacker.example/?token={token}")
    for path in leads:
        yield Attack("token", f"redirect to another host: {path}", path, HOST, _only(303))
    for query in (
        "next=https://attacker.example/",
        "lang=zh%0d%0aSet-Cookie:%20a=b",
        "x=%0d%0a%0d%0a<script>",
    ):
        yield Attack("token", f"redirect with {query}", f"/?token={{token}}&{query}", HOST, _only(303))
    for path in ("/%0d%0aLocation:%20http://attacker.example/", "/%0d%0aSet-Cookie:%20a=b"):
        yield Attack("token", f"redirect to {path}", f"{path}?token={{token}}", HOST, _only(303))
    for lang in ("zh%0d%0aSet-Cookie:%20a=b", "../../etc/passwd", "<script>", "zh;%20Domain=x", "en%00"):
        yield Attack("token", f"lang={lang}", f"/?lang={lang}", KNOWN, _only(200))
        shown = (*HOST, ("Cookie", f"{{cookie}}; gongkai_lang={lang}"))
        yield Attack("token", f"language cookie {lang}", "/", shown, _only(200))


def _changes(mode: str) -> Iterator[Attack]:
    yield _answered("change", "right header and type", ())
    yield _answered("change", "type with a charset", (), kind="application/json; charset=utf-8")
    marks = {
        "none": None,
        "empty": "",
        "wrong": "x",
        "the token": "{token}",
        "the cookie's value": "{cookie_value}",
        "cut": "{shorter_csrf}",
        "of an earlier start": "{earlier_csrf}",
    }
    plain = (*KNOWN, ("Content-Type", "application/json"))
    for name, mark in marks.items():
        head = plain if mark is None else (*plain, ("X-Gongkai-CSRF", mark))
        for path in (*CHANGES[mode], "/", PAGES[mode].format(1), "/static/core.js", "/nowhere"):
            yield _change("change", f"CSRF header {name}, {path}", head, _only(403), path)
    in_body = b'{"csrf": "{csrf}", "X-Gongkai-CSRF": "{csrf}"}'
    yield _change("change", "CSRF value in the body only", plain, _only(403), body=in_body)
    for kind in (
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/json-patch+json",
        "application/xml",
        "text/plain; application/json",
    ):
        head = (*KNOWN, ("X-Gongkai-CSRF", "{csrf}"))
        if kind is not None:
            head = (*head, ("Content-Type", kind))
        yield _change(
            "change", f"Content-Type: {'(none)' if kind is None else kind or '(empty)'}", head, _only(415)
        )
    large = b'{"a": "' + b"x" * (1024 * 1024) + b'"}'
    yield _change("change", "body over 1 MB", CHANGE, _only(413), body=large)
    claimed = (*CHANGE, ("Content-Length", "99999999999"))
    yield _change("change", "body of 100 GB announced", claimed, _only(413), body=b"{}")
    chunked = (*CHANGE, ("Transfer-Encoding", "chunked"))
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n10\r\n" + b" " * 16 + b"\r\n0\r\n\r\n"
    # Without a length it is counted by who reads it.
    read = _only(413 if CHANGES[mode] else 405)
    yield _change("change", "body over 1 MB in chunks", chunked, read, body=chunk)
    for name, body in _BODIES.items():
        for path in CHANGES[mode]:
            # There may be nothing to undo; an annotation is finished by the request itself.
            also = {409, 200} if path.endswith("/finish") else {409}
            yield _change("change", f"body: {name}, {path}", CHANGE, REFUSED | also, path, body)


_BODIES = {
    "no JSON": b"{",
    "no object": b"[1]",
    "NaN": b'{"a": NaN}',
    "not UTF-8": b'{"a": "\xff"}',
    "nested deeply": b"[" * 100_000,
    "lone surrogate": b'{"key": "\\ud800"}',
    "empty": b"",
    "a word": b'"x"',
    "null": b"null",
    "a number": b"1e999",
    "other types": b'{"key": 1, "old": [], "new": {}, "base": "x", "action": null, "target": 3, "id": {}}',
    "long key": b'{"key": "' + b"x" * 100_000 + b'", "old": null, "new": "1"}',
    "path as key": b'{"key": "../../etc/passwd", "old": null, "new": "1", "action": "../../x"}',
    "a name of Python's": b'{"key": "__class__.__init__", "old": null, "new": "1", "action": "__init__"}',
    "great number": b'{"number": ' + b"9" * 5000 + b"}",
}


def _methods() -> Iterator[Attack]:
    yield Attack("method", "HEAD", method="HEAD", expected=_only(200, 405))
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "CONNECT", "BREW"):
        for path in ("/", CHANGED, "/static/core.js"):
            yield Attack("method", f"{method} {path}", path, CHANGE, _only(405), method)
    asked = (*HOST, ("Origin", "http://attacker.example"), ("Access-Control-Request-Method", "POST"))
    yield Attack("method", "preflight of another site", CHANGED, asked, _only(405), "OPTIONS")
    overridden = (*KNOWN, ("X-HTTP-Method-Override", "POST"))
    yield Attack("method", "GET that claims to be a POST", CHANGED, overridden, _only(200, 404, 405))


_ESCAPES = (
    "../security.py",
    "..%2fsecurity.py",
    "..%2Fsecurity.py",
    "%2e%2e/security.py",
    "%2e%2e%2fsecurity.py",
    "%252e%252e%252fsecurity.py",
    "..%5csecurity.py",
    "..\\security.py",
    "....//security.py",
    "%c0%ae%c0%ae/security.py",
    "../../../../../../../../etc/passwd",
    "..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "file:///etc/passwd",
    "C:%5cWindows%5cwin.ini",
    "core.js%00",
    "core.js%00.css",
    "%00",
    "core.js/",
    "core.js%2f..%2fcore.js",
    "./core.js",
    ".",
    "..",
    "",
    "CORE.JS",
    ".gitignore",
    "core.js%20",
    "core.js::$DATA",
    "~root",
    "%",
    "%zz",
    "a" * 600 + ".js",
)


def _paths(mode: str) -> Iterator[Attack]:
    yield Attack("path", "a static file", "/static/core.js", expected=_only(200))
    for escape in _ESCAPES:
        shown = escape if len(escape) < 60 else f"{escape[:20]}…"
        yield Attack("path", f"/static/{shown}", f"/static/{escape}", expected=_only(400, 404))
        page = PAGES[mode]
        yield Attack("path", page.format(shown), page.format(escape), expected=_only(400, 404))
        yield Attack(
            "path", f"/documents/1/pages/{shown}", f"/documents/1/pages/{escape}", expected=_only(400, 404)
        )
    outside = (
        "/../evals/cli.py",
        "/..%2f..%2fetc/passwd",
        "/etc/passwd",
        "//etc/passwd",
        "/templates/base.html",
        "/evals/review/security.py",
        "/records.jsonl",
        "/run.json",
        "/review.jsonl",
        "/text/",
        "/.git/config",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/\\..\\..\\etc\\passwd",
        "/favicon.ico%00.html",
        "/docs",
        "/openapi.json",
        "/.well-known/security.txt",
    )
    for path in outside:
        yield Attack("path", path, path, expected=_only(400, 404))


def _numbers(mode: str) -> Iterator[Attack]:
    yield Attack("number", "places of a span", "/documents/1/places?spans=1-2", expected=_only(200))
    for number in ("0", "-1", "99999", "9" * 30, "9" * 450, "9" * 5000, "1e3", "1.5", "0x1", "+1", "1%20"):
        shown = number if len(number) < 31 else f"{len(number)} digits"
        for path in (PAGES[mode], "/documents/{}/pages/1", "/documents/{}/places?spans=1-2"):
            yield Attack(
                "number", path.replace("{}", shown), path.replace("{}", number), expected=_only(400, 404)
            )
        yield Attack("number", f"page {shown}", f"/documents/1/pages/{number}", expected=_only(400, 404))
    yield Attack("number", "digits of another script", PAGES[mode].format("%D9%A1"), expected=_only(404))
    for spans in (
        None,
        "",
        "1",
        "-",
        "1-",
        "-1",
        "5-2",
        "-1-2",
        "a-b",
        "1-2,",
        "1-2;3-4",
        "1-2-3",
        "1.0-2",
        "1e9-2e9",
        "9999999999-99999999999",
        "%D9%A1-%D9%A2",
        "1-2%00",
        ",".join(["1-2"] * 201),
        "1-" + "9" * 5000,
        "<script>-</script>",
    ):
        query = "" if spans is None else f"?spans={spans}"
        shown = "(none)" if spans is None else spans if len(spans) < 40 else f"{len(spans)} characters"
        yield Attack("number", f"spans={shown}", f"/documents/1/places{query}", expected=_only(400, 422))
    beyond = "/documents/1/places?spans=999999998-999999999"
    yield Attack("number", "span beyond the text", beyond, expected=_only(200))


def _malformed() -> Iterator[Attack]:
    only = _only(400, 403, 404, 405)
    for name, raw in {
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "words": b"hello\r\n\r\n",
        "header without a colon": b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
        "line feed in a header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX: a\nb\r\n\r\n",
        "space before a colon": b"GET / HTTP/1.1\r\nHost : 127.0.0.1:{port}\r\n\r\n",
        "two lengths": b"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 1\r\n"
        b"Content-Length: 2\r\n\r\nab",
        "length and chunks": b"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "headers of 200 KB": b"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX: "
        + b"a" * 200_000
        + b"\r\n\r\n",
        "HTTP/2 at once": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "target without a slash": b"GET etc/passwd HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n",
        "NUL in the target": b"GET /\x00 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n",
    }.items():
        yield Attack("malformed", name, expected=only, raw=raw)


def _only(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


def _change(
    group: str,
    name: str,
    head: Head,
    expected: frozenset[int] = REFUSED,
    path: str = CHANGED,
    body: bytes = b"{}",
) -> Attack:
    return Attack(group, name, path, head, expected, "POST", body)


def _answered(group: str, name: str, head: Head, kind: str = "application/json") -> Attack:
    """A change that gets through to the page, which finds that `{}` says nothing."""
    head = (*KNOWN, ("Content-Type", kind), ("X-Gongkai-CSRF", "{csrf}"), *head)
    return _change(group, name, head, _only(200, 400, 404, 405, 409, 422))


@dataclass
class Target:
    """A server and the values with which it is attacked. `secrets` may stand in no answer."""

    server: ReviewServer
    values: dict[str, str]
    secrets: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, server: ReviewServer, mode: str, earlier: dict[str, str]) -> Target:
        cookie, csrf = server.cookie(), Keys(server.token).csrf
        value = cookie.partition("=")[2]
        values = {
            "port": str(server.port),
            "document": PAGES[mode].format(1),
            "changed": CHANGES[mode][0] if CHANGES[mode] else "/",
            "token": server.token,
            "cookie": cookie,
            "cookie_value": value,
            "csrf": csrf,
            "shorter": server.token[:-1],
            "first": server.token[0],
            "swapped": server.token.swapcase(),
            "shorter_cookie": cookie[:-1],
            "shorter_csrf": csrf[:-1],
            **earlier,
        }
        return cls(server, values, (server.token, value))

    def filled(self, text: str) -> str:
        for key, value in self.values.items():
            text = text.replace(f"{{{key}}}", value)
        return text

    def send(self, attack: Attack) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by their names in small letters, and body of the answer to raw bytes."""
        if attack.raw is not None:
            request = attack.raw.replace(b"{port}", self.values["port"].encode())
        else:
            request = self._request(attack)
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=_SECONDS) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # refused before it had all
                connection.sendall(request)
            return _answer(connection)

    def _request(self, attack: Attack) -> bytes:
        body = self.filled(attack.body.decode("latin-1")).encode("latin-1")
        lines = [f"{attack.method} {self.filled(attack.path)} {attack.version}"]
        lines += [f"{name}: {self.filled(value)}" for name, value in attack.head]
        names = {name for name, _ in attack.head}
        if attack.method == "POST" and not names & {"Content-Length", "Transfer-Encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        lines.append("Connection: close")
        return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body


def _answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    received = b""
    with suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            received += chunk
            if _is_whole(received):
                break
    if not received:
        return 0, {}, b""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
    exact = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in lines if ": " in line}
    return int(first.split(" ")[1]), headers | exact, body


def _is_whole(received: bytes) -> bool:
    """An answer of a stated length need not wait for the connection's end."""
    head, found, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if found and line.startswith(b"content-length: "):
            return len(body) >= int(line.partition(b": ")[2])
    return False


def judged(target: Target, attack: Attack) -> Outcome:
    """Send it and look at all that must hold of the answer."""
    status, headers, body = target.send(attack)
    faults = []
    if status not in attack.expected:
        faults.append(f"status {status}, expected {' or '.join(map(str, sorted(attack.expected)))}")
    if status:
        faults += [f"header {name}" for name, value in HEADERS.items() if headers.get(name.lower()) != value]
    for secret in target.secrets:
        if secret.encode() in body:
            faults.append("a secret in the answer")
    given = headers.get("set-cookie", "gongkai_")
    if not given.startswith("gongkai_") or "domain" in given.lower():
        faults.append(f"sets {given}")
    if any(name.startswith("access-control-") for name in headers):
        faults.append("opens itself to other origins")
    where = headers.get("location", "/")
    if not where.startswith("/") or where[1:2] in ("/", "\\") or target.values["token"] in where:
        faults.append(f"leads to {where}")
    if b"<script>-" in body or b"<script>owned" in body or b'<script>"' in body:
        faults.append("repeats markup of the request")
    leaked = (b"root:x:", b"import annotations", b"[core]", b'{"doc_id"')
    if status != 200 and any(mark in body for mark in leaked):
        faults.append("shows a file")
    if status == 200 and status not in attack.expected:
        faults.append("was answered")
    return Outcome(attack, status, tuple(faults))


def attacked(server: ReviewServer, mode: str, earlier: dict[str, str]) -> list[Outcome]:
    """Every case against one server, which has to answer as before afterwards."""
    target = Target.of(server, mode, earlier)
    outcomes = [judged(target, attack) for attack in cases(mode)]
    outcomes.append(judged(target, Attack("afterwards", "the server still answers", expected=_only(200))))
    written = target.server.errors + target.server.printed.replace(target.server.url, "")
    faults = tuple("a secret in the output" for secret in target.secrets if secret in written)
    faults += tuple("an error in the output" for _ in range("Traceback" in written))
    quiet = Attack("afterwards", "no secret and no error in what the server wrote")
    return [*outcomes, Outcome(quiet, 0, faults)]


@contextmanager
def servers(run: Path, folder: Path, modes: Sequence[str] = MODES) -> Iterator[dict[str, ReviewServer]]:
    """A server of each mode at the same time, each on its copy of `run`."""
    with ExitStack() as stack:
        yield {
            mode: stack.enter_context(review_server(*_of_mode(run, folder / mode, mode))) for mode in modes
        }


def _of_mode(run: Path, folder: Path, mode: str) -> tuple[Path, *tuple[str, ...]]:
    """The run folder and the options of a server in `mode`."""
    copy = folder / "run"
    shutil.copytree(run, copy)
    if mode == "annotate":
        return copy, "--annotate", str(folder / "gold"), "--annotator", "a"
    if mode == "adjudicate":
        for name in ("a", "b"):
            (folder / name).mkdir()
            for gold in SAMPLES.glob("*.yaml"):
                shutil.copy(gold, folder / name)
        return copy, "--adjudicate", str(folder / "a"), str(folder / "b"), "--out", str(folder / "decided")
    if mode == "compare":
        shutil.copytree(run, folder / "other")
        return copy, "--compare", str(folder / "other")
    return copy, "--annotator", "a"


def secrets_of(server: ReviewServer) -> dict[str, str]:
    """Secrets of a start, for the time when it has ended."""
    return {
        "earlier": server.token,
        "earlier_cookie": server.cookie().partition("=")[2],
        "earlier_csrf": Keys(server.token).csrf,
    }


def earlier_start(run: Path, folder: Path) -> dict[str, str]:
    """Secrets of a server that has ended."""
    with review_server(*_of_mode(run, folder / "earlier", "review")) as server:
        return secrets_of(server)


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A line a case, then the counts of each group."""
    for outcome in outcomes:
        said = "; ".join(outcome.faults) or "ok"
        yield f"{outcome.attack.group:10} {outcome.status or '':>4} {said:6} {outcome.attack.name[:90]}"
    yield ""
    groups = Counter(outcome.attack.group for outcome in outcomes)
    bad = Counter(outcome.attack.group for outcome in outcomes if outcome.faults)
    statuses = {
        group: Counter(outcome.status for outcome in outcomes if outcome.attack.group == group)
        for group in groups
    }
    for group, count in groups.items():
        answers = ", ".join(f"{n} × {status}" for status, n in sorted(statuses[group].items()) if status)
        yield f"{group:10} {count:4} cases, {bad[group]} wrong ({answers})"
    yield f"{'all':10} {len(outcomes):4} cases, {sum(bad.values())} wrong"


def main() -> int:
    """Attack a server of every mode; 1 where an answer was wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = Path(sys.argv[1]) if len(sys.argv) > 1 else extracted(folder, SAMPLES)
        earlier = earlier_start(run, folder)
        is_bad = False
        with servers(run, folder) as running:
            for mode, server in running.items():
                outcomes = attacked(server, mode, earlier)
                print(f"\n== {mode} ==")
                print("\n".join(table(outcomes)))
                is_bad = is_bad or any(outcome.faults for outcome in outcomes)
    return int(is_bad)


if __name__ == "__main__":
    sys.exit(main())
