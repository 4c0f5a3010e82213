"""A review server as users start it, raw requests to it, and a browser that notes what a page does."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

from evals.review.words import LANGS, words
from tests.browser import Scheme

_START_SECONDS = 60
_ADDRESS = re.compile(r"http://\S+/\?token=\S+")
STILL_READING = tuple(words(lang)["source.still_reading"] for lang in LANGS)
# Five seconds, the usual time, are short where other work runs on two cores.
expect.set_options(timeout=20_000)
COMMAND = (sys.executable, "-c", "from evals.cli import main; main()", "review")


@dataclass
class ReviewServer:
    """A running `gongkai review`. `url` opens it; `base` is the same without the token."""

    process: subprocess.Popen[str]
    url: str
    _errors: list[str] = field(default_factory=list, repr=False)
    _printed: list[str] = field(default_factory=list, repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def base(self) -> str:
        return self.url.partition("/?")[0]

    @property
    def token(self) -> str:
        return self.url.partition("token=")[2]

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    @property
    def errors(self) -> str:
        """What it has written on standard error so far."""
        return "".join(self._errors)

    @property
    def printed(self) -> str:
        """What it has written on standard output so far."""
        return "".join(self._printed)

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(30)

    def cookie(self) -> str:
        """The cookie that a browser gets by opening the address, as it sends it."""
        answer = self.ask("GET", f"/?token={self.token}")
        return answer.headers["set-cookie"].partition(";")[0]

    def csrf(self) -> str:
        """What pages hold in `data-csrf`."""
        page = self.ask("GET", "/", {"Cookie": self.cookie()})
        found = re.search(r'data-csrf="([^"]+)"', page.body.decode())
        assert found is not None, page.body[:2000]
        return found[1]

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """One raw request: the path goes out as it is; `Host` is the server's own unless given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {} if headers is None else dict(headers)
        try:
            connection.putrequest(method, path, skip_host="Host" in given, skip_accept_encoding=True)
            for key, value in given.items():
                connection.putheader(key, value)
            if body is not None and "Content-Length" not in given:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(
                answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
            )
        finally:
            connection.close()


@dataclass(frozen=True)
class Answer:
    """Status, headers by their names in small letters, and body."""

    status: int
    headers: dict[str, str]
    body: bytes


@contextmanager
def review_server(run: Path, *options: str, cwd: Path | None = None) -> Iterator[ReviewServer]:
    """`gongkai review RUN … --no-browser` on a free port, ended at last however the test ends."""
    root = Path(__file__).parents[1]
    environment = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
    environment["PYTHONPATH"] = str(root)
    process = subprocess.Popen(
        [*COMMAND, str(run), "--no-browser", *options],
        cwd=cwd or root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    server = ReviewServer(process, "")
    assert process.stdout is not None
    assert process.stderr is not None
    errors = threading.Thread(target=_collect, args=(process.stderr, server._errors), daemon=True)
    errors.start()
    timer = threading.Timer(_START_SECONDS, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            server._printed.append(line)
            if found := _ADDRESS.search(line):
                server.url = found[0]
                break
        timer.cancel()
        if not server.url:
            errors.join(5)
            raise AssertionError(f"the server did not start: {server.printed}{server.errors}")
        printed = threading.Thread(target=_collect, args=(process.stdout, server._printed), daemon=True)
        printed.start()
        yield server
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)
        printed.join(5)
    finally:
        timer.cancel()
        if process.poll() is None:
            process.kill()
        process.wait(30)
        errors.join(5)
        process.stdout.close()
        process.stderr.close()


def _collect(stream: IO[str], lines: list[str]) -> None:
    lines.extend(stream)


@dataclass
class Visit:
    """A page of a server in a browser of its own: what it complained about, and what left the server."""

    page: Page
    context: BrowserContext
    server: ReviewServer
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def strayed(self) -> list[str]:
        """Requests to anything but the server."""
        return [url for url in self.requests if not url.startswith(f"{self.server.base}/")]

    def open(self, path: str) -> None:
        """Go to a path of the server; on a busy machine a file may still be read when the page comes."""
        self.page.goto(f"{self.server.base}{path}")
        for _ in range(20):
            if not any(said in self.page.content() for said in STILL_READING):
                return
            self.page.wait_for_timeout(1000)
            self.page.reload()

    def another(self) -> Page:
        """A second window of the same browser."""
        return _watched(self, self.context.new_page())


@contextmanager
def visit(
    browser: Browser,
    server: ReviewServer,
    width: int = 1280,
    height: int = 900,
    scheme: Scheme = "light",
    locale: str = "zh-CN",
) -> Iterator[Visit]:
    """The server's address opened in a browser context of its own."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
        locale=locale,
    )
    context.set_default_timeout(15_000)
    visiting = Visit(context.new_page(), context, server)
    _watched(visiting, visiting.page)
    visiting.page.goto(server.url)
    yield visiting
    context.close()


def _watched(visiting: Visit, page: Page) -> Page:
    page.on(
        "console",
        lambda message: (
            visiting.complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: visiting.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (visiting.dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: visiting.requests.append(request.url))
    return page
