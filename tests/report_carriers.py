"""Made-up reports as files: text, Markdown, three styles of web page, Word, Excel, PDF, scans.

Every writer takes a `MadeReport` and gives the bytes of a file; `CARRIERS` names them all.
"""

# ruff: noqa: E501 - markup stays on one line

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape
from io import BytesIO
from pathlib import Path

from excel_writer import excel_of
from made_reports import Heading, MadeReport, Paragraph
from office import saved_as
from page_layout import pdf_of, scan_of
from word_writer import word_of

from evals.benchmarks.table_carriers import PrintedTable, placed_cells, table_lines
from pipeline.document import CellDraft, Document, DocumentBuilder


@dataclass(frozen=True)
class MadeCarrier:
    """A kind of file: its ending and how a report is written as one."""

    ending: str
    write: Callable[[MadeReport], bytes]


def as_text(report: MadeReport) -> bytes:
    """Plain text, cells parted by tabs."""
    return "\n".join(_flat_lines(report, "tabs", "")).encode()


def as_markdown(report: MadeReport) -> bytes:
    """Markdown with pipe tables."""
    return "\n\n".join(_flat_lines(report, "markdown", "## ")).encode()


def _flat_lines(report: MadeReport, carrier: str, mark: str) -> Iterator[str]:
    yield f"{mark and '# '}{report.title}"
    for label, value in report.metadata:
        yield f"{label}：{value}"
    for block in report.blocks:
        match block:
            case Heading(text):
                yield mark + text
            case Paragraph(text):
                yield text
            case _:
                yield "\n".join(table_lines(block, "markdown" if carrier == "markdown" else "tabs"))
    yield from report.signature


def as_modern_page(report: MadeReport) -> bytes:
    """A site of today: UTF-8, divisions, menus, scripts, hidden parts, figures split over elements."""
    metadata = "".join(
        f"<li><b>{label}：</b><span>{escape(value)}</span></li>" for label, value in report.metadata
    )
    menu = "".join(f'<li><a href="/c{n}/">栏目{n}</a></li>' for n in range(12))
    body = "".join(_modern(block) for block in report.blocks)
    return f"""<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8"><title>{escape(report.title)}_示例门户</title>
<style>.t td{{border:1px solid}}</style><script>var total = 999;</script></head><body>
<header><nav><ul>{menu}</ul></nav></header><div class="crumbs">当前位置：<a href="/">首页</a> &gt; 政府信息公开年报</div>
<div class="article"><h1>{escape(report.title)}</h1><ul class="meta">{metadata}</ul>
<div style="display:none">共收到申请 999 件</div><div class="content">{body}
<p style="text-align:right">{report.signature[0]}</p><p style="text-align:right">{report.signature[1]}</p></div></div>
<footer>主办：示例县人民政府办公室 网站标识码：9900000001</footer></body></html>""".encode()


def _modern(block: Heading | Paragraph | PrintedTable) -> str:
    match block:
        case Heading(text):
            return f"<h2>{escape(text)}</h2>"
        case Paragraph(text):
            return f"<p>　　{escape(text)}</p>"
    return f'<table class="t"><tbody>{_html_rows(block, _split_figure)}</tbody></table>'


def _split_figure(text: str) -> str:
    """`2023` as `20` and `23` in elements of their own; a blank as a space that does not break."""
    if len(text) > 1 and text.isdecimal():
        half = len(text) // 2
        return f"<span>{text[:half]}</span><span>{text[half:]}</span>"
    return f"<span>{escape(text) or '&nbsp;'}</span>"


def _html_rows(table: PrintedTable, cell_markup: Callable[[str], str]) -> str:
    rows = []
    for row in table.rows:
        cells = (
            f'<td colspan="{cell.column_span}" rowspan="{cell.row_span}">{cell_markup(cell.text)}</td>'
            for cell in row
        )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return "".join(rows)


