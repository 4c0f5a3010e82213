"""What is read off a response: content without its fence, tokens only where they can be believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.model.completion import Completion, NoCompletion, TokenCounts, parse_completion


def body(message: Any = None, usage: Any = None, **choice: Any) -> bytes:
    said = {"role": "assistant", "content": "{}"} if message is None else message
    return json.dumps({"choices": [{"message": said, **choice}], "usage": usage}).encode()


def read(content: str) -> Completion:
    return parse_completion(body({"content": content}))


CONTENTS = [
    ("plain", '{"a": 1}', '{"a": 1}'),
    ("fenced", '```json\n{"a": 1}\n```', '{"a": 1}'),
    ("fenced without a language", '```\n{"a": 1}\n```', '{"a": 1}'),
    ("blanks around the fence", '\n ```json \n{"a":\n1}\n ``` \n', '{"a":\n1}'),
    ("no line before the end of the fence", '```json\n{"a": 1}```', '{"a": 1}'),
    ("a fence in a value", '{"a": "```json\\n1\\n```"}', '{"a": "```json\\n1\\n```"}'),
    ("words before the fence", 'So:\n```json\n{"a": 1}\n```', 'So:\n```json\n{"a": 1}\n```'),
    ("half a character", '{"a": "\ud800"}', '{"a": "?"}'),
    ("a character in two halves", '{"a": "😀"}', '{"a": "😀"}'),
]


@pytest.mark.parametrize(("name", "written", "content"), CONTENTS, ids=[case[0] for case in CONTENTS])
def test_content(name: str, written: str, content: str) -> None:
    assert read(written).content == content


def test_nothing_written_is_empty() -> None:
    assert parse_completion(body({"content": None})).content == ""
    assert parse_completion(body({"role": "assistant"})).content == ""


def test_refusal_and_reason_to_end() -> None:
    completion = parse_completion(body({"content": None, "refusal": "No."}, finish_reason="stop"))
    assert completion.choices[0].message.refusal == "No."
    assert completion.choices[0].finish_reason == "stop"


USAGES: list[tuple[str, Any, TokenCounts | None]] = [
    ("none", None, None),
    ("a list", [1, 2], None),
    ("empty", {}, None),
    ("plain", {"prompt_tokens": 9, "completion_tokens": 2}, TokenCounts(9, 0, 2)),
    ("zeros", {"prompt_tokens": 0, "completion_tokens": 0}, TokenCounts(0, 0, 0)),
    (
        "details null",
        {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": None},
        TokenCounts(9, 0, 2),
    ),
    (
        "cached",
        {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 6}},
        TokenCounts(9, 6, 2),
    ),
    (
        "cached under DeepSeek's name",
        {"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 6},
        TokenCounts(9, 6, 2),
    ),
    (
        "more cached than read",
        {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 60}},
        TokenCounts(9, 9, 2),
    ),
    (
        "cached negative",
        {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": -6}},
        TokenCounts(9, 0, 2),
    ),
    ("negative", {"prompt_tokens": -9, "completion_tokens": 2}, None),
    ("huge", {"prompt_tokens": 10**15, "completion_tokens": 2}, None),
    ("huge answer", {"prompt_tokens": 9, "completion_tokens": 10**15}, None),
    ("words", {"prompt_tokens": "many", "completion_tokens": 2}, None),
    ("fractions", {"prompt_tokens": 9.5, "completion_tokens": 2}, None),
    ("true", {"prompt_tokens": True, "completion_tokens": 2}, None),
    ("one missing", {"prompt_tokens": 9}, None),
]


@pytest.mark.parametrize(("name", "usage", "tokens"), USAGES, ids=[case[0] for case in USAGES])
def test_usage(name: str, usage: Any, tokens: TokenCounts | None) -> None:
    assert parse_completion(body(usage=usage)).tokens == tokens


LOGPROBS: list[tuple[str, Any, int | None]] = [
    ("none", None, None),
    ("a list", [], None),
    ("content null", {"content": None}, None),
    ("no tokens", {"content": []}, 0),
    ("a token", {"content": [{"token": "{", "logprob": -0.5}]}, 1),
    ("top null", {"content": [{"token": "{", "logprob": -0.5, "top_logprobs": None}]}, 1),
    ("top", {"content": [{"token": "{", "logprob": -1, "top_logprobs": [{"token": "{", "logprob": -1}]}]}, 1),
    ("no probability", {"content": [{"token": "{"}]}, None),
    ("probability null", {"content": [{"token": "{", "logprob": None}]}, None),
    ("probability in words", {"content": [{"token": "{", "logprob": "low"}]}, None),
]


@pytest.mark.parametrize(("name", "logprobs", "count"), LOGPROBS, ids=[case[0] for case in LOGPROBS])
def test_logprobs(name: str, logprobs: Any, count: int | None) -> None:
    read = parse_completion(body(logprobs=logprobs)).logprobs
    assert (None if read is None else len(read)) == count


NONE: list[tuple[str, bytes, str]] = [
    ("empty", b"", "an empty body"),
    ("blanks", b" \n ", "an empty body"),
    ("a page", b"<html>\n<body>Bad   gateway</body></html>", "<html> <body>Bad gateway</body></html>"),
    ("half", b'{"choices": [{"mess', '{"choices"'),
    ("no UTF-8", b"\xff\xfe\x00", "\ufffd"),
    ("nested without end", b"[" * 100_000, "[[["),
    ("null", b"null", "null"),
    ("a number", b"7", "7"),
    ("a list", b"[1]", "[1]"),
    ("an error", b'{"error": {"message": "overloaded"}}', "overloaded"),
    ("no choices", b'{"choices": []}', "choices"),
    ("choices null", b'{"choices": null}', "null"),
    ("choice null", b'{"choices": [null]}', "null"),
    ("message null", b'{"choices": [{"message": null}]}', "null"),
    ("message a text", b'{"choices": [{"message": "{}"}]}', "message"),
    ("content a list", b'{"choices": [{"message": {"content": [{"text": "{}"}]}}]}', "content is no text"),
    ("half a character in an error", b'{"error": "\\ud800"}', "error"),
]


@pytest.mark.parametrize(("name", "response", "says"), NONE, ids=[case[0] for case in NONE])
def test_no_completion(name: str, response: bytes, says: str) -> None:
    with pytest.raises(NoCompletion) as caught:
        parse_completion(response)
    assert says in str(caught.value)
    assert len(str(caught.value)) <= 330
