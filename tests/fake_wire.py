"""What goes over the wire: a body that is read, a response as it is sent, cut off or hung up on."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any

from aiohttp import web
from fake_replies import JSON, Fault

Upload = tuple[str, str, bytes]  # filename, purpose, content

_ERROR_CODES = {"quota": "insufficient_quota", "401": "invalid_api_key", "404": "model_not_found"}
_HTML = b"<html><body><h1>Bad gateway</h1></body></html>"


@dataclass(frozen=True)
class Sending:
    """A response; `kind` tells how it is sent. `usage` is what a client can read off it."""

    kind: str
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    usage: JSON | None = None


class Refused(Exception):
    """A request that the server does not take."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    def sending(self) -> Sending:
        """As the API says it."""
        return Sending(str(self.status), error_body(str(self), self.code), self.status)


def json_sending(payload: Any, kind: str = "ok", usage: JSON | None = None) -> Sending:
    """`payload` as JSON."""
    return Sending(kind, json.dumps(payload, ensure_ascii=False).encode(), usage=usage)


def spoiled(sending: Sending, fault: Fault, retry_after_seconds: float) -> Sending:
    """What a fault of the transport makes of `sending`."""
    unread = replace(sending, kind=fault or sending.kind, usage=None)
    if fault[:3].isdigit() or fault == "quota":
        code = "rate_limit_exceeded" if fault.startswith("429") else _ERROR_CODES.get(fault)
        status = 429 if fault == "quota" else int(fault[:3])
        headers = _wait_headers(fault, retry_after_seconds)
        return Sending(fault, error_body("the server said no", code), status, headers)
    match fault:
        case "html" | "html_502":
            return Sending(fault, _HTML, 502 if fault == "html_502" else 200, media_type="text/html")
        case "truncated":
            return replace(unread, body=sending.body[: len(sending.body) // 2])
        case "empty_body":
            return replace(unread, body=b"")
        case "reset" | "reset_midway" | "stall" | "stall_midway":
            return unread
    return sending


def _wait_headers(fault: Fault, seconds: float) -> dict[str, str]:
    match fault:
        case "429_seconds" | "503":
            return {"Retry-After": str(math.ceil(seconds))}
        case "429_date":
            return {"Retry-After": formatdate(math.ceil(time.time() + seconds), usegmt=True)}
        case "429_ms":
            return {"retry-after-ms": str(round(seconds * 1000))}
    return {}


def error_body(message: str, code: str | None) -> bytes:
    return json.dumps({"error": {"message": message, "type": "fake", "param": None, "code": code}}).encode()


# Requests


def parsed_body(body: bytes) -> JSON:
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise Refused(400, "We could not parse the JSON body of your request.") from error
    if not isinstance(parsed, dict):
        raise Refused(400, "The body must be a JSON object.")
    return parsed


def body_or_empty(body: bytes) -> JSON:
    try:
        return parsed_body(body)
    except Refused:
        return {}


def chat_body(body: bytes) -> JSON:
    parsed = parsed_body(body)
    if not parsed.get("messages"):
        raise Refused(400, "Missing required parameter: 'messages'.")
    if parsed.get("stream"):
        raise Refused(400, "This fake does not stream.")
    return parsed


async def uploaded(request: web.Request) -> Upload:
    form = await request.post()
    file = form.get("file")
    if not isinstance(file, web.FileField):
        return "", str(form.get("purpose", "")), b""
    with file.file:
        return file.filename, str(form.get("purpose", "")), file.file.read()


# Responses


async def send(request: web.Request, sending: Sending, stall_seconds: float) -> web.StreamResponse:
    if sending.kind in ("reset", "stall"):
        await asyncio.sleep(stall_seconds if sending.kind == "stall" else 0)
        return _reset(request, web.Response())
    headers = {**sending.headers, "Content-Type": sending.media_type}
    if sending.kind in ("reset_midway", "stall_midway"):
        return await _send_half(request, replace(sending, headers=headers), stall_seconds)
    response = web.Response(body=sending.body, status=sending.status, headers=headers)
    await response.prepare(request)
    await response.write_eof()
    return response


async def _send_half(request: web.Request, sending: Sending, stall_seconds: float) -> web.StreamResponse:
    response = web.StreamResponse(status=sending.status, headers=sending.headers)
    response.content_length = len(sending.body)
    await response.prepare(request)
    await response.write(sending.body[: len(sending.body) // 2])
    # A reset throws away what the client has not read yet: give it a moment.
    await asyncio.sleep(stall_seconds if sending.kind == "stall_midway" else 0.02)
    return _reset(request, response)


def _reset(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Hang up with RST: SO_LINGER with 0 seconds makes close() send that instead of FIN."""
    transport = request.transport
    if transport is not None:
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return response
