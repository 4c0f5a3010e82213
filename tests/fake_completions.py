"""Chat completions as the API documents them, by script or oracle, whole or spoiled by a fault."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from fake_oracle import Asked, digest, oracle, text_of
from fake_replies import JSON, Fault, Reply


def completion(reply: Reply) -> JSON:
    """A chat completion as the API documents it: 100 tokens read, 60 of them cached, 9 written."""
    payload = _completion(reply.content or "", _usage(100, 60, 9), "fake")
    if reply.logprobs is not None:
        payload["choices"][0]["logprobs"] = {
            "content": [
                {"token": token, "logprob": value, "bytes": None, "top_logprobs": []}
                for token, value in reply.logprobs
            ]
        }
    return _spoiled_completion(payload, reply.fault)


def _completion(content: str, usage: JSON, model: str) -> JSON:
    message = {"role": "assistant", "content": content, "refusal": None}
    return {
        "id": "fake",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
    }


def _usage(read: Any, cached: Any, written: Any) -> JSON:
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def usage_read(payload: JSON, fault: Fault) -> JSON | None:
    usage: JSON | None = None if fault.startswith("usage_") else payload.get("usage")
    return usage


def answered(asked: Asked, fault: Fault, has_prefix: bool) -> JSON:
    """The oracle's completion, spoiled by `fault`."""
    content = oracle(asked.question.text, asked.schema)
    content = content[: len(content) // 2] if fault == "length" else spoiled_content(content, fault)
    tokens = [math.ceil(0.7 * len(text_of(message))) for message in asked.messages]
    cached = sum(tokens[:-1]) if has_prefix else 0
    usage = _usage(sum(tokens), cached, math.ceil(len(content) / 1.5))
    payload = _completion(content, usage, asked.body.get("model", "fake"))
    if asked.body.get("logprobs"):
        count = asked.body.get("top_logprobs") or 0
        payload["choices"][0]["logprobs"] = {"content": _logprobs(content, count), "refusal": None}
    return _spoiled_completion(payload, fault)


def _logprobs(content: str, count: int) -> list[JSON]:
    """Tokens that make up `content`, each with the token itself and one other on top."""
    tokens = []
    for place, token in enumerate(re.findall(r"\w{1,2}|\W", content)):
        sure = 0.7 + (int(digest(token, str(place)), 16) % 29) / 100
        top = [_token(token, sure), _token("other", 1 - sure)]
        tokens.append({**top[0], "top_logprobs": top[:count]})
    return tokens


def _token(token: str, probability: float) -> JSON:
    return {"token": token, "logprob": math.log(probability), "bytes": list(token.encode())}


def spoiled_content(content: str, fault: Fault) -> str:
    if fault == "not_json":
        return f"好的，以下是答案：{content[1:-1]}"
    if fault == "fenced":
        return f"```json\n{content}\n```"
    if fault not in ("wrong_label", "missing_key"):
        return content
    answer = json.loads(content)
    spoil = _put_wrong_label if fault == "wrong_label" else _drop_key
    return json.dumps(spoil(answer), ensure_ascii=False, separators=(",", ":"))


def _put_wrong_label(answer: Any) -> Any:
    """The first value deep inside becomes a label that nobody knows."""
    if isinstance(answer, dict) and answer:
        key = next(iter(answer))
        return {**answer, key: _put_wrong_label(answer[key])}
    return "没有这个标签"


def _drop_key(answer: Any) -> Any:
    return dict(list(answer.items())[1:]) if isinstance(answer, dict) else {}


def _spoiled_completion(payload: JSON, fault: Fault) -> JSON:
    choice = payload["choices"][0]
    huge = 10**15
    match fault:
        case "refusal":
            choice["message"] |= {"content": None, "refusal": "I cannot help with that."}
        case "length" | "content_filter":
            choice["finish_reason"] = fault
        case "no_choices":
            payload["choices"] = []
        case "null_choices":
            payload["choices"] = None
        case "null_message":
            choice["message"] = None
        case "no_usage":
            del payload["usage"]
        case "usage_negative":
            payload["usage"] = _usage(-100, -60, -9)
        case "usage_huge":
            payload["usage"] = _usage(huge, 2 * huge, huge)
        case "usage_strings":
            payload["usage"] = _usage("many", "some", "few")
    return payload
