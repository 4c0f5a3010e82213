"""One start of the review server: port, token, browser, and a clean end with Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import webbrowser
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from evals.review.app import make_app
from evals.review.library import Library
from evals.review.security import Keys, raw_headers
from evals.review.settings import ReviewContext, ReviewSettings
from evals.review.source.reading_child import Reading
from pipeline.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.runs.reviews import ReviewLog

_BACKLOG = 128
_END_SECONDS = 5


def serve(settings: ReviewSettings, say: Callable[[str], None], *, open_browser: bool = True) -> None:
    """Answer until Ctrl-C. `say` gets the address, with the token, once the server listens.

    Raises StartError where the run cannot be used, is reviewed already, or the port is taken.
    """
    with ExitStack() as resources:
        library = Library(settings.run, settings.documents)
        other = None if settings.compare is None else Library(settings.compare, settings.documents)
        reviews = _reviews(settings, resources)
        listening = resources.enter_context(closing(_listen(settings)))
        settings = replace(settings, port=listening.getsockname()[1])
        keys = Keys()
        context = ReviewContext(
            settings, library, Reading(), keys.csrf, resources.enter_context(ExitStack()), other, reviews
        )
        server = _Server(_config(context, keys))
        server.when_started = lambda: _announce(settings, keys, say, open_browser=open_browser)
        server.before_end = context.reading.close
        asyncio.run(server.serve([listening]))


def _reviews(settings: ReviewSettings, resources: ExitStack) -> ReviewLog | None:
    """The run's log of corrections for this process alone, in the mode that writes it."""
    if settings.mode != "review":
        return None
    from pipeline.runs.reviews import ReviewLog

    _refuse_links(settings.run)
    return resources.enter_context(ReviewLog.opened(settings.run))


def _refuse_links(run: Path) -> None:
    """Raises StartError where a file that is written would be another: the folder may be of somebody else."""
    for path in sorted(run.glob("review*")):
        if path.is_symlink():
            raise StartError(
                f"{path}: is a symlink, and what it leads to would be written over. Put a file in its place, "
                "or delete it"
            )


def _listen(settings: ReviewSettings) -> socket.socket:
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:  # the latter: no name that a host can have
        reason = getattr(error, "strerror", None) or error
        raise StartError(
            f"cannot listen on {settings.host}, port {settings.port}: {reason}. "
            "Name another with --host or --port, or leave both out"
        ) from error


class _Protocol(H11Protocol):
    """What is no HTTP is refused below the application: with the same headers as everything else."""

    def send_400_response(self, msg: str) -> None:
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"connection", b"close"),
            *raw_headers(),
        ]
        answer = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        for event in (answer, h11.Data(data=msg.encode("ascii")), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class _Server(uvicorn.Server):
    """Says when it listens, and takes Ctrl-C as the way to end it."""

    when_started: Callable[[], None]
    before_end: Callable[[], Awaitable[None]]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.when_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.before_end()  # else requests that wait for a file would keep it waiting
        await super().shutdown(sockets)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        with self.capture_signals():
            await self._serve(sockets)
            self._captured_signals.clear()  # else they would be raised again


def _config(context: ReviewContext, keys: Keys) -> uvicorn.Config:
    names = [socket.gethostname()] if not context.settings.is_loopback else []
    return uvicorn.Config(
        make_app(context, keys, names),
        loop="asyncio",
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,  # a line of it would hold the token
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_END_SECONDS,
    )


def _announce(
    settings: ReviewSettings, keys: Keys, say: Callable[[str], None], *, open_browser: bool
) -> None:
    say(address(settings, keys.token))
    ticket, has_browser = keys.ticket, open_browser and has_display()
    if has_browser and ticket is not None:
        webbrowser.open(address(settings, ticket))
    else:
        keys.ticket = None


def address(settings: ReviewSettings, token: str) -> str:
    """What to open. A wildcard is no address: the machine itself is reached by its loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/?token={token}"


def has_display() -> bool:
    """Whether a browser window can be opened; without one a text browser would take the terminal."""
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
