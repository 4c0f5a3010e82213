"""Headers: which leaf columns a table has, in which order, however the header is laid out.

The order comes from expanding the tree of header labels (申请人情况 → 自然人, 法人或其他组织 →
商业企业 … 其他; 总计), not from spans: those are lost in flat text and lie in HTML. Only where
cells have a place on a page (PDF, scans) does the place decide: it is what is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS
from pipeline.tables.cells import money_unit
from pipeline.tables.labels import Match
from pipeline.tables.rows import Line, PlacedCell
from pipeline.tables.templates import (
    PARENT_APPLICANTS,
    PARENT_LITIGATION,
    PARENT_ORGANISATIONS,
    TableKind,
    applicant_labels,
    column_labels,
    is_caption,
    is_corner,
    is_proactive_header,
    outcome_labels,
)

DEFAULT_CONFIDENCE = 0.8  # of a column that was placed by the form, not by its header
_ORGANISATIONS = tuple(key for key in APPLICANTS if key not in ("natural_person", "total"))
_AMBIGUOUS = frozenset({"other_organisation", "total"})


@dataclass(frozen=True)
class Column:
    """A leaf column: its key (None: no known label) and the header cell, if one is printed."""

    key: str | None
    cell: PlacedCell | None
    confidence: float

    @cached_property
    def unit(self) -> str | None:
        """The unit of money that the header names."""
        return money_unit(self.cell.cell.text) if self.cell else None


@dataclass(frozen=True)
class Header:
    """Leaf columns in the order in which figures follow them.

    `alternative` is the other order that the same print allows, None where there is none.
    """

    columns: tuple[Column, ...]
    alternative: tuple[Column, ...] | None = None
    is_default: bool = False

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Known columns in order."""
        return tuple(column.key for column in self.columns if column.key)


@dataclass(frozen=True)
class _Token:
    key: str | None
    cell: PlacedCell
    row: int
    confidence: float


Matcher = Callable[[str], Match | None]


def default_header(keys: Sequence[str]) -> Header:
    """The columns as the form has them, for a table whose header is lost."""
    return Header(tuple(Column(key, None, DEFAULT_CONFIDENCE) for key in keys), is_default=True)


def header_pieces(line: Line, kind: TableKind, after_header: bool) -> int:
    """How many label pieces of `line` belong to the header; 0 where it is no header line.

    `after_header` tells that the line before was one: only then 其他 and 总计 alone are header.
    """
    last = max((at for at, piece in enumerate(line.pieces) if _opens_header(piece, kind)), default=-1)
    if last < 0 and not (after_header and _only_ambiguous(line, kind)):
        return 0
    if not line.is_stream:
        return 0 if line.figures else len(line.pieces)
    keep_label = 0 if kind == "remedies" or not line.figures else 1
    while last + 1 < len(line.pieces) - keep_label and _is_ambiguous(line.pieces[last + 1], kind):
        last += 1
    return last + 1


def _opens_header(piece: PlacedCell, kind: TableKind) -> bool:
    text = piece.cell.text
    if is_corner(text):
        return True
    if kind == "proactive":
        return is_proactive_header(text)
    if kind == "requests":
        match = applicant_labels().plain_match(text)
        return match is not None and match.key not in _AMBIGUOUS
    match = outcome_labels().plain_match(text)
    return match is not None and (match.key in OUTCOMES or match.key == PARENT_LITIGATION)


def _is_ambiguous(piece: PlacedCell, kind: TableKind) -> bool:
    if kind == "proactive":
        return False
    labels = applicant_labels() if kind == "requests" else outcome_labels()
    return labels.exact(piece.cell.text) in _AMBIGUOUS and piece.cell.text.strip()[:1] not in "(（1234567"


def _only_ambiguous(line: Line, kind: TableKind) -> bool:
    return not line.figures and bool(line.pieces) and all(_is_ambiguous(piece, kind) for piece in line.pieces)


def read_header(rows: Sequence[Sequence[PlacedCell]], kind: TableKind) -> Header | None:
    """The leaf columns of header rows; None where they name no column (a caption alone)."""
    if kind == "proactive":
        header = Header(_in_order(_tokens(rows, column_labels().match)))
    elif kind == "requests":
        header = _applicants(_tokens(rows, applicant_labels().match))
    else:
        header = _outcomes(_tokens(rows, outcome_labels().match))
    return header if header.keys else None


def _tokens(rows: Sequence[Sequence[PlacedCell]], match: Matcher) -> list[_Token]:
    tokens = []
    for number, row in enumerate(rows):
        known_before = False
        for placed in row:
            text = placed.cell.text
            if is_corner(text) or is_caption(text):
                continue
            found = match(text)
            if found is None and not known_before:
                continue
            known_before = True
            confidence = found.confidence if found else 0.0
            tokens.append(_Token(found.key if found else None, placed, number, confidence))
    return tokens


