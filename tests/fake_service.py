"""The fake server and its endpoints: a request is counted, draws a reply, and is answered."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from aiohttp import web
from fake_batches import Batches
from fake_completions import answered, completion, spoiled_content, usage_read
from fake_files import Files
from fake_ledger import Ledger, Visit
from fake_limits import Limits
from fake_oracle import Asked, Questions
from fake_replies import DONE_ANYWAY, JSON, LINE_FAULTS, TRANSPORT_FAULTS, Behaviour, Fault, Place, Reply
from fake_wire import (
    Refused,
    Sending,
    body_or_empty,
    chat_body,
    error_body,
    json_sending,
    parsed_body,
    send,
    spoiled,
    uploaded,
)

Work = Callable[[web.Request, bytes], Sending]


@dataclass
class FakeServer:
    """Replies are used up in order; the last one is repeated. `requests` keeps the bodies."""

    base_url: str
    replies: list[Reply]
    requests: list[JSON] = field(default_factory=list)
    raw_bodies: list[bytes] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ledger: Ledger = field(default_factory=lambda: Ledger(None))
    loop: asyncio.AbstractEventLoop | None = None

    def next_reply(self) -> Reply:
        """The reply for the request that has just come in."""
        with self.lock:
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def stats(self) -> JSON:
        """What /__stats says, with every answer that a client has had by now."""
        if self.loop is None:
            return self.ledger.stats()
        # An answer is sent and counted in one step of the loop: in there nothing is half done.
        return asyncio.run_coroutine_threadsafe(self._stats(), self.loop).result(timeout=10)

    async def _stats(self) -> JSON:
        return self.ledger.stats()


class Service:
    """The endpoints."""

    def __init__(self, fake: FakeServer, behaviour: Behaviour) -> None:
        self.fake = fake
        self.behaviour = behaviour
        self.ledger = fake.ledger = Ledger(behaviour.log)
        self._random = random.Random(behaviour.seed)
        self._questions = Questions()
        self._faults: Counter[str] = Counter()
        self._limits = Limits(behaviour)
        folder = behaviour.state
        self._files = Files(folder / "files" if folder else None)
        self._batches = Batches(behaviour, self._files, folder / "batches" if folder else None, self._line)

    def app(self) -> web.Application:
        """The application with its routes."""
        app = web.Application(client_max_size=2**31)
        app.router.add_get("/__stats", self._stats)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/files", self._upload)
        named: tuple[tuple[str, str, Place, Work], ...] = (
            ("GET", "/v1/files", "files", lambda request, _: json_sending(self._files.page(request.query))),
            ("GET", "/v1/files/{id}", "files", _by_name(self._files.get)),
            ("GET", "/v1/files/{id}/content", "files", self._file_content),
            ("DELETE", "/v1/files/{id}", "files", _by_name(self._files.delete)),
            (
                "POST",
                "/v1/batches",
                "batches",
                lambda _, body: json_sending(self._batches.create(parsed_body(body))),
            ),
            (
                "GET",
                "/v1/batches",
                "batches",
                lambda request, _: json_sending(self._batches.page(request.query)),
            ),
            ("GET", "/v1/batches/{id}", "batches", _by_name(self._batches.get)),
            ("POST", "/v1/batches/{id}/cancel", "batches", _by_name(self._batches.cancel)),
        )
        for method, path, place, work in named:
            app.router.add_route(method, path, partial(self._plain, place, work))
        return app

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(self.ledger.stats())

    # Completions

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self._keep(request, body)
        try:
            asked = self._questions.of(chat_body(body))
        except Refused as refused:
            visit = self.ledger.arrive(request.path, "chat", None)
            return await self._finish(request, visit, refused.sending())
        visit = self.ledger.arrive(request.path, "chat", asked.question.id)
        limit = self._limits.refusal(self.ledger.in_flight)
        if limit is not None:
            return await self._finish(request, visit, limit)
        reply = self.fake.next_reply() if self.fake.replies else self._drawn(asked)
        visit.kind = reply.kind
        seconds = self._latency() + reply.delay_seconds
        return await self._finish(request, visit, lambda: self._sending(reply, asked), seconds)

    def _keep(self, request: web.Request, body: bytes) -> None:
        if not self.behaviour.keep_requests:
            return
        with self.fake.lock:
            self.fake.raw_bodies.append(body)
            self.fake.authorizations.append(request.headers.get("Authorization", ""))
            self.fake.requests.append(body_or_empty(body))

    def _drawn(self, asked: Asked) -> Reply:
        share = self.behaviour.faults if "chat" in self.behaviour.fault_places else 0.0
        return Reply(None, self._draw(asked.question.id, share, self.behaviour.kinds))

    def _draw(self, key: str, share: float, kinds: Sequence[Fault]) -> Fault:
        """A fault by chance, unless `key` has had its share of them."""
        is_spared = self.behaviour.max_faults and self._faults[key] >= self.behaviour.max_faults
        if not kinds or is_spared or self._random.random() >= share:
            return ""
        self._faults[key] += 1
        return self._random.choice(kinds)

    def _sending(self, reply: Reply, asked: Asked) -> Sending:
        if reply.status != 200:
            body = error_body("the server said no", reply.code)
            return Sending(reply.kind, body, reply.status, reply.headers)
        payload = self._payload(reply, asked)
        sane = usage_read(payload, reply.fault)
        whole = json_sending(payload, reply.kind, sane)
        sending = spoiled(whole, reply.fault, self.behaviour.retry_after_seconds)
        return replace(sending, headers={**sending.headers, **reply.headers})

    def _payload(self, reply: Reply, asked: Asked) -> JSON:
        if reply.content is None:
            return answered(asked, reply.fault, self._questions.read_before(asked))
        return completion(replace(reply, content=spoiled_content(reply.content, reply.fault)))

    def _line(self, body: JSON) -> tuple[int, JSON]:
        """Status and body for a line of a batch."""
        asked = self._questions.of(body)
        kinds = [kind for kind in self.behaviour.kinds if kind in LINE_FAULTS]
        fault = self._draw(asked.question.id, self.behaviour.batch_faults, kinds)
        sending = self._sending(Reply(None, fault), asked)
        self.ledger.line(asked.question.id, sending.kind, sending.usage)
        return sending.status, json.loads(sending.body)

    # Files and batches

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        name, purpose, content = await uploaded(request)

        def work(_: web.Request, body: bytes) -> Sending:
            if not name:
                raise Refused(400, "'file' is a required property")
            if purpose != "batch":
                raise Refused(400, f"'{purpose}' is not one of ['batch'] - 'purpose'")
            return json_sending(self._files.create(name, purpose, body))

        return await self._plain("files", work, request, content)

    async def _plain(
        self, place: Place, work: Work, request: web.Request, body: bytes | None = None
    ) -> web.StreamResponse:
        body = await request.read() if body is None else body
        visit = self.ledger.arrive(f"{request.method} {request.path}", place, None)
        fault = self._fault_at(visit)
        visit.kind = fault or "ok"
        made = partial(self._done, work, request, body, fault)
        return await self._finish(request, visit, made, self._latency())

    def _fault_at(self, visit: Visit) -> Fault:
        """A fault of the transport; the cap counts those in a row, for a batch is looked at often."""
        if visit.place not in self.behaviour.fault_places:
            return ""
        kinds = [kind for kind in self.behaviour.kinds if kind in TRANSPORT_FAULTS]
        fault = self._draw(visit.path, self.behaviour.faults, kinds)
        if not fault:
            self._faults.pop(visit.path, None)
        return fault

    def _done(self, work: Work, request: web.Request, body: bytes, fault: Fault) -> Sending:
        if fault and fault not in DONE_ANYWAY:
            return spoiled(Sending("ok", b"{}"), fault, self.behaviour.retry_after_seconds)
        try:
            return spoiled(work(request, body), fault, self.behaviour.retry_after_seconds)
        except Refused as refused:
            return refused.sending()

    def _file_content(self, request: web.Request, _: bytes) -> Sending:
        content = self._files.content(request.match_info["id"])
        return Sending("ok", content, media_type="application/octet-stream")

    # Sending

    def _latency(self) -> float:
        jitter = 1 + self.behaviour.jitter * self._random.uniform(-1, 1)
        return self.behaviour.latency_ms / 1000 * jitter

    async def _finish(
        self,
        request: web.Request,
        visit: Visit,
        made: Sending | Callable[[], Sending],
        seconds: float = 0.0,
    ) -> web.StreamResponse:
        """Wait, make the answer, send it, and say how it went."""
        sending: Sending | None = None
        try:
            if seconds:
                await asyncio.sleep(seconds)
            made = made if isinstance(made, Sending) else made()
            visit.kind = made.kind
            response = await send(request, made, self.behaviour.stall_seconds)
            sending = made
        finally:
            # Without an answer sent: the client hung up, which cancels this.
            self.ledger.leave(visit, sending)
        return response


def _by_name(get: Callable[[str], JSON]) -> Work:
    return lambda request, _: json_sending(get(request.match_info["id"]))
