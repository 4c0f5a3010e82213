"""The prose of two annotations as one: figures line by line, text items one by one.

Lines that agree are written with the print that tells its place best. Where each alone has
an entry, but both at one place of the document, it is one question: which of the two?
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from evals.agree import Place, category
from evals.gold import GoldDocument, GoldFact
from evals.review.adjudication.disagreements import Disagreement, DisagreementKind, Said, name_of
from evals.review.adjudication.places_said import PlacesSaid, share_a_place
from evals.review.adjudication.settling import Settling
from evals.values import same_value

Entry = dict[str, Any]
_PARTS: tuple[tuple[str, DisagreementKind], ...] = (("scope", "prose_scope"), ("bound", "prose_bound"))


class Pair(NamedTuple):
    """What both have of one thing; None where one has nothing. `agrees`: both say the same."""

    a: GoldFact | None
    b: GoldFact | None
    agrees: bool


class MergingProse:
    """Merges prose and text items of one document."""

    def __init__(self, a: GoldDocument, b: GoldDocument, said: PlacesSaid, settling: Settling) -> None:
        self._a, self._b = a, b
        self._said = said
        self._settling = settling

    def narrative(self, places: Sequence[Place]) -> list[Entry]:
        """The lines of the prose."""
        prose = [place for place in places if place.kind == "prose"]
        return self._in_order(prose, self._lines)

    def items(self, path: str, places: Sequence[Place]) -> list[Entry]:
        """The text items of one list."""
        return self._in_order([place for place in places if place.path == path], self._items)

    def _in_order(
        self, places: Sequence[Place], entries_of: Callable[[Pair], Iterator[Entry]]
    ) -> list[Entry]:
        """The entries in A's order, those of B alone behind what they follow there."""
        pairs = self._rejoined([_paired(place) for place in places])
        rank = self._ranks(pairs)
        return [entry for pair in sorted(pairs, key=rank) for entry in entries_of(pair)]

    def _rejoined(self, pairs: Sequence[Pair]) -> list[Pair]:
        alone = [pair.b for pair in pairs if pair.a is None]
        joined: list[Pair] = []
        for one, other, agrees in pairs:
            if one is None:
                continue
            if other is None:
                other = next((each for each in alone if self._same_place(one, each)), None)
                alone = [each for each in alone if each is not other]
            joined.append(Pair(one, other, agrees))
        return [*joined, *(Pair(None, other, False) for other in alone)]

    def _same_place(self, one: GoldFact, other: GoldFact | None) -> bool:
        if other is None:
            return False
        if share_a_place(self._said.of(one), self._said.of(other)):
            return True
        if one.starts is not None:
            return one.starts == other.starts or one.ends == other.ends
        return (one.raw, one.near) == (other.raw, other.near)

    def _ranks(self, pairs: Sequence[Pair]) -> Callable[[Pair], tuple[float, int]]:
        position = {id(fact): float(place) for place, fact in enumerate(self._a.facts)}
        partner = {id(pair.b): pair.a for pair in pairs if pair.a is not None and pair.b is not None}
        behind: dict[int, tuple[float, int]] = {}
        last = -1.0
        for place, fact in enumerate(self._b.facts):
            mate = partner.get(id(fact))
            last = last if mate is None else position[id(mate)]
            behind[id(fact)] = (last + 0.5, place)
        return lambda pair: behind[id(pair.b)] if pair.a is None else (position[id(pair.a)], 0)

    def _lines(self, pair: Pair) -> Iterator[Entry]:
        if not pair.agrees or pair.a is None or pair.b is None:
            yield from self._decided(pair, "narrative", "prose", line_of)
            return
        line = self._line_of_both(pair.a, pair.b)
        if line is not None:
            yield line

    def _items(self, pair: Pair) -> Iterator[Entry]:
        if not pair.agrees or pair.a is None or pair.b is None:
            path = (pair.a or pair.b).path  # type: ignore[union-attr]
            yield from self._decided(pair, path, "text", item_of)
            return
        is_found = self._said.of(pair.a) or not self._said.of(pair.b)
        yield item_of(pair.a if is_found else pair.b)

    def _decided(
        self, pair: Pair, prefix: str, kind: DisagreementKind, entry_of: Callable[[GoldFact], Entry]
    ) -> tuple[Entry, ...]:
        """The entries that were decided on; none while it is open."""
        sides = [
            None if fact is None else Said(entry_of(fact), self._said.of(fact)) for fact in (pair.a, pair.b)
        ]
        path = (pair.a or pair.b).path  # type: ignore[union-attr]
        name = name_of(*(None if side is None else side.value for side in sides))
        key = self._settling.unique(f"{prefix}/{name}")
        return self._settling.settle(Disagreement(key, kind, path, sides[0], sides[1], key)) or ()

    def _line_of_both(self, one: GoldFact, other: GoldFact) -> Entry | None:
        """The line that both have; None until scope, bound and place are clear."""
        key = f"narrative/{name_of(line_of(one), line_of(other))}"
        places = (self._said.of(one), self._said.of(other))
        line = line_of(other if _clearness(other, places[1]) > _clearness(one, places[0]) else one)
        is_clear = self._settle_place(key, one, other, line)
        for part, kind in _PARTS:
            values = (getattr(one, part), getattr(other, part))
            line[part] = values[0]
            if values[0] != values[1]:
                sides = [Said(value, found) for value, found in zip(values, places, strict=True)]
                group = f"{part}:{values[0]}:{values[1]}"
                asked_key = self._settling.unique(f"{key}.{part}")
                kept = self._settling.settle(
                    Disagreement(asked_key, kind, one.path, sides[0], sides[1], group, subject=line_of(one))
                )
                is_clear = is_clear and kept is not None
                line[part] = values[0] if kept is None else kept[0]
        return line if is_clear else None

    def _settle_place(self, key: str, one: GoldFact, other: GoldFact, line: Entry) -> bool:
        """Both found in the document, but nowhere at the same place: which print is meant?"""
        places = (self._said.of(one), self._said.of(other))
        if not places[0] or not places[1] or share_a_place(*places):
            return True
        sides = [
            Said({"raw": fact.raw, "near": fact.near}, found)
            for fact, found in zip((one, other), places, strict=True)
        ]
        key = self._settling.unique(f"{key}.place")
        kept = self._settling.settle(
            Disagreement(key, "prose_place", one.path, sides[0], sides[1], key, subject=line_of(one))
        )
        if kept is not None:
            line.update(kept[0])
        return kept is not None


def _paired(place: Place) -> Pair:
    one, other = place.a, place.b
    if one is None or other is None or category(one) != category(other):
        return Pair(one, other, False)
    is_item = one.starts is not None
    return Pair(one, other, is_item or same_value(one.path, one.value, other.value))


def _clearness(fact: GoldFact, places: Sequence[object]) -> tuple[bool, bool, int]:
    """How well a print tells its place: found, found once, and of these the shorter."""
    return bool(places), len(places) == 1, -len(fact.raw or "") if len(places) == 1 else 0


def line_of(fact: GoldFact) -> Entry:
    """A fact of the prose as its line in the gold file, every key there."""
    keys = ("path", "value", "raw", "near", "status", "bound", "scope", "label")
    return {key: getattr(fact, key) for key in keys}


def item_of(fact: GoldFact) -> Entry:
    """A text item as its line in the gold file."""
    return {"starts": fact.starts, "ends": fact.ends}
