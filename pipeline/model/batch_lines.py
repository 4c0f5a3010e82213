"""Lines of a batch: questions as they are sent, results as they come back, read tolerantly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipeline.model.completion import EXCERPT, NoCompletion, TokenCounts, read_completion, token_counts
from pipeline.model.failure import FailureKind, RequestFailed, kind_of_status
from pipeline.model.question import compact

_VERSION = re.compile(r"v\d+(?:beta\d*)?")
# Ends of a line for servers that read files as text: JSON leaves them as they are inside a string.
_LINE_ENDS = (("\u0085", rb"\u0085"), ("\u2028", rb"\u2028"), ("\u2029", rb"\u2029"))


def line_url(base_url: str) -> str:
    """The path that lines name: the API's version and what is asked, wherever the API itself lies.

    >>> line_url("https://api.openai.com/v1"), line_url("https://open.bigmodel.cn/api/paas/v4/")
    ('/v1/chat/completions', '/v4/chat/completions')
    """
    parts = urlsplit(base_url).path.rstrip("/").split("/")
    version = parts[-1] if _VERSION.fullmatch(parts[-1]) else "v1"
    return f"/{version}/chat/completions"


def batch_line(sha256: str, url: str, body: bytes) -> bytes:
    """A question's line, its end included; `body` byte for byte but for odd ends of lines."""
    for character, escaped in _LINE_ENDS:
        body = body.replace(character.encode(), escaped)
    head = compact({"custom_id": sha256, "method": "POST", "url": url})[:-1]
    return b'%s,"body":%s}\n' % (head.encode(), body)


@dataclass(frozen=True, slots=True)
class LineResult:
    """What came back for a question: a `response` that holds a completion, or why there is none.

    `tokens` None where the endpoint says nothing that can be believed; `status` None for a line
    that was not executed.
    """

    response: str | None
    tokens: TokenCounts | None
    kind: FailureKind | None = None
    status: int | None = None
    detail: str = ""


def read_results(*contents: bytes) -> tuple[dict[str, LineResult], int]:
    """Results by `custom_id` of a batch's files, and how many lines could not be read."""
    results: dict[str, LineResult] = {}
    unreadable = 0
    for line in (line for content in contents for line in content.split(b"\n") if line.strip()):
        try:
            row = json.loads(line)
            name = row["custom_id"]
            result = _result(row)
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            unreadable += 1
            continue
        if isinstance(name, str) and (name not in results or results[name].response is None):
            results[name] = result
    return results, unreadable


def _result(row: Mapping[str, Any]) -> LineResult:
    response, error = row.get("response"), row.get("error")
    if not isinstance(response, Mapping):
        code, message = _said(error)
        return LineResult(None, TokenCounts(), "server", None, f"{code}: {message}" if code else message)
    status, body = int(response.get("status_code", 200)), response.get("body")
    if status != 200:
        code, message = _said(body.get("error") if isinstance(body, Mapping) else body)
        return LineResult(None, TokenCounts(), kind_of_status(status, code), status, f"{status}: {message}")
    try:
        completion = read_completion(body)
    except NoCompletion as fault:
        usage = body.get("usage") if isinstance(body, Mapping) else None
        return LineResult(None, token_counts(usage), "unusable", status, _storable(f"no completion: {fault}"))
    return LineResult(json.dumps(body), completion.tokens, None, status)


def _said(error: object) -> tuple[str | None, str]:
    """Code and message of an error, in one short line."""
    code = error.get("code") if isinstance(error, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else error
    words = _storable(" ".join(str(message or "no reason given").split())[:EXCERPT])
    return (code if isinstance(code, str) else None), words


def _storable(text: str) -> str:
    """Text without lone surrogates, which JSON may hold and SQLite does not take."""
    return text.encode("utf-8", "replace").decode("utf-8")


def refusal(batch: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether a batch failed because too many tokens wait at the endpoint, and its reasons in one line."""
    errors = batch.get("errors")
    rows = errors.get("data") if isinstance(errors, Mapping) else errors
    said = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    reasons = []
    for row in said[:3]:
        code, message = _said(row)
        place = f"line {row['line']}: " if row.get("line") is not None else ""
        reasons.append(f"{place}{message}" + (f" ({code})" if code else ""))
    more = f" and {len(said) - 3} more" if len(said) > 3 else ""
    text = "; ".join(reasons) + more or "no reason given"
    return is_token_limit(text), text


def is_token_limit(text: str) -> bool:
    """Whether an endpoint says that too many tokens wait there in batches."""
    return "token_limit" in text or "enqueued token" in text.lower()


def parsed_object(content: bytes) -> dict[str, Any]:
    """The JSON object of a response. Raises RequestFailed for half a JSON or an HTML page."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        excerpt = " ".join(content[:EXCERPT].decode("utf-8", "replace").split()) or "an empty body"
        raise RequestFailed("unusable", f"no JSON object: {excerpt}")
    return parsed