def _in_order(tokens: Sequence[_Token]) -> tuple[Column, ...]:
    """A column a token; a key that is printed again (a span written out) counts once."""
    seen: set[str] = set()
    columns = []
    for token in tokens:
        if token.key in seen:
            continue
        if token.key:
            seen.add(token.key)
        columns.append(Column(token.key, token.cell, token.confidence))
    return tuple(columns)


def _first(tokens: Sequence[_Token], key: str) -> _Token | None:
    return next((token for token in tokens if token.key == key), None)


def _applicants(tokens: Sequence[_Token]) -> Header:
    """自然人 and the five kinds of organisation where their parent stands, 总计 at its end."""
    organisations = [token for token in tokens if token.key in _ORGANISATIONS]
    body: list[_Token] = []
    for token in tokens:
        if token.key == PARENT_ORGANISATIONS and token is _first(tokens, PARENT_ORGANISATIONS):
            body += organisations
        elif token.key == "natural_person":
            body.append(token)
    body += organisations
    unknown = [token for token in tokens if token.key is None]
    total = _first(tokens, "total")
    placed = _by_place([*body, *unknown, *([total] if total else [])])
    if placed is not None:
        return Header(_in_order(placed))
    if total is None:
        return Header(_in_order([*body, *unknown]))
    first, last = _in_order([total, *body, *unknown]), _in_order([*body, total, *unknown])
    place = _place_of_total(tokens, total)
    if place == "unclear":
        return Header(last, alternative=first)
    return Header(first if place == "first" else last)


def _by_place(tokens: Sequence[_Token]) -> list[_Token] | None:
    """Leaf columns from left to right on the page; None where some have no place, or share one."""
    once = list({id(token): token for token in tokens}.values())
    columns = [token.cell.cell.column for token in once]
    if len(once) < 2 or len(set(columns)) < len(columns) or any(not _has_place(token) for token in once):
        return None
    return sorted(once, key=lambda token: token.cell.cell.column)


def _has_place(token: _Token) -> bool:
    return token.cell.cell.box is not None


def _place_of_total(tokens: Sequence[_Token], total: _Token) -> str:
    """Whether 总计 stands before or behind the kinds of applicant: first, last or unclear."""
    parent = _first(tokens, PARENT_APPLICANTS)
    others = [token for token in tokens if token.key not in (None, "total", PARENT_APPLICANTS)]
    same_row = [token for token in others if token.row == total.row]
    if parent and parent.row == total.row and not same_row:
        return "first" if tokens.index(total) < tokens.index(parent) else "last"
    before = all(tokens.index(total) < tokens.index(token) for token in same_row)
    if not before:
        return "last"
    # One run of cells: 申请人情况 总计 自然人 may put 总计 beside 申请人情况 or below it.
    if parent and parent.row == total.row and tokens.index(parent) < tokens.index(total):
        return "unclear"
    return "first"


def _outcomes(tokens: Sequence[_Token]) -> Header:
    """Columns `block.outcome`: a run of outcomes for each block, in the order of the blocks."""
    groups: list[list[_Token]] = []
    outcomes = [token for token in tokens if token.key in OUTCOMES]
    placed = _by_place(outcomes)
    for token in placed or outcomes:
        if not groups or token.key in {other.key for other in groups[-1]} or len(groups[-1]) == len(OUTCOMES):
            groups.append([])
        groups[-1].append(token)
    blocks = _block_order(tokens)
    if len(groups) == 1 and len(blocks) != 1:  # blocks are rows
        return Header(_in_order(groups[0]))
    if len(groups) != len(blocks):
        return Header(())
    by_block = dict(zip(blocks if placed else _printed_order(tokens, blocks), groups, strict=True))
    return Header(
        tuple(
            Column(f"{block}.{token.key}", token.cell, token.confidence)
            for block in blocks
            for token in by_block[block]
        )
    )


def _block_order(tokens: Sequence[_Token]) -> list[str]:
    suits = [token.key for token in _once(tokens) if token.key in REMEDY_BLOCKS and token.key != "review"]
    order: list[str] = []
    for token in _once(tokens):
        if token.key == "review":
            order.append("review")
        elif token.key == PARENT_LITIGATION:
            order += [key for key in suits if key]
    return order + [key for key in suits if key and key not in order]


def _once(tokens: Sequence[_Token]) -> list[_Token]:
    return [token for token in tokens if token.key and token is _first(tokens, token.key)]


def _printed_order(tokens: Sequence[_Token], blocks: Sequence[str]) -> list[str]:
    """Blocks in the order in which their outcomes are printed.

    The outcomes of 行政复议 stand a row above those of the two kinds of lawsuit, so they are
    printed first even where the block itself stands last.
    """
    suit_rows = [token.row for token in tokens if token.key in REMEDY_BLOCKS and token.key != "review"]
    first = next((token for token in tokens if token.key in OUTCOMES), None)
    later = [token for token in tokens if token.key in OUTCOMES and suit_rows and token.row > max(suit_rows)]
    if first and suit_rows and first.row <= max(suit_rows) and later:
        return sorted(blocks, key=lambda block: block != "review")
    return list(blocks)
