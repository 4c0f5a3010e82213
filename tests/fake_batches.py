"""The fake server's endpoint for batches: time makes their states."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fake_batch_lines import batch_usage, checked_lines, is_good, line_error, unfinished_row
from fake_files import Files, Shelf, made_name, paged
from fake_replies import JSON, Behaviour
from fake_wire import Refused

AnswerLine = Callable[[JSON], tuple[int, JSON]]
_VALIDATED, _WORKED = 0.1, 0.9  # shares of `batch_seconds` at which these are over


class Batches:
    """The batches endpoint. Time makes the states; each look at a batch brings it up to date."""

    def __init__(self, behaviour: Behaviour, files: Files, folder: Path | None, answer: AnswerLine) -> None:
        self._behaviour = behaviour
        self._files = files
        self._shelf = Shelf(folder)
        self._answer = answer

    def create(self, order: JSON) -> JSON:
        """A new batch, to be validated."""
        self._check(order)
        number, now = len(self._shelf.records), time.time()
        unset = (
            "cancelled_at", "cancelling_at", "completed_at", "error_file_id", "errors", "expired_at",
            "failed_at", "finalizing_at", "in_progress_at", "model", "output_file_id", "usage",
        )  # fmt: skip
        made = {
            **dict.fromkeys(unset),
            "id": made_name("batch_"),
            "object": "batch",
            "endpoint": order["endpoint"],
            "input_file_id": order["input_file_id"],
            "completion_window": order["completion_window"],
            "status": "validating",
            "created_at": int(now),
            "expires_at": int(now) + 24 * 3600,
            "metadata": order.get("metadata"),
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }
        self._shelf.put({"id": made["id"], "object": made, "created": now, "end": self._end(number)})
        return made

    def _check(self, order: JSON) -> None:
        missing = {"input_file_id", "endpoint", "completion_window"} - order.keys()
        if missing:
            raise Refused(400, f"Missing required parameter: {sorted(missing)[0]!r}.")
        if self._files.get(order["input_file_id"])["purpose"] != "batch":
            raise Refused(400, "The input file must have the purpose 'batch'.")
        if order["endpoint"] != "/v1/chat/completions" or order["completion_window"] != "24h":
            raise Refused(400, f"Invalid endpoint {order['endpoint']!r} or completion window.")

    def _end(self, number: int) -> str:
        if number < self._behaviour.failing_batches:
            return "failed"
        is_late = number < self._behaviour.failing_batches + self._behaviour.expiring_batches
        return "expired" if is_late else "completed"

    def page(self, query: Mapping[str, str]) -> JSON:
        """Newest first."""
        return paged([self.get(name) for name in reversed(self._shelf.records)], query, 20)

    def get(self, name: str) -> JSON:
        """A batch as it is by now."""
        record = self._shelf.get(name, "Batch")
        before = record["object"]["status"]
        self._advance(record)
        if record["object"]["status"] != before:
            self._shelf.put(record)
        found: JSON = record["object"]
        return found

    def cancel(self, name: str) -> JSON:
        """Stop a batch that still runs."""
        batch, record = self.get(name), self._shelf.get(name, "Batch")
        if batch["status"] not in ("validating", "in_progress", "finalizing"):
            raise Refused(409, f"Cannot cancel a batch with status '{batch['status']}'.")
        record["done"] = self._progress(record)
        record["cancelling"] = time.time()
        record["end"] = "cancelled"
        _set_status(batch, "cancelling", time.time())
        self._shelf.put(record)
        return batch

    def _progress(self, record: JSON) -> float:
        """The share of lines answered by now."""
        age: float = (time.time() - record["created"]) / max(self._behaviour.batch_seconds, 1e-9)
        done = min(max((age - _VALIDATED) / (_WORKED - _VALIDATED), 0.0), 1.0)
        return done * self._share(record)

    def _share(self, record: JSON) -> float:
        return self._behaviour.expired_share if record["end"] == "expired" else 1.0

    def _advance(self, record: JSON) -> None:
        batch, created, span = record["object"], record["created"], self._behaviour.batch_seconds
        age = time.time() - created
        if batch["status"] == "validating" and age >= _VALIDATED * span:
            self._validate(record, created + _VALIDATED * span)
        if batch["status"] == "in_progress":
            counts = batch["request_counts"]
            counts["completed"] = int(counts["total"] * self._progress(record))
            if age >= _WORKED * span:
                _set_status(batch, "finalizing", created + _WORKED * span)
        if batch["status"] == "finalizing" and age >= span:
            self._finish(record, self._share(record), created + span)
        if batch["status"] == "cancelling":
            end = record["cancelling"] + _VALIDATED * span
            if time.time() >= end:
                self._finish(record, record["done"], end)

    def _checked_lines(self, batch: JSON) -> tuple[list[JSON], list[JSON]]:
        try:
            content = self._files.content(batch["input_file_id"])
        except Refused:  # deleted in the meantime
            content = b""
        return checked_lines(content, batch["endpoint"])

    def _validate(self, record: JSON, now: float) -> None:
        batch = record["object"]
        errors, lines = self._checked_lines(batch)
        if record["end"] == "failed":
            limit = "Enqueued token limit reached for this model. Try again once some batches have completed."
            errors.append(line_error("token_limit_exceeded", limit, None))
        if errors:
            batch["errors"] = {"object": "list", "data": errors}
            _set_status(batch, "failed", now)
            return
        batch["model"] = lines[0]["body"].get("model")
        batch["request_counts"]["total"] = len(lines)
        _set_status(batch, "in_progress", now)

    def _finish(self, record: JSON, share: float, now: float) -> None:
        """Write both files: answered lines in no order, and those without an answer."""
        batch, end = record["object"], record["end"]
        _, lines = self._checked_lines(batch)
        random.Random(batch["id"]).shuffle(lines)
        done = lines[: int(len(lines) * share)]
        rows = [self._row(line) for line in done]
        rows += [unfinished_row(line, end) for line in lines[len(done) :]]
        good = [row for row in rows if is_good(row)]
        bad = [row for row in rows if not is_good(row)]
        batch["output_file_id"] = self._written(batch["id"], "output", good)
        batch["error_file_id"] = self._written(batch["id"], "error", bad)
        batch["request_counts"] = {"total": len(lines), "completed": len(good), "failed": len(bad)}
        batch["usage"] = batch_usage(good)
        _set_status(batch, end, now)

    def _row(self, line: JSON) -> JSON:
        status, body = self._answer(line["body"])
        response = {"status_code": status, "request_id": made_name("req_"), "body": body}
        return {
            "id": made_name("batch_req_"),
            "custom_id": line["custom_id"],
            "response": response,
            "error": None,
        }

    def _written(self, batch: str, noun: str, rows: Sequence[JSON]) -> str | None:
        if not rows:
            return None
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        made: str = self._files.create(f"{batch}_{noun}.jsonl", "batch_output", content)["id"]
        return made


def _set_status(batch: JSON, status: str, now: float) -> None:
    batch["status"] = status
    batch[f"{status}_at"] = int(now)
