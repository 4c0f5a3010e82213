"""Lines of a batch: what is wrong with those of its input, and the rows of its output."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from fake_files import made_name
from fake_replies import JSON

_UNFINISHED = {
    "expired": "This request could not be executed before the completion window expired.",
    "cancelled": "This request was not executed: the batch was cancelled.",
}


def checked_lines(content: bytes, endpoint: str) -> tuple[list[JSON], list[JSON]]:
    """Errors and lines of a batch's input."""
    errors: list[JSON] = []
    lines: list[JSON] = []
    seen: set[str] = set()
    for number, text in enumerate(content.decode().splitlines(), 1):
        wrong, line = _checked_line(text, endpoint, seen)
        if wrong is not None:
            errors.append(line_error(*wrong, number))
        else:
            lines.append(line)
    if not lines and not errors:
        errors.append(line_error("empty_file", "The input file is empty.", None))
    if len({line["body"].get("model") for line in lines}) > 1:
        errors.append(line_error("mismatched_model", "All lines must ask the same model.", None))
    return errors, lines


def _checked_line(text: str, endpoint: str, seen: set[str]) -> tuple[tuple[str, str] | None, JSON]:
    try:
        line = json.loads(text)
        name, method, url, body = (line[key] for key in ("custom_id", "method", "url", "body"))
        messages = body["messages"]
    except json.JSONDecodeError:
        return ("invalid_json_line", "This line is not parseable as valid JSON."), {}
    except (KeyError, TypeError) as error:
        return ("missing_required_parameter", f"This line lacks {error}."), {}
    if name in seen:
        return ("duplicate_custom_id", f"The custom_id {name!r} is used twice."), {}
    seen.add(name)
    if (method, url) != ("POST", endpoint) or not messages:
        return ("invalid_request", f"This line must POST messages to {endpoint}, not {method} to {url}."), {}
    return None, line


def line_error(code: str, message: str, number: int | None) -> JSON:
    return {"code": code, "line": number, "message": message, "param": None}


def is_good(row: JSON) -> bool:
    return row["response"] is not None and row["response"]["status_code"] == 200


def unfinished_row(line: JSON, end: str) -> JSON:
    error = {"code": f"batch_{end}", "message": _UNFINISHED[end]}
    return {"id": made_name("batch_req_"), "custom_id": line["custom_id"], "response": None, "error": error}


def batch_usage(rows: Sequence[JSON]) -> JSON:
    """The sum of what the answers say, of those that say something sensible."""
    total: Counter[str] = Counter()
    for row in rows:
        usage = row["response"]["body"].get("usage") or {}
        if isinstance(usage.get("prompt_tokens"), int):
            cached = usage["prompt_tokens_details"]["cached_tokens"]
            total.update(input=usage["prompt_tokens"], cached=cached, output=usage["completion_tokens"])
    return {
        "input_tokens": total["input"],
        "input_tokens_details": {"cached_tokens": total["cached"]},
        "output_tokens": total["output"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": total["input"] + total["output"],
    }
