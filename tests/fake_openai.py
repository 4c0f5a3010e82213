"""A fake OpenAI-compatible server on loopback that fails on order. For tests only."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Fault = Literal["", "reset", "html", "truncated", "no_choices", "refusal", "length", "not_json"]


@dataclass(frozen=True)
class Reply:
    """What the server does with one request: a fault, a status, or a completion with `content`."""

    content: str = "{}"
    fault: Fault = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    code: str | None = None
    logprobs: tuple[tuple[str, float], ...] | None = None


@dataclass
class FakeServer:
    """Replies are used up in order; the last one is repeated. `requests` keeps the bodies."""

    base_url: str
    replies: list[Reply]
    requests: list[dict[str, Any]] = field(default_factory=list)
    raw_bodies: list[bytes] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_reply(self) -> Reply:
        """The reply for the request that has just come in."""
        with self.lock:
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def completion(reply: Reply) -> dict[str, Any]:
    """A chat completion as the API documents it: 100 tokens read, 60 of them cached, 9 written."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.content}
    if reply.fault == "refusal":
        message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    choice: dict[str, Any] = {
        "index": 0,
        "message": message,
        "finish_reason": "length" if reply.fault == "length" else "stop",
    }
    if reply.logprobs is not None:
        choice["logprobs"] = {
            "content": [
                {"token": token, "logprob": value, "bytes": None, "top_logprobs": []}
                for token, value in reply.logprobs
            ]
        }
    return {
        "id": "fake",
        "object": "chat.completion",
        "created": 0,
        "model": "fake",
        "choices": [] if reply.fault == "no_choices" else [choice],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 9,
            "total_tokens": 109,
            "prompt_tokens_details": {"cached_tokens": 60},
        },
    }


class _Handler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        reply = self.fake.next_reply()
        with self.fake.lock:
            self.fake.raw_bodies.append(body)
            self.fake.requests.append(json.loads(body))
            self.fake.authorizations.append(self.headers.get("Authorization", ""))
        time.sleep(reply.delay_seconds)
        if reply.fault == "reset":
            self._reset()
        elif reply.fault == "html":
            self._send(reply, b"<html><body>Bad gateway</body></html>", "text/html")
        elif reply.status != 200:
            error = {"error": {"message": "the server said no", "code": reply.code, "type": "fake"}}
            self._send(reply, json.dumps(error).encode(), "application/json")
        else:
            payload = json.dumps(completion(reply)).encode()
            cut = payload[: len(payload) // 2] if reply.fault == "truncated" else payload
            self._send(reply, cut, "application/json")

    def _send(self, reply: Reply, payload: bytes, media_type: str) -> None:
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Type": media_type}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _reset(self) -> None:
        # SO_LINGER with 0 seconds makes close() send RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def fake_openai(*replies: Reply) -> Iterator[FakeServer]:
    """Serve `replies` in order on a free loopback port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    fake = FakeServer(f"http://127.0.0.1:{server.server_address[1]}/v1", list(replies) or [Reply()])
    server.RequestHandlerClass = type("Handler", (_Handler,), {"fake": fake})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
