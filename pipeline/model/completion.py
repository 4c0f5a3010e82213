"""What an endpoint answered, read tolerantly: only what is needed, and no usage is believed blindly.

The openai package's own types check some ninety fields a response, which takes longer than
the request; servers that speak the same API leave out or add fields besides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.model.question import TokenLogprob

EXCERPT = 300
# More than any context: a count above it is no count.
_MOST_TOKENS = 10_000_000
_FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.S)


class NoCompletion(Exception):
    """HTTP 200 with something that is no chat completion: an HTML page, no choices, half a JSON."""


@dataclass(slots=True)
class Message:
    """What the model wrote, under the names that instructor looks for."""

    content: str | None
    refusal: str | None = None
    role: str = "assistant"


@dataclass(slots=True)
class Choice:
    """The one choice that is asked for."""

    message: Message
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens of one response as the endpoint counts them; `cached` is a part of `input`."""

    input: int = 0
    cached: int = 0
    output: int = 0


@dataclass(slots=True)
class Completion:
    """One response. `tokens` is None where the endpoint says nothing that can be believed.

    `is_counted`: its request is in the ledger already, with the batch that it came in.
    """

    choices: list[Choice]
    tokens: TokenCounts | None
    logprobs: tuple[TokenLogprob, ...] | None
    is_counted: bool = False
    usage: Any = None  # instructor's own count looks for it

    @property
    def content(self) -> str:
        """What was written, empty where nothing was."""
        return self.choices[0].message.content or ""


def parse_completion(body: bytes) -> Completion:
    """The completion of a response body. Raises NoCompletion, which quotes the body's beginning."""
    try:
        return read_completion(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise NoCompletion(_excerpt(body)) from error


def read_completion(response: Any) -> Completion:
    """The completion in a decoded response. Raises NoCompletion."""
    try:
        choice = response["choices"][0]
        message = choice["message"]
        content, refusal = message.get("content"), message.get("refusal")
    except (LookupError, TypeError, AttributeError) as error:
        said = json.dumps(response, ensure_ascii=False)
        raise NoCompletion(_excerpt(said.encode("utf-8", "replace"))) from error
    if not isinstance(content, str | None):
        raise NoCompletion(f"content is no text: {str(content)[:EXCERPT]}")
    reason = choice.get("finish_reason")
    return Completion(
        choices=[
            Choice(
                Message(None if content is None else _plain(content), str(refusal) if refusal else None),
                str(reason) if reason else None,
            )
        ],
        tokens=token_counts(response.get("usage")),
        logprobs=_logprobs(choice.get("logprobs")),
    )


def _excerpt(body: bytes) -> str:
    return " ".join(body[:EXCERPT].decode("utf-8", "replace").split()) or "an empty body"


def _plain(content: str) -> str:
    """JSON without the Markdown fence that some servers leave around it, and without halves of characters."""
    fenced = _FENCED.match(content)
    return (fenced[1] if fenced else content).encode("utf-8", "replace").decode("utf-8")


def token_counts(usage: Any) -> TokenCounts | None:
    """Tokens of a response's `usage`; None where there is none that can be believed."""
    if not isinstance(usage, Mapping):
        return None
    read, written = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if read is None or written is None:
        return None
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    if cached is None:
        cached = _count(usage.get("prompt_cache_hit_tokens"))  # DeepSeek's name
    return TokenCounts(read, min(cached or 0, read), written)


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS
    return value if is_count else None


def _logprobs(logprobs: Any) -> tuple[TokenLogprob, ...] | None:
    """The tokens with their probabilities; None where the endpoint gives none in the known form."""
    tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if not isinstance(tokens, list):
        return None
    try:
        return tuple(
            TokenLogprob(
                str(item["token"]),
                float(item["logprob"]),
                tuple((str(top["token"]), float(top["logprob"])) for top in item.get("top_logprobs") or ()),
            )
            for item in tokens
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
