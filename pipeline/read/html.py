"""Web pages: the article, its tables, and the metadata around it.

The parser is selectolax (lexbor): it builds the tree that a browser builds, also
from misnested tables, and is the faster one (evals/benchmarks/reading.py measures it
beside lxml). Marks for line ends, headings and tables are put into the tree, so that
one call gives the text with all inline tags melted away: they never split a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipeline.errors import EmptyFile
from pipeline.read.characters import collapse, plain_newlines
from pipeline.read.encoding import Decoded
from pipeline.read.flow import Line
from pipeline.read.html_article import article_range, drop_furniture
from pipeline.read.html_table import BREAK, RawTable, clean_cell, is_data, raw_table, table_part
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.metadata import pairs_in_line, pairs_in_rows
from pipeline.read.parts import MetadataPart, Part, Reading
from pipeline.read.text import line_parts

# Marks from the private use area; the same characters in a source are removed first.
HEADING, TABLE, LAYOUT = "\ue001", "\ue002", "\ue003"
_MARKS = re.compile(f"[{BREAK}{HEADING}{TABLE}{LAYOUT}]")
_TABLE_MARK = re.compile(f"{TABLE}(\\d+){TABLE}")

_DROPPED = "script style noscript template iframe object svg select button textarea"
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)", re.I)
_HEADINGS = "h1,h2,h3,h4,h5,h6"
_BLOCKS = (
    "p,div,li,dt,dd,ul,ol,dl,center,section,article,main,header,footer,nav,aside,form,fieldset,figure,figcaption,"
    "blockquote,pre,address,caption,table,hr,details,summary"
)
_META = ("SiteName", "SiteDomain", "ColumnName", "ContentSource", "PubDate", "Author")


def read_html(decoded: Decoded, limits: Limits) -> Reading:
    """Parts of a web page. Raises EmptyFile if it shows no text, TooLarge over the limits."""
    refuse_above(len(decoded.text), limits.text_characters, "characters")
    tree = LexborHTMLParser(_MARKS.sub("", plain_newlines(decoded.text)))
    body = tree.body
    if body is None:
        raise EmptyFile("the page has no body: nothing to read. Save the page again, complete.")
    titles = _titles(tree)
    _drop_invisible(tree, body)
    site_code = _site_code(body.text(deep=True))
    drop_furniture(body)
    tables = _take_tables(body, limits)
    lines = _lines(body)
    parts = [*_meta_parts(tree), *_article_parts(lines, tables)]
    known = re.sub(r"\s", "", "".join(lines))
    missing = [part for part in titles if not _is_printed(part.value, known)]
    return Reading([*missing[:1], *parts, *site_code], "text/html", notes=decoded.notes)


_SITE_CODE = re.compile(r"(网站标识码)[：:\s]*([0-9]{6,12}|bm[0-9]{6,10})", re.IGNORECASE)


def _site_code(text: str) -> list[Part]:
    """The site's code number from the foot of the page: it begins with the division's code."""
    match = _SITE_CODE.search(text)
    return [] if match is None else [MetadataPart(match[1], match[2])]


def _titles(tree: LexborHTMLParser) -> list[MetadataPart]:
    """The title in the head of the page: used only where the article lacks it."""
    article_title = tree.css_first('meta[name="ArticleTitle" i]')
    page_title = tree.css_first("head > title")
    values = [
        article_title.attributes.get("content") if article_title is not None else None,
        page_title.text(deep=True) if page_title is not None else None,
    ]
    return [MetadataPart("title", collapse(value)) for value in values if value and value.strip()]


def _is_printed(title: str, known: str) -> bool:
    """Whether the page prints the title; the names of column and site behind it do not count."""
    return re.sub(r"\s", "", re.split(r"[_|｜>]|\s?[-–—]+\s?", title)[0]) in known


def _meta_parts(tree: LexborHTMLParser) -> list[Part]:
    """`<meta name=… content=…>` elements that government sites fill in."""
    names = {name.lower(): name for name in _META}
    parts: list[Part] = []
    for node in tree.css("meta[name]"):
        name = names.get((node.attributes.get("name") or "").lower())
        content = collapse(node.attributes.get("content") or "")
        if name is not None and content:
            parts.append(MetadataPart(name, content))
    return parts


def _drop_invisible(tree: LexborHTMLParser, body: LexborNode) -> None:
    tree.strip_tags(_DROPPED.split())
    for node in body.css("[hidden],[style*=none i],[style*=hidden i],[style*=collapse i]"):
        attributes = node.attributes
        if "hidden" in attributes or _HIDDEN_STYLE.search(attributes.get("style") or ""):
            node.decompose()


def _take_tables(body: LexborNode, limits: Limits) -> list[RawTable]:
    """Data tables, innermost first, each replaced by a mark; layout tables become lines."""
    for node in body.css("br"):
        node.replace_with(BREAK)
    taken: list[RawTable] = []
    cells = 0
    for node in reversed(body.css("table")):
        table = raw_table(node)
        cells += table.cell_count
        refuse_above(cells, limits.table_cells, "table cells")
        if is_data(table, TABLE + LAYOUT):
            node.replace_with(f"{BREAK}{TABLE}{len(taken)}{TABLE}{BREAK}")
            taken.append(table)
        else:
            node.insert_before(LAYOUT)
            for cell in table.nodes:
                cell.insert_after(BREAK)
    return taken


def _lines(body: LexborNode) -> list[str]:
    """Source lines of the page: text between block borders, headings and tables marked."""
    for node in body.css(_BLOCKS):
        node.insert_before(BREAK)
        node.insert_after(BREAK)
    for node in body.css(_HEADINGS):
        node.insert_before(BREAK + HEADING)
        node.insert_after(BREAK)
    text = body.text(deep=True).replace(LAYOUT, BREAK)
    return [line for line in text.split(BREAK) if line and not line.isspace()]


def _article_parts(lines: Sequence[str], tables: Sequence[RawTable]) -> list[Part]:
    """The article's parts; metadata found in front of it is kept, page furniture is not."""
    article = article_range([_TABLE_MARK.sub(TABLE, line) for line in lines], HEADING, TABLE)
    parts: list[Part] = []
    text: list[Line] = []
    for position, line in enumerate(lines):
        mark = _TABLE_MARK.search(line)
        if mark is not None:
            parts.extend(line_parts(text))
            text.clear()
            parts.extend(_table_parts(tables, int(mark.group(1)), position in article))
        elif position in article:
            text.append(Line(collapse(line.replace(HEADING, "")), heading=HEADING in line))
        elif pairs := pairs_in_line(collapse(line)):
            parts.extend(pairs)
    parts.extend(line_parts(text))
    return parts


def _table_parts(tables: Sequence[RawTable], index: int, is_article: bool) -> list[Part]:
    """One table: metadata, or data; tables inside its cells follow it."""
    raw = tables[index]
    nested = (cell.text for row in raw.rows for cell in row if TABLE in cell.text)
    inner = [int(found) for text in nested for found in _TABLE_MARK.findall(text)]
    part = table_part(raw, _cell_text)
    pairs = pairs_in_rows([[cell.text for cell in row] for row in part.rows])
    parts: list[Part] = list(pairs) if pairs is not None else [part] if is_article else []
    for each in inner:
        parts.extend(_table_parts(tables, each, is_article))
    return parts


def _cell_text(text: str) -> str:
    """The text of a cell on one line, without marks."""
    if _MARKS.search(text):
        text = _TABLE_MARK.sub("", text).replace(HEADING, "").replace(LAYOUT, BREAK)
    return clean_cell(text)
