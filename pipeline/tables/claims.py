"""Sections of a table (a header and the lines under it) and which row each line is.

A line is claimed by its label, never by its position. Two lines that claim one row: the
better match keeps it. What nothing claims is returned, so that it can be reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.tables.header import Header, header_pieces, read_header
from pipeline.tables.labels import PART_CONFIDENCE, Match, read_label
from pipeline.tables.rows import Line, PlacedCell
from pipeline.tables.templates import GROUP_PREFIX, TableKind, item_labels, request_labels

MOST_PIECES = 3  # pieces of a split label that are tried joined

RowMatcher = Callable[[str], Match | None]


@dataclass(frozen=True)
class BodyLine:
    """A line under a header; `lead` is the text right before it that has no places of its own.

    A label with blank places is a row: a bare figure behind it may be a page number.
    """

    line: Line
    lead: tuple[PlacedCell, ...] = ()


@dataclass(frozen=True)
class Section:
    """A header and the lines under it; no header where none was printed before them."""

    header: Header | None
    lines: tuple[BodyLine, ...]


@dataclass(frozen=True)
class Claim:
    """A line that was taken for a row under `header`. `confidence` is that of the label."""

    key: str
    line: Line
    match: Match
    confidence: float
    header: Header | None = None


@dataclass(frozen=True)
class SectionClaims:
    """The claims of a section, and its lines with figures left over."""

    claims: tuple[Claim, ...]
    unclaimed: tuple[Line, ...]


def sections(lines: Sequence[Line], kind: TableKind, columns_expected: int) -> list[Section]:
    """Split lines at their headers. A header that repeats at a page break begins a section.

    A header that names fewer columns than the one before and than `columns_expected` (only a
    part of it was repeated) leaves the one before in force.
    """
    found: list[Section] = []
    header: Header | None = None
    rows: list[list[PlacedCell]] = []
    body: list[Line] = []
    for line in lines:
        count = header_pieces(line, kind, after_header=bool(rows) and not body)
        if count:
            if body:
                header = _in_force(rows, kind, header, columns_expected)
                found.append(Section(header, _with_leads(body)))
                rows, body = [], []
            rows.append(list(line.pieces[:count]))
            line = line.with_pieces(line.pieces[count:])
        if not count or line.pieces or line.figures:
            body.append(line)
    if rows or body:
        found.append(Section(_in_force(rows, kind, header, columns_expected), _with_leads(body)))
    return found


def _in_force(
    rows: Sequence[Sequence[PlacedCell]], kind: TableKind, before: Header | None, expected: int
) -> Header | None:
    header = read_header(rows, kind) if rows else None
    if header is None or (before and len(header.keys) < min(expected, len(before.keys))):
        return before
    return header


def _with_leads(lines: Sequence[Line]) -> tuple[BodyLine, ...]:
    body: list[BodyLine] = []
    lead: tuple[PlacedCell, ...] = ()
    for line in lines:
        body.append(BodyLine(line, lead))
        lead = () if line.slots else lead + line.pieces
    return tuple(body)


def claim_rows(section: Section, kind: TableKind) -> SectionClaims:
    """The row of each line of a section, by its label."""
    matcher = request_row if kind == "requests" else item_labels().match
    claims: list[Claim] = []
    unclaimed: list[Line] = []
    for body in section.lines:
        claims += _rows_without_figures(body.line, matcher)
        claim = _claim(body, matcher)
        if claim:
            claims.append(claim)
        elif body.line.figures:
            unclaimed.append(body.line)
    headed = tuple(replace(claim, header=section.header) for claim in claims)
    return SectionClaims(headed, tuple(unclaimed))


def _claim(body: BodyLine, matcher: RowMatcher) -> Claim | None:
    """The best reading of the label: its last piece or pieces joined, else with the text before it."""
    line = body.line
    if not line.slots:
        return None
    own = [piece.cell.text for piece in line.pieces]
    lead = [piece.cell.text for piece in body.lead] if line.figures else []
    for texts in (_joined(own), [text + "".join(own) for text in _joined(lead)]):
        matches = [(match, number) for number, text in enumerate(texts) if (match := matcher(text))]
        rows = [found for found in matches if not found[0].key.startswith(GROUP_PREFIX)]
        if rows:
            match, number = max(rows, key=lambda found: (found[0].confidence, -found[1]))
            confidence = min(match.confidence, PART_CONFIDENCE) if number else match.confidence
            return Claim(match.key, line, match, confidence)
    return _claim_with_odd_cell(line, matcher)


def _joined(texts: Sequence[str]) -> list[str]:
    """The last text, the last two joined, the last three."""
    return ["".join(texts[-count:]) for count in range(1, min(MOST_PIECES, len(texts)) + 1)]


def _claim_with_odd_cell(line: Line, matcher: RowMatcher) -> Claim | None:
    """A row whose first figures are texts (详见附件): label pieces that end before them."""
    for end in range(len(line.pieces) - 1, 0, -1):
        match = matcher(line.pieces[end - 1].cell.text)
        if match and match.kind == "exact" and not match.key.startswith(GROUP_PREFIX) and not line.is_stream:
            moved = Line(line.pieces[:end], line.pieces[end:] + line.slots, is_grid=line.is_grid)
            return Claim(match.key, moved, match, match.confidence)
    return None


def _rows_without_figures(line: Line, matcher: RowMatcher) -> Iterator[Claim]:
    """Rows of one-cell-a-line text that are printed as a label alone."""
    if not line.is_stream:
        return
    pieces = line.pieces[:-1] if line.slots else line.pieces
    for piece in pieces:
        match = matcher(piece.cell.text)
        if match and match.kind == "exact" and not match.key.startswith(GROUP_PREFIX):
            yield Claim(match.key, Line((piece,), (), is_stream=True), match, match.confidence)


def request_row(printed: str) -> Match | None:
    """The row of the requests table that a label names; （六）其他 is the group, 3.其他 a row."""
    label = read_label(printed)
    if label.core == "其他" and label.enumerator.startswith("("):
        return Match("other_outcome", "part", PART_CONFIDENCE)
    return request_labels().match(printed)


def strongest(claims: Sequence[Claim]) -> tuple[dict[str, Claim], list[Claim]]:
    """One claim a row, and those that lost.

    Figures go before none, a row under a header before one without, then the better match.
    """
    kept: dict[str, Claim] = {}
    lost: list[Claim] = []
    for claim in claims:
        rival = kept.get(claim.key)
        if rival is None or _strength(claim) > _strength(rival):
            kept[claim.key] = claim
            lost += [rival] if rival else []
        else:
            lost.append(claim)
    return kept, lost


def _strength(claim: Claim) -> tuple[bool, bool, float, float]:
    return bool(claim.line.figures), claim.header is not None, claim.confidence, claim.match.score
