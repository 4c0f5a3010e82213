"""From a random sample of documents to all of them, with how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SEED = 1
_RESAMPLES = 2_000
_INTERVAL_PERCENT = (2.5, 97.5)

_Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum over all documents, with its 95 % interval where only a sample was read."""

    total: float
    low: float | None = None
    high: float | None = None


def scaled(values: Sequence[float], population: int, once: float = 0.0) -> Figure:
    """The sum of a population from a sample's, plus `once`, with a bootstrap interval over documents.

    The interval narrows with the share that was read, and is None where all or fewer than two were.
    """
    read = len(values)
    if read in (0, population):
        return Figure(float(sum(values)) + once)
    sample: _Numbers = np.asarray(values, dtype=np.float64)
    total = float(sample.mean()) * population + once
    if read == 1:
        return Figure(total)
    lot = np.random.default_rng(SEED)
    means = np.array([sample[lot.integers(0, read, read)].mean() for _ in range(_RESAMPLES)])
    spread = (means - sample.mean()) * population * np.sqrt(1 - read / population)
    low, high = np.percentile(total + spread, _INTERVAL_PERCENT)
    return Figure(total, max(0.0, float(low)), float(high))
