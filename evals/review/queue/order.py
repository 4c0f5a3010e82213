"""The order in which figures are looked at, by their codes (risk_reading.py).

Which figures are checked decides whether a target is reached, not in which turn. So what has to be checked
anyway is gone through document by document, each in the order of its places: opening a document costs more
than a look. Documents come by their most doubtful figure, checked or not: nothing comes round
again before everything else has been shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Codes = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The figures of a document: `count` from `first` on; `top` is the highest code among them."""

    number: int
    first: int
    count: int
    top: int


def first_of(wanted: Indices, codes: Codes, after: int | None = None) -> int:
    """The wanted figure of the highest code behind `after`, earlier ones first; behind the last the first."""
    own = codes[wanted]
    if after is not None:
        is_behind = (own < codes[after]) | ((own == codes[after]) & (wanted > after))
        if is_behind.any():
            wanted, own = wanted[is_behind], own[is_behind]
    return int(wanted[np.argmax(own)])


def first_in(wanted: Indices, here: Stretch, after: int = -1) -> int | None:
    """The wanted figure of the document `here` that is printed next behind `after`, if there is one."""
    inside = wanted[slice(*np.searchsorted(wanted, (here.first, here.first + here.count)))]
    behind = inside[inside > after]
    return int(behind[0]) if len(behind) else None


def document_behind(wanted: Indices, documents: Sequence[Stretch], here: Stretch) -> Stretch:
    """The document behind `here` that has wanted figures. Behind the last comes the first."""
    firsts = np.array([each.first for each in documents])
    ends = firsts + np.array([each.count for each in documents])
    has_some = np.searchsorted(wanted, ends) > np.searchsorted(wanted, firsts)
    those = [documents[at] for at in np.flatnonzero(has_some).tolist()]
    behind = [each for each in those if _turn(each) > _turn(here)]
    return min(behind or those, key=_turn)


def _turn(document: Stretch) -> tuple[int, int]:
    return -document.top, document.number


def lowest_needed(unchecked: NDArray[np.int64], count: int) -> int | None:
    """The lowest code among the first `count` unchecked figures, of which `unchecked[code]` there are."""
    if count <= 0:
        return None
    from_top = np.cumsum(unchecked[::-1])
    return len(unchecked) - 1 - int(np.searchsorted(from_top, min(count, int(from_top[-1]))))
