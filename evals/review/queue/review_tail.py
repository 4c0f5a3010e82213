"""What the review log says of its end without reading all of it again: who changed which document when."""

from __future__ import annotations

import json
from collections import deque
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from pipeline.errors import StartError

LONGEST_SECONDS = 120.0
FEWEST_CHECKS = 5
_MOST_CHECKS = 200


class ReviewTail:
    """The lines of a review log as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end = 0
        self._times: dict[str, deque[datetime]] = {}

    def changed(self) -> set[str]:
        """Documents with new lines since the last call; all that have any at the first."""
        try:
            if not self.path.exists():
                return set()
            with self.path.open("rb") as stream:
                if stream.seek(0, 2) < self._end:
                    # The end was taken back: what it said may be gone.
                    self._end, self._times = 0, {}
                stream.seek(self._end)
                return {self._take_up(line) for line in stream if line.endswith(b"\n")}
        except OSError as error:
            raise StartError(f"{self.path} cannot be read: {error.strerror or error}") from error

    def _take_up(self, line: bytes) -> str:
        self._end += len(line)
        event = json.loads(line)
        if event["action"] != "undo":
            times = self._times.setdefault(event["annotator"], deque(maxlen=_MOST_CHECKS))
            times.append(datetime.fromisoformat(event["at"]))
        return str(event["doc_id"])

    def seconds_a_check(self, annotator: str) -> float | None:
        """Mean time between the last checks of a person, breaks of over two minutes left out.

        None until there are enough of them.
        """
        times = list(self._times.get(annotator, ()))
        gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
        kept = [gap for gap in gaps if 0 <= gap <= LONGEST_SECONDS]
        return sum(kept) / len(kept) if len(kept) >= FEWEST_CHECKS else None
