"""What the fake server counts and logs: requests, answers, lines of batches, tokens."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from fake_replies import JSON, USABLE, Place
from fake_wire import Sending


@dataclass
class Visit:
    """One request on its way through the server."""

    number: int
    path: str
    place: Place
    question: str | None
    started: float
    kind: str = "ok"


class Ledger:
    """Counts requests and answers, and logs each arrival and each end. Only the loop uses it."""

    def __init__(self, log: Path | None) -> None:
        self._file: TextIO | None = log.open("a", buffering=1, encoding="utf-8") if log else None
        self.requests = 0
        self.in_flight = 0
        self.peak_in_flight = 0
        self.answered: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter(input=0, cached=0, output=0)
        self.received: Counter[str] = Counter()
        self.kinds: dict[str, Counter[str]] = {}

    def arrive(self, path: str, place: Place, question: str | None) -> Visit:
        """A request has come in whole."""
        self.requests += 1
        visit = Visit(self.requests, path, place, question, time.monotonic())
        if place == "chat":
            self.in_flight += 1
            self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        if question is not None:
            self.received[question] += 1
        self._write("arrived", number=visit.number, path=path, question=question)
        return visit

    def leave(self, visit: Visit, sending: Sending | None) -> None:
        """Its answer has gone out, or (None) the client has gone before."""
        self.in_flight -= visit.place == "chat"
        (self.dropped if sending is None else self.answered)[visit.kind] += 1
        usage = sending.usage if sending else None
        if sending is not None:
            self._count(visit.question, visit.kind, usage)
        self._write(
            "dropped" if sending is None else "answered",
            number=visit.number,
            path=visit.path,
            question=visit.question,
            kind=visit.kind,
            status=sending.status if sending else None,
            seconds=round(time.monotonic() - visit.started, 4),
            usage=usage,
        )

    def line(self, question: str, kind: str, usage: JSON | None) -> None:
        """A line of a batch has its answer."""
        self.lines[kind] += 1
        self.received[question] += 1
        self._count(question, kind, usage)
        self._write("batch_line", question=question, kind=kind, usage=usage)

    def stats(self) -> JSON:
        """All counts; see the module `fake_server` for their meaning."""
        return {
            "requests": self.requests,
            "answered": dict(self.answered),
            "dropped": dict(self.dropped),
            "batch_lines": dict(self.lines),
            "in_flight": self.in_flight,
            "peak_in_flight": self.peak_in_flight,
            "tokens": dict(self.tokens),
            "questions": {
                name: {
                    "received": count,
                    "ok": sum(n for kind, n in self.kinds.get(name, {}).items() if kind in USABLE),
                    "kinds": dict(self.kinds.get(name, {})),
                }
                for name, count in self.received.items()
            },
        }

    def close(self) -> None:
        """Close the log."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _count(self, question: str | None, kind: str, usage: JSON | None) -> None:
        if question is not None:
            self.kinds.setdefault(question, Counter())[kind] += 1
        if usage is not None:
            self.tokens["input"] += usage["prompt_tokens"]
            self.tokens["cached"] += usage["prompt_tokens_details"]["cached_tokens"]
            self.tokens["output"] += usage["completion_tokens"]

    def _write(self, event: str, **details: Any) -> None:
        if self._file is not None:
            self._file.write(json.dumps({"event": event, "time": time.time(), **details}) + "\n")