def as_old_page(report: MadeReport) -> bytes:
    """A site of the years before: GBK without a declaration, layout by tables, font elements in words."""
    metadata = "".join(
        f"<TR><TD width=80>{label}：</TD><TD>{escape(value)}</TD></TR>" for label, value in report.metadata
    )
    body = "".join(_old(block) for block in report.blocks)
    page = f"""<HTML><HEAD><TITLE>{escape(report.title)}</TITLE></HEAD><BODY bgcolor=#ffffff>
<TABLE width=1000 align=center><TR><TD colspan=2><IMG src="top.jpg"></TD></TR>
<TR><TD width=200 valign=top><A href=a.html>政务公开</A><BR><A href=b.html>办事服务</A><BR><A href=c.html>公众参与</A></TD>
<TD><TABLE width="100%"><TR><TD align=center><FONT size=5><B>{escape(report.title)}</B></FONT></TD></TR>
<TR><TD><TABLE>{metadata}</TABLE></TD></TR><TR><TD>{body}
<P align=right>{report.signature[0]}<BR>{report.signature[1]}</TD></TR></TABLE></TD></TR>
<TR><TD colspan=2 align=center>版权所有：示例县人民政府</TD></TR></TABLE></BODY></HTML>"""
    return page.encode("gbk")


def _old(block: Heading | Paragraph | PrintedTable) -> str:
    match block:
        case Heading(text):
            return f"<P><B>{_in_fonts(text)}</B>"
        case Paragraph(text):
            return f"<P>&nbsp;&nbsp;&nbsp;&nbsp;{_in_fonts(text)}"
    rows = _html_rows(block, lambda text: _in_fonts(text) or "&nbsp;")
    return f"<TABLE border=1>{rows.replace('</td>', '').replace('</tr>', '')}</TABLE>"


def _in_fonts(text: str) -> str:
    """Font elements that begin and end inside of words."""
    pieces = [text[start : start + 3] for start in range(0, len(text), 3)]
    return "".join(f"<FONT face=宋体>{escape(piece)}</FONT>" for piece in pieces)


def as_word_page(report: MadeReport) -> bytes:
    """A page that Word saved: its styles, its conditional comments, line breaks inside of sentences."""
    body = "".join(_saved(block) for block in report.blocks)
    metadata = "".join(_mso(f"{label}：{value}") for label, value in report.metadata)
    signature = "".join(_mso(line, "text-align:right") for line in report.signature)
    return f"""<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40">
<head><meta http-equiv=Content-Type content="text/html; charset=utf-8"><meta name=Generator content="Microsoft Word 15">
<!--[if gte mso 9]><xml><o:DocumentProperties><o:Pages>7</o:Pages></o:DocumentProperties></xml><![endif]-->
<style><!-- p.MsoNormal {{margin:0cm; font-family:宋体;}} --></style></head>
<body lang=ZH-CN><div class=WordSection1>{_mso(report.title, "text-align:center")}{metadata}{body}{signature}</div></body></html>""".encode()


def _mso(text: str, style: str = "text-indent:32.0pt") -> str:
    # Word breaks its source lines after some characters; between Chinese ones the break is nothing.
    broken = (
        "\n".join(escape(text)[start : start + 60] for start in range(0, len(text), 60))
        if "<" not in escape(text)
        else text
    )
    return f"<p class=MsoNormal style='{style}'><span lang=EN-US style='font-size:16.0pt'>{broken}</span><span lang=EN-US><o:p></o:p></span></p>"


def _saved(block: Heading | Paragraph | PrintedTable) -> str:
    match block:
        case Heading(text) | Paragraph(text):
            return _mso(text)
    rows = _html_rows(
        block,
        lambda text: _mso(text, "text-align:center") if text else "<p class=MsoNormal><o:p>&nbsp;</o:p></p>",
    )
    return f"<table class=MsoTableGrid border=1 cellspacing=0>{rows}</table>"


