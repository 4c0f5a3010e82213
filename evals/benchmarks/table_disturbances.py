"""What real files do to the three tables: one function a disturbance, report → report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from evals.benchmarks.table_carriers import (
    Expected,
    PrintedCell,
    PrintedReport,
    PrintedRow,
    PrintedTable,
)

Disturb = Callable[[PrintedReport], PrintedReport]
ZERO = Expected(0, "value")


def _map_cells(report: PrintedReport, change: Callable[[PrintedCell], PrintedCell]) -> PrintedReport:
    tables = tuple(
        replace(table, rows=tuple(tuple(change(cell) for cell in row) for row in table.rows))
        for table in report.tables
    )
    return replace(report, tables=tables)


def _map_table(
    report: PrintedReport, kind: str, change: Callable[[PrintedTable], PrintedTable]
) -> PrintedReport:
    tables = tuple(change(table) if table.kind == kind else table for table in report.tables)
    return replace(report, tables=tables)


def _map_figures(report: PrintedReport, change: Callable[[str], str]) -> PrintedReport:
    return _map_cells(report, lambda cell: replace(cell, text=change(cell.text)) if cell.path else cell)


def _zeros_as(report: PrintedReport, text: str, expected: Expected) -> PrintedReport:
    changed = _map_figures(report, lambda figure: text if figure == "0" else figure)
    return replace(
        changed, expected={path: expected if cell == ZERO else cell for path, cell in report.expected.items()}
    )


def plain(report: PrintedReport) -> PrintedReport:
    """As the form prints it."""
    return report


def zeros_blank(report: PrintedReport) -> PrintedReport:
    """Every zero is left blank."""
    return _zeros_as(report, "", Expected(None, "blank"))


def zeros_stroke(report: PrintedReport) -> PrintedReport:
    """Every zero is a stroke."""
    return _zeros_as(report, "/", Expected(None, "not_applicable"))


def zeros_in_words(report: PrintedReport) -> PrintedReport:
    """Every zero is 无."""
    return _zeros_as(report, "无", Expected(0, "zero_in_words"))


def one_blank(report: PrintedReport) -> PrintedReport:
    """One zero in the middle of the requests table is left blank."""
    paths = [path for path in _figure_paths(report, "requests") if report.expected[path] == ZERO]
    chosen = paths[len(paths) // 2]
    changed = _map_cells(report, lambda cell: replace(cell, text="") if cell.path == chosen else cell)
    return replace(changed, expected={**report.expected, chosen: Expected(None, "blank")})


def _figure_paths(report: PrintedReport, kind: str) -> list[str]:
    return [
        cell.path
        for table in report.tables
        if table.kind == kind
        for row in table.rows
        for cell in row
        if cell.path
    ]


def thousands(report: PrintedReport) -> PrintedReport:
    """Figures from 1000 on with separators."""
    return _map_figures(report, _separated)


def _separated(figure: str) -> str:
    whole, point, decimals = figure.partition(".")
    return f"{int(whole):,}{point}{decimals}" if whole.isdigit() and len(whole) > 3 else figure


_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_HALF_WIDTH = str.maketrans("（），：", "(),:")


def full_width_digits(report: PrintedReport) -> PrintedReport:
    """All figures in full-width digits."""
    return _map_figures(report, lambda figure: figure.translate(_FULL_WIDTH))


def half_width_labels(report: PrintedReport) -> PrintedReport:
    """Labels with half-width brackets and spaces inside."""
    return _map_cells(
        report,
        lambda cell: (
            cell if cell.path else replace(cell, text=cell.text.translate(_HALF_WIDTH).replace(")", ") "))
        ),
    )


def cell_with_note(report: PrintedReport) -> PrintedReport:
    """A figure with a note in brackets behind it."""
    path = next(path for path in _figure_paths(report, "proactive") if ".normative_documents." in path)
    return _map_cells(
        report, lambda cell: replace(cell, text=f"{cell.text}（其中修订2件）") if cell.path == path else cell
    )


def _insert_row(report: PrintedReport, text: str) -> PrintedReport:
    def insert(table: PrintedTable) -> PrintedTable:
        at = len(table.rows) // 2
        row = (PrintedCell(text, column_span=table.width),)
        return replace(table, rows=(*_without_crossing_spans(table.rows[:at], at), row, *table.rows[at:]))

    return _map_table(report, "requests", insert)


def _without_crossing_spans(rows: tuple[PrintedRow, ...], end: int) -> tuple[PrintedRow, ...]:
    """Vertical labels that reach over the inserted row reach one row further."""
    return tuple(
        tuple(replace(cell, row_span=cell.row_span + 1) if at + cell.row_span > end else cell for cell in row)
        for at, row in enumerate(rows)
    )


def page_footer(report: PrintedReport) -> PrintedReport:
    """A page footer in the middle of the requests table."""
    return _insert_row(report, "第4页 共6页")


def bare_number(report: PrintedReport) -> PrintedReport:
    """A bare page number in the middle of the requests table."""
    return _insert_row(report, "4")


def sentence_above(report: PrintedReport) -> PrintedReport:
    """A sentence with figures between the heading and the table."""
    sentences = {
        "proactive": "本机关全年主动公开信息310条，其中网站公开205条。",
        "requests": "2023年共收到申请12件，其中网络申请7件、信函申请5件，上年结转0件。",
        "remedies": "全年发生行政复议2件、行政诉讼1件。",
    }
    tables = tuple(replace(table, above=(sentences[table.kind],)) for table in report.tables)
    return replace(report, tables=tables)


def headings_reworded(report: PrintedReport) -> PrintedReport:
    """Chapter headings in other words and numbered otherwise."""
    headings = {
        "proactive": "（二）行政机关主动公开政府信息的情况",
        "requests": "第三部分 政府信息公开申请的收到和办理",
        "remedies": "4.因政府信息公开被申请复议、提起诉讼的情况",
    }
    return replace(
        report, tables=tuple(replace(table, heading=headings[table.kind]) for table in report.tables)
    )


_TRUNCATED = {
    "2.其他法律行政法规禁止公开": "2.其他法律行政止公开",
    "4.保护第三方合法权益": "4.保护第三方合法",
    "一、本年新收政府信息公开申请数量": "一、本年新收政府信息公开申请数",
    "其他对外管理服务事项": "其他对外管理服务",
    "（二）部分公开（区分处理的，只计这一情形，不计其他情形）": "（二）部分公开（区分处理的，只计",
}


def labels_truncated(report: PrintedReport) -> PrintedReport:
    """Labels that lost characters inside or at the end."""
    return _map_cells(report, lambda cell: replace(cell, text=_TRUNCATED.get(cell.text, cell.text)))


def label_split(report: PrintedReport) -> PrintedReport:
    """The label of 部分公开 has its figures on one row and its tail on the next."""
    head, tail = "（二）部分公开（区分处理的，只计这一情形，不", "计其他情形）"

    def split(table: PrintedTable) -> PrintedTable:
        at = next(i for i, row in enumerate(table.rows) if any(cell.text == head + tail for cell in row))
        labelled = tuple(
            replace(cell, text=head) if cell.text == head + tail else cell for cell in table.rows[at]
        )
        rest = (PrintedCell(tail, 2), PrintedCell("", 7))
        before = _without_crossing_spans(table.rows[: at + 1], at + 1)[:at]
        return replace(table, rows=(*before, labelled, rest, *table.rows[at + 1 :]))

    return _map_table(report, "requests", split)


def header_repeated(report: PrintedReport) -> PrintedReport:
    """The header of the requests table comes again at a page break; vertical labels restart."""

    def repeat(table: PrintedTable) -> PrintedTable:
        at = next(i for i, row in enumerate(table.rows) if row[0].text.startswith("（四）"))
        head = tuple(
            tuple(replace(cell, row_span=min(cell.row_span, at - number)) for cell in row)
            for number, row in enumerate(table.rows[:at])
        )
        restart = (PrintedCell("办理结果", row_span=len(table.rows) - at - 1), *table.rows[at])
        return replace(table, rows=(*head, *table.rows[: table.header_rows], restart, *table.rows[at + 1 :]))

    return _map_table(report, "requests", repeat)


def columns_swapped(report: PrintedReport) -> PrintedReport:
    """科研机构 stands before 商业企业."""

    def swap(table: PrintedTable) -> PrintedTable:
        rows = list(table.rows)
        rows[2] = (rows[2][1], rows[2][0], *rows[2][2:])
        for number in range(table.header_rows, len(rows)):
            labels, figures = rows[number][:-7], rows[number][-7:]
            rows[number] = (*labels, figures[0], figures[2], figures[1], *figures[3:])
        return replace(table, rows=tuple(rows))

    return _map_table(report, "requests", swap)


def total_first(report: PrintedReport) -> PrintedReport:
    """总计 stands before 自然人."""

    def move(table: PrintedTable) -> PrintedTable:
        rows = list(table.rows)
        rows[1] = (rows[1][-1], *rows[1][:-1])
        for number in range(table.header_rows, len(rows)):
            labels, figures = rows[number][:-7], rows[number][-7:]
            rows[number] = (*labels, figures[-1], *figures[:-1])
        return replace(table, rows=tuple(rows))

    return _map_table(report, "requests", move)


def rows_swapped(report: PrintedReport) -> PrintedReport:
    """Two rows of a group, the first two rows and two items change places."""

    def swap(table: PrintedTable) -> PrintedTable:
        rows = list(table.rows)
        if table.kind == "requests":
            rows[3], rows[4] = rows[4], rows[3]
            at = next(i for i, row in enumerate(rows) if any("2.其他法律" in cell.text for cell in row))
            rows[at], rows[at + 1] = rows[at + 1], rows[at]
        if table.kind == "proactive":
            rows[2], rows[3] = rows[3], rows[2]
        return replace(table, rows=tuple(rows))

    return replace(report, tables=tuple(swap(table) for table in report.tables))


def spans_lie(report: PrintedReport) -> PrintedReport:
    """Header cells of the proactive table span 1, 2, 1 columns over figures that span 2, 1, 1."""

    def lie(table: PrintedTable) -> PrintedTable:
        rows = [row if len(row) == 1 else _with_spans(row) for row in table.rows]
        caption = tuple((replace(row[0], column_span=5),) if len(row) == 1 else row for row in rows)
        return replace(table, rows=caption)

    return _map_table(report, "proactive", lie)


def _with_spans(row: PrintedRow) -> PrintedRow:
    is_header = row[-1].path is None
    spans = {4: (1, 1, 2, 1) if is_header else (1, 2, 1, 1), 3: (1, 2, 2) if is_header else (1, 1, 3)}
    return tuple(
        replace(cell, column_span=span) for cell, span in zip(row, spans.get(len(row), (1, 4)), strict=True)
    )


def _change_row(
    report: PrintedReport, row_key: str, change: Callable[[PrintedRow], PrintedRow]
) -> PrintedReport:
    def change_table(table: PrintedTable) -> PrintedTable:
        rows = (
            change(row) if any((cell.path or "").startswith(f"requests.{row_key}.") for cell in row) else row
            for row in table.rows
        )
        return replace(table, rows=tuple(rows))

    return _map_table(report, "requests", change_table)


def figure_lost(report: PrintedReport) -> PrintedReport:
    """A row lost the figure of the research institutions: it has six for seven columns."""
    changed = _change_row(report, "granted", lambda row: (*row[:-5], *row[-4:]))
    lost = Expected(None, "illegible")
    return replace(changed, expected={**report.expected, "requests.granted.research": lost})


def figure_doubled(report: PrintedReport) -> PrintedReport:
    """A row prints one figure twice: it has eight for seven columns."""
    return _change_row(report, "granted", lambda row: (*row[:-5], row[-5], *row[-5:]))


DISTURBANCES: Mapping[str, Disturb] = {
    function.__name__: function
    for function in (
        plain,
        zeros_blank,
        zeros_stroke,
        zeros_in_words,
        one_blank,
        thousands,
        full_width_digits,
        half_width_labels,
        cell_with_note,
        page_footer,
        bare_number,
        sentence_above,
        headings_reworded,
        labels_truncated,
        label_split,
        header_repeated,
        columns_swapped,
        total_first,
        rows_swapped,
        spans_lie,
        figure_lost,
        figure_doubled,
    )
}
