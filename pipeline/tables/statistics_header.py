"""Header rows of a statistics table → its columns, for each of the halves that stand side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.tables.rows import PlacedCell
from pipeline.tables.statistics_columns import Caption, Columns, is_letters, plain, role_of
from pipeline.tables.statistics_labels import match_row

Row = Sequence[PlacedCell]


def split_header(rows: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
    """Rows from the one that names the columns to the first with a label of the form, and those below."""
    first_row = next((at for at, row in enumerate(rows) if _has_row_label(row)), len(rows))
    start = next((at for at, row in enumerate(rows[:first_row]) if _names_columns(row)), None)
    if start is None:
        return (), rows
    end = start + 1
    while end < first_row and is_header_row(rows[end]):
        end += 1
    return rows[start:end], rows[end:]


def is_header_row(row: Row) -> bool:
    """A row of captions alone, or the row 甲 乙 1 that numbers the columns."""
    texts = [placed.cell.text for placed in row if not placed.is_blank]
    is_captions = all(role_of(text) and not _is_row_label(text) for text in texts)
    return bool(texts) and (is_letters(texts) or is_captions)


def _has_row_label(row: Row) -> bool:
    return any(_is_row_label(placed.cell.text) for placed in row)


def _is_row_label(text: str) -> bool:
    """A label of the form; a caption is only one where it is that label in full (申请总数)."""
    match, role = match_row(text), role_of(text)
    return match is not None and (role is None or (role == "value" and match.kind == "exact"))


def _names_columns(row: Row) -> bool:
    return any(role_of(placed.cell.text) == "label" for placed in row)


def columns_of(header: Sequence[Row]) -> tuple[Columns, ...]:
    """The halves that header rows name; captions of several rows are joined column by column."""
    roles: dict[int, str] = {}
    captions: dict[int, str] = {}
    for row in header:
        if is_letters([placed.cell.text for placed in row]):
            continue
        for placed in row:
            role = role_of(placed.cell.text) or ("value" if "label" in roles.values() else None)
            for column in range(placed.cell.column, placed.right_edge):
                if role and not placed.is_blank:
                    roles.setdefault(column, role)
                    captions[column] = captions.get(column, "") + plain(placed.cell.text)
    return _halves(roles, captions)


def stream_header(cells: Sequence[PlacedCell]) -> tuple[tuple[Columns, ...], Sequence[PlacedCell]]:
    """The same where every cell has a line of its own, and the cells below; columns are in printed order."""
    first = next((at for at, placed in enumerate(cells) if _has_row_label([placed])), len(cells))
    opening = ("index", "label")
    start = next((at for at in range(first) if role_of(cells[at].cell.text) in opening), first)
    named = [placed.cell.text for placed in cells[start:first] if role_of(placed.cell.text)]
    roles = {at: str(role_of(text)) for at, text in enumerate(named)}
    return _halves(roles, {at: plain(text) for at, text in enumerate(named)}), cells[first:]


def _halves(roles: Mapping[int, str], captions: Mapping[int, str]) -> tuple[Columns, ...]:
    labels = [column for column in sorted(roles) if roles[column] == "label"]
    starts = [column for column in labels if column - 1 not in labels]
    halves = []
    for at, label in enumerate(starts):
        end = starts[at + 1] if at + 1 < len(starts) else max(roles) + 1
        has_index = roles.get(label - 1) == "index"
        own = [column for column in range(label, end) if column in roles]
        # The running number of the half to the right stands before its label.
        own = own[:-1] if end in starts and own and roles[own[-1]] == "index" else own
        codes = [column for column in own if roles[column] == "index"]
        remarks = [column for column in own if roles[column] == "remark"]
        values = tuple(Caption(column, captions[column]) for column in own if roles[column] == "value")
        aside = frozenset((*codes, *remarks, *((label - 1,) if has_index else ())))
        halves.append(Columns(label - has_index if at else 0, label, values, aside, has_index, bool(codes)))
    return tuple(halves)