def document_of(report: MadeReport) -> Document:
    """The report as a Document, for the writers of Word and Excel files."""
    builder = DocumentBuilder()
    builder.add_text("heading", report.title)
    for label, value in report.metadata:
        builder.add_text("paragraph", f"{label}：{value}")
    for block in report.blocks:
        match block:
            case Heading(text):
                builder.add_text("heading", text)
            case Paragraph(text):
                builder.add_text("paragraph", text)
            case _:
                builder.add_table(_drafts(block), "grid")
    for line in report.signature:
        builder.add_text("paragraph", line)
    return builder.build(doc_id="made", file="made", sha256="0" * 64, media_type="text/plain")


def _drafts(table: PrintedTable) -> list[list[CellDraft]]:
    rows: list[list[CellDraft]] = [[] for _ in table.rows]
    for cell, row, column in placed_cells(table):
        rows[row].append(CellDraft(cell.text, column, cell.row_span, cell.column_span))
    return rows


def as_json(report: MadeReport) -> bytes:
    """What the interface behind a page sends."""
    page = as_word_page(report).decode()
    body = page[page.index("<body") : page.index("</body>")]
    return json.dumps({"code": 200, "data": {"title": report.title, "content": body}}).encode()


def as_saved_page(report: MadeReport) -> bytes:
    """A page as browsers save it in one file (.mht)."""
    page = EmailMessage()
    page["Subject"] = "report"
    page.set_content(as_modern_page(report).decode(), subtype="html", cte="base64")
    page.make_related()
    page.add_related(b"not a picture", "image", "png", cid="<picture>")
    return page.as_bytes()


def as_archive(report: MadeReport) -> bytes:
    """A ZIP with the page and what a crawl left beside it."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("年报/report.html", as_old_page(report))
        archive.writestr("__MACOSX/._report.html", b"\x00\x05\x16\x07")
        archive.writestr("Thumbs.db", b"\xd0\xcf\x11\xe0")
    return written.getvalue()


def _office(ending: str, written_as: MadeCarrier) -> MadeCarrier:
    """What LibreOffice makes of another carrier."""

    def write(report: MadeReport) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            source = Path(name) / f"made{written_as.ending}"
            source.write_bytes(written_as.write(report))
            return saved_as(ending, [source], Path(name))["made"].read_bytes()

    return MadeCarrier(f".{ending}", write)


TEXT_CARRIERS: dict[str, MadeCarrier] = {
    "text": MadeCarrier(".txt", as_text),
    "markdown": MadeCarrier(".md", as_markdown),
    "page, modern": MadeCarrier(".html", as_modern_page),
    "page, old": MadeCarrier(".htm", as_old_page),
    "page, Word": MadeCarrier(".html", as_word_page),
    "Word": MadeCarrier(".docx", lambda report: word_of(document_of(report))),
    "page, saved": MadeCarrier(".mht", as_saved_page),
    "JSON": MadeCarrier(".html", as_json),
    "ZIP": MadeCarrier(".zip", as_archive),
    "Excel": MadeCarrier(".xlsx", lambda report: excel_of(document_of(report))),
    "PDF, ruled": MadeCarrier(".pdf", lambda report: pdf_of(report, is_ruled=True)),
    "PDF, unruled": MadeCarrier(".pdf", lambda report: pdf_of(report, is_ruled=False)),
}
SCANS: dict[str, MadeCarrier] = {
    f"scan, {angle:+g}°": MadeCarrier(".pdf", lambda report, angle=angle: scan_of(report, angle))  # type: ignore[misc]
    for angle in (-1.0, 0.0, 1.0)
}


# Formats that are read with the help of LibreOffice, and written with it here.
OFFICE_CARRIERS: dict[str, MadeCarrier] = {
    **{ending.upper(): _office(ending, TEXT_CARRIERS["Word"]) for ending in ("doc", "rtf", "odt")},
    **{ending.upper(): _office(ending, TEXT_CARRIERS["Excel"]) for ending in ("xls", "ods")},
}
