"""Krippendorff's alpha for nominal data, any number of coders, missing values allowed.

Krippendorff, Content Analysis (2004), §11.3: alpha = 1 - observed / expected disagreement
over the coincidences of values within units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence


def krippendorff_alpha(units: Iterable[Sequence[Hashable | None]]) -> float | None:
    """Alpha over `units`, each the values that the coders gave it; None marks a missing one.

    None where no unit has two values, or all values are alike: then there is nothing to agree on.
    """
    coincidences: Counter[tuple[Hashable, Hashable]] = Counter()
    for unit in units:
        values = [value for value in unit if value is not None]
        if len(values) < 2:
            continue
        weight = 1 / (len(values) - 1)
        for i, one in enumerate(values):
            for j, other in enumerate(values):
                if i != j:
                    coincidences[one, other] += weight  # type: ignore[assignment]
    totals: Counter[Hashable] = Counter()
    for (one, _), count in coincidences.items():
        totals[one] += count
    number = sum(totals.values())
    expected = number * number - sum(count * count for count in totals.values())
    if number < 2 or expected == 0:
        return None
    observed = sum(count for (one, other), count in coincidences.items() if one != other)
    return 1 - (number - 1) * observed / expected
