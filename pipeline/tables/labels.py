"""Labels of rows and columns: one normal form, and which known label a printed one is.

Labels come truncated, split, with or without enumerators, quotes, brackets and spaces.
An exact match goes before a unique part, a unique part before a likeness.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal

MatchKind = Literal["exact", "part", "fuzzy"]

SHORTEST_PART = 3  # characters of a printed label that may stand for a longer one
SHORTEST_WITHIN = 4  # characters of a known label that may stand inside a longer print
FUZZY_THRESHOLD = 0.72
FUZZY_MARGIN = 0.1
PART_CONFIDENCE = 0.95
FUZZY_CONFIDENCE = 0.85

_QUOTES = re.compile(r"[\s\"'`“”‘’「」『』《》*\u200b]+")
_ENUMERATOR = re.compile(
    r"^(?:\((?P<round>[一二三四五六七八九十\d]{1,3})\)|(?P<chapter>[一二三四五六七八九十]{1,3})[,.]"
    r"|(?P<digit>\d{1,2})(?:[.,)]|(?=[^\d.,])))[.,:]?"
)
_BRACKETS = re.compile(r"\([^()]*(?:\)|$)")
_PUNCTUATION = re.compile(r"[,.:;。：；·/\\\-]+")


@dataclass(frozen=True, slots=True)
class Label:
    """A printed label in normal form.

    `text` is without white space, quotes and enumerator, `core` also without what stands
    in brackets (closed or cut off) and without punctuation. `enumerator` keeps its form:
    `一、` `(六)` `3.`, or "" where none is printed.
    """

    text: str
    core: str
    enumerator: str


@dataclass(frozen=True, slots=True)
class Match:
    """The known label that a printed one was taken for. `score` is 1.0 for an exact match."""

    key: str
    kind: MatchKind
    score: float

    @property
    def confidence(self) -> float:
        """1.0 exact, 0.95 a unique part of the label, 0.85 a likeness."""
        return {"exact": 1.0, "part": PART_CONFIDENCE, "fuzzy": FUZZY_CONFIDENCE}[self.kind]


@lru_cache(maxsize=4096)
def read_label(printed: str) -> Label:
    """The normal form of a printed label: half-width, 顿号 as comma, no white space or quotes."""
    text = _QUOTES.sub("", unicodedata.normalize("NFKC", printed)).replace("、", ",")
    found = _ENUMERATOR.match(text)
    enumerator = ""
    if found and found.end() < len(text):
        enumerator = _enumerator_form(found)
        text = text[found.end() :]
    core = _PUNCTUATION.sub("", _BRACKETS.sub("", text))
    return Label(_PUNCTUATION.sub("", text), core, enumerator)


def _enumerator_form(found: re.Match[str]) -> str:
    if found["round"]:
        return f"({found['round']})"
    return f"{found['chapter']}、" if found["chapter"] else f"{found['digit']}."


class LabelSet:
    """Known labels by key; a key may have several wordings."""

    def __init__(self, labels: Mapping[str, Collection[str]]) -> None:
        self._known = [
            (key, form)
            for key, wordings in labels.items()
            for form in dict.fromkeys(form for wording in wordings for form in _forms(wording))
        ]
        self._exact: dict[str, str] = {}
        for key, form in self._known:
            self._exact.setdefault(form, key)

    def match(self, printed: str, within: Collection[str] | None = None) -> Match | None:
        """The known label that `printed` is, or None where none or more than one will do.

        `within` narrows the keys that may be chosen.
        """
        return _match(self, printed) if within is None else self.find(printed, within)

    def plain_match(self, printed: str) -> Match | None:
        """The known label that `printed` is in full or a unique part of; no likeness."""
        return _plain_match(self, printed)

    def find(
        self, printed: str, within: Collection[str] | None = None, *, plainly: bool = False
    ) -> Match | None:
        """What `match`, or `plain_match` where `plainly`, remember."""
        label = read_label(printed)
        found = self._exact_match(label, within) or self._part_match(label.core, within)
        return found if found or plainly else self._fuzzy_match(label.core, within)

    def exact(self, printed: str) -> str | None:
        """The key whose label is printed in full, brackets aside."""
        found = self._exact_match(read_label(printed), None)
        return found.key if found else None

    def _candidates(self, within: Collection[str] | None) -> list[tuple[str, str]]:
        return [(key, form) for key, form in self._known if within is None or key in within]

    def _exact_match(self, label: Label, within: Collection[str] | None) -> Match | None:
        for form in (label.text, label.core):
            key = self._exact.get(form) if form else None
            if key is not None and (within is None or key in within):
                return Match(key, "exact", 1.0)
        return None

    def _part_match(self, text: str, within: Collection[str] | None) -> Match | None:
        candidates = self._candidates(within)
        keys: set[str] = set()
        if len(text) >= SHORTEST_PART:
            keys = {key for key, form in candidates if text in form}
        if not keys:
            known = [(key, form) for key, form in candidates if len(form) >= SHORTEST_WITHIN]
            inside = [(key, form) for key, form in known if form in text]
            longest = max((form for _, form in inside), key=len, default="")
            keys = {key for key, form in inside if form not in longest or form == longest}
        return Match(keys.pop(), "part", PART_CONFIDENCE) if len(keys) == 1 else None

    def _fuzzy_match(self, text: str, within: Collection[str] | None) -> Match | None:
        if len(text) < SHORTEST_PART:
            return None
        best: dict[str, float] = {}
        for key, form in self._candidates(within):
            if _most_likeness(text, form) >= FUZZY_THRESHOLD - FUZZY_MARGIN:
                best[key] = max(best.get(key, 0.0), likeness(text, form))
        ranked = sorted(best.items(), key=lambda item: -item[1])
        if not ranked or ranked[0][1] < FUZZY_THRESHOLD:
            return None
        if len(ranked) > 1 and ranked[0][1] - ranked[1][1] < FUZZY_MARGIN:
            return None
        return Match(ranked[0][0], "fuzzy", min(0.94, ranked[0][1]))


# The forms' labels come again in every report.
@lru_cache(maxsize=8192)
def _match(labels: LabelSet, printed: str) -> Match | None:
    return labels.find(printed)


@lru_cache(maxsize=8192)
def _plain_match(labels: LabelSet, printed: str) -> Match | None:
    return labels.find(printed, plainly=True)


def _forms(wording: str) -> tuple[str, ...]:
    label = read_label(wording)
    return (label.text, label.core) if label.core else (label.text,)


def _most_likeness(one: str, other: str) -> float:
    """What `likeness` cannot be more than: characters that both have, in whatever order."""
    shared = min(sum(char in other for char in one), len(other))
    return 2 * shared / (len(one) + len(other))


def likeness(one: str, other: str) -> float:
    """Share of characters that both have in the same order, 0..1 (Ratcliff–Obershelp)."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
