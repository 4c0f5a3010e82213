"""Entries of the statistics table → rows of the form, by label and by what they stand under.

被依法纠错数, 其他情形数, 主要负责同志参加 … are printed under several totals: the one printed
last before them decides. Reasons of refusal are only those that 其中 or a deeper enumerator
puts under 不同意公开.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from pipeline.tables.labels import PART_CONFIDENCE
from pipeline.tables.rows import PlacedCell
from pipeline.tables.statistics_entries import Entry
from pipeline.tables.statistics_labels import Node, RowLabel, RowMatch, match_row, row_label

MOST_PIECES = 3  # pieces of a split label that are tried joined
_DENIED = "answered_denied"
_DENIED_LABEL = "不同意公开答复数"
_WEB_FORM, _EMAIL, _ONLINE = "received_web", "received_email", "received_online"
_ON_THE_NET = "网上申请"
_BLOCK_WORDS = {"复议": "行政复议数量", "诉讼": "行政诉讼数量"}


@dataclass(frozen=True)
class Claim:
    """An entry that was taken for the row `key`. `confidence` is that of the label."""

    key: str
    entry: Entry
    confidence: float


@dataclass(frozen=True)
class Claimed:
    """The claims of entries in reading order, and entries with figures that no row claims."""

    claims: tuple[Claim, ...]
    unclaimed: tuple[Entry, ...]


@dataclass
class Place:
    """Where in the form the reading stands; kept from one piece of a table to the next."""

    step: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    denied_style: str | None = None
    is_among_reasons: bool = False

    def choose(self, match: RowMatch, label: RowLabel) -> Node | None:
        """Which of the nodes of `match` is meant here, and step on; None where nothing above tells."""
        self._enter_reasons(label)
        reasons = [node for node in match.nodes if _DENIED_LABEL in node.above]
        others = [node for node in match.nodes if _DENIED_LABEL not in node.above]
        fitting = (reasons if self.is_among_reasons else others) or list(match.nodes)
        if len(fitting) > 1 and not any(above in self.seen for one in fitting for above in one.above):
            return None
        node = max(fitting, key=lambda one: [self.seen.get(above, -1) for above in one.above])
        self._step(node, label, is_certain=len(match.nodes) == 1)
        return node

    def pass_unknown(self, text: str) -> None:
        """A row that none is, but whose words say which block begins: 行政诉讼案件受理数."""
        for word, block in _BLOCK_WORDS.items():
            if word in text:
                self.step += 1
                self.seen[block] = self.step

    def _enter_reasons(self, label: RowLabel) -> None:
        if self.denied_style is None:
            return
        if label.is_within or label.style != self.denied_style:
            self.is_among_reasons = True
        elif label.style:
            self.is_among_reasons = False

    def _step(self, node: Node, label: RowLabel, *, is_certain: bool) -> None:
        self.step += 1
        for above in (*node.above, node.label):
            self.seen[above] = self.step
        if node.key == _DENIED:
            self.denied_style, self.is_among_reasons = label.style, False
        elif is_certain and _DENIED_LABEL not in node.above:
            self.denied_style, self.is_among_reasons = None, False


def claim_entries(entries: Sequence[Entry], place: Place) -> Claimed:
    """The row of each entry. Entries are in reading order; `place` goes on from table to table."""
    claims: list[Claim] = []
    unclaimed: list[Entry] = []
    lead: tuple[PlacedCell, ...] = ()
    for entry in entries:
        heads, own, match = _split(entry, lead)
        lead = ()
        claims += _heads(heads, entry, place)
        if match is None:
            place.pass_unknown(entry.label)
            lead = () if entry.figures or entry.unit else entry.pieces
            unclaimed += [entry] if _has_number(entry) else []
            continue
        printed = replace(entry, pieces=own)
        node = place.choose(match, _label_of(own, heads))
        if node is None:
            unclaimed += [entry] if _has_number(entry) else []
        elif node.key is not None:
            joined = PART_CONFIDENCE if len(own) > 1 or len(match.nodes) > 1 else 1.0
            claims.append(Claim(node.key, printed, min(match.confidence, joined)))
        elif _has_number(entry):
            unclaimed.append(printed)
    return Claimed(tuple(_web_or_online(claims)), tuple(unclaimed))


def _has_number(entry: Entry) -> bool:
    return any(figure.reading.status != "not_applicable" for figure in entry.figures)


def _split(
    entry: Entry, lead: tuple[PlacedCell, ...]
) -> tuple[tuple[PlacedCell, ...], tuple[PlacedCell, ...], RowMatch | None]:
    """Pieces in front, the pieces of the row's own label, and what it is.

    The last piece, or the last two or three joined; a label that was split by a row border
    begins with `lead`.
    """
    pieces = entry.pieces
    tries = [(pieces[:-count], pieces[-count:]) for count in range(1, min(MOST_PIECES, len(pieces)) + 1)]
    if lead:
        tries.append(((), (*lead, *pieces)))
    found = [(heads, own, match_row(_text(own))) for heads, own in tries]
    matched = [one for one in found if one[2] is not None]
    if not matched:
        return (), pieces, None
    return max(matched, key=lambda one: (one[2].confidence if one[2] else 0, -len(one[1])))


def _text(pieces: Sequence[PlacedCell]) -> str:
    return "".join(piece.cell.text for piece in pieces)


def _label_of(own: Sequence[PlacedCell], heads: Sequence[PlacedCell]) -> RowLabel:
    """The label's form; 其中 may stand in a cell of its own before it."""
    label = row_label(_text(own))
    is_below = any(row_label(piece.cell.text).text in ("", "其中") for piece in heads[-1:])
    return replace(label, is_within=label.is_within or is_below)


def _heads(heads: Sequence[PlacedCell], entry: Entry, place: Place) -> Iterator[Claim]:
    """Labels in front of a row's own: the section, or in one-cell-a-line text rows without a figure."""
    for piece in heads:
        match = match_row(piece.cell.text)
        if match is None or match.kind != "exact":
            continue
        node = place.choose(match, row_label(piece.cell.text))
        if entry.is_stream and node is not None and node.key is not None:
            yield Claim(node.key, Entry((piece,), None, (), entry.half, is_stream=True), match.confidence)


def _web_or_online(claims: Sequence[Claim]) -> list[Claim]:
    """网上申请数 beside 电子邮件申请数 counts forms on the website; alone it counts all that came online."""
    keys = {claim.key for claim in claims}
    if {_EMAIL, _ONLINE} & keys:
        return list(claims)
    return [
        replace(claim, key=_ONLINE)
        if claim.key == _WEB_FORM and row_label(claim.entry.label).text == _ON_THE_NET
        else claim
        for claim in claims
    ]
