"""Whether confidence can be trusted, and how many figures a person must check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
TARGET_ACCURACY = 0.99
MOST_POINTS = 200


@dataclass(frozen=True, slots=True)
class Bin:
    """A step of confidence: how sure the facts in it are on average, and how many are right."""

    low: float
    high: float
    count: int
    mean_confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """`kept` facts of the highest confidence; `accuracy` among them; `confidence` of the last."""

    kept: int
    share: float
    accuracy: float
    confidence: float


@dataclass(frozen=True)
class Calibration:
    """Reliability and risk–coverage of facts with a confidence.

    `check_for_target`: facts of lowest confidence to check by hand so that the rest is
    right in 99 of 100; None where no rest is.
    """

    count: int
    expected_calibration_error: float
    bins: tuple[Bin, ...]
    curve: tuple[CurvePoint, ...]
    check_for_target: int | None

    def as_dict(self) -> dict[str, Any]:
        """As it stands in scores.json."""
        return asdict(self) | {"target_accuracy": TARGET_ACCURACY}


def calibrate(confidences: Sequence[float], is_right: Sequence[bool]) -> Calibration | None:
    """Calibration of facts; None without any."""
    if not confidences:
        return None
    sure = np.asarray(confidences, dtype=np.float64)
    right = np.asarray(is_right, dtype=np.float64)
    bins = tuple(_bins(sure, right))
    error = sum(step.count * abs(step.mean_confidence - step.accuracy) for step in bins) / len(sure)
    curve = list(_curve(sure, right))
    kept = max((point.kept for point in curve if point.accuracy >= TARGET_ACCURACY), default=None)
    to_check = None if kept is None else len(sure) - kept
    return Calibration(len(sure), error, bins, _thinned(curve), to_check)


def _bins(sure: NDArray[np.float64], right: NDArray[np.float64]) -> list[Bin]:
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    found = []
    for index in range(BINS):
        inside = place == index
        if inside.any():
            mean, accuracy = float(sure[inside].mean()), float(right[inside].mean())
            found.append(Bin(index / BINS, (index + 1) / BINS, int(inside.sum()), mean, accuracy))
    return found


def _curve(sure: NDArray[np.float64], right: NDArray[np.float64]) -> list[CurvePoint]:
    """A point after each group of equal confidence: facts of one confidence cannot be told apart."""
    order = np.argsort(-sure, kind="stable")
    sure, hits = sure[order], np.cumsum(right[order])
    ends = np.flatnonzero(np.append(np.diff(sure) != 0, True))
    return [
        CurvePoint(end + 1, (end + 1) / len(sure), float(hits[end] / (end + 1)), float(sure[end]))
        for end in ends.tolist()
    ]


def _thinned(curve: list[CurvePoint]) -> tuple[CurvePoint, ...]:
    """At most some 200 points, the last among them: enough to draw."""
    step = max(1, len(curve) // MOST_POINTS)
    return (*curve[:-1:step], curve[-1])
