"""Web pages: the article, its tables, and the metadata around it.

The parser is selectolax (lexbor): it builds the tree that a browser builds, also
from misnested tables, and is the faster one (evals/benchmarks/reading.py measures it
beside lxml).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipeline.errors import EmptyFile
from pipeline.read.characters import collapse, plain_newlines, turns_direction
from pipeline.read.encoding import Decoded
from pipeline.read.flow import Line
from pipeline.read.html_article import WebLine, article_range, drop_furniture
from pipeline.read.html_source import clean_source, needs_cleaning, refuse_deep
from pipeline.read.html_table import RawTable, cell_text, is_data, raw_table, table_part
from pipeline.read.html_tree import (
    BREAK,
    HEADING,
    LAYOUT,
    TABLE,
    Elements,
    elements_of,
    is_removed,
    mark_lines,
    remove,
    tag_ids,
)
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.metadata import MAX_CELLS_OF_PAIRS, pairs_in_line, pairs_in_rows
from pipeline.read.parts import MetadataPart, Part, Reading
from pipeline.read.text import line_parts

_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)", re.I)
# `is` stands in both `display` and `visibility`: one comparison in the parser instead of two.
_HIDDEN_OR_ROLE = "[hidden],[style*=is i],[role]"
_META = {
    name.lower(): name
    for name in ("SiteName", "SiteDomain", "ColumnName", "ContentSource", "PubDate", "Author")
}


@dataclass(frozen=True, slots=True)
class _Page:
    """A parsed page without what it does not show, and its text."""

    body: LexborNode
    elements: Elements
    titles: list[MetadataPart]
    has_roles: bool
    text: str


def read_html(decoded: Decoded, limits: Limits) -> Reading:
    """Parts of a web page. Raises EmptyFile if it shows no text, TooLarge over the limits."""
    refuse_above(len(decoded.text), limits.text_characters, "characters")
    source = decoded.utf8
    refuse_deep(source, limits)
    page = _parsed(source)
    is_unclean = needs_cleaning(page.text)
    notes = decoded.notes_on(page.text, is_turned=is_unclean and turns_direction(page.text))
    if is_unclean:
        page = _parsed(clean_source(decoded.text).encode("utf-8", "ignore"))
    site_code = _site_code(page.text)
    drop_furniture(page.body, page.elements, has_roles=page.has_roles)
    mark_lines(page.elements)
    tables = _take_tables(page.elements, limits)
    lines = _lines(page.body)
    parts = [*_meta_parts(page.elements), *_article_parts(_web_lines(lines), tables, limits)]
    printed = "".join(lines)
    missing = [part for part in page.titles if not _is_printed(part.value, printed)]
    return Reading([*missing[:1], *parts, *site_code], "text/html", notes=notes)


def _parsed(source: bytes) -> _Page:
    tree = LexborHTMLParser(source)
    body = tree.body
    if body is None:
        raise EmptyFile("the page has no body: nothing to read. Save the page again, complete.")
    elements = elements_of(tree)
    titles = _titles(elements)
    remove(elements.dropped)
    has_roles = _remove_hidden(body)
    return _Page(body, elements, titles, has_roles, body.text())


def _remove_hidden(body: LexborNode) -> bool:
    """Take out what the page does not show, by attribute; whether other elements have a role."""
    has_roles = False
    for node in body.css(_HIDDEN_OR_ROLE):
        attributes = node.attributes
        if "hidden" in attributes or _HIDDEN_STYLE.search(attributes.get("style") or ""):
            node.decompose()
        elif "role" in attributes:
            has_roles = True
    return has_roles


_BESIDE_TITLE = re.compile(r"[_|｜>]|\s?[-–—]+\s?")
_SITE_CODE = re.compile(r"(网站标识码)[：:\s]*([0-9]{6,12}|bm[0-9]{6,10})", re.IGNORECASE)


def _site_code(text: str) -> list[Part]:
    """The site's code number from the foot of the page: it begins with the division's code."""
    # The search passes over the page faster by the words than by the pattern.
    match = _SITE_CODE.search(text, text.find("网站标识码")) if "网站标识码" in text else None
    return [] if match is None else [MetadataPart(match[1], match[2])]


def _titles(elements: Elements) -> list[MetadataPart]:
    """The title in the head of the page: used only where the article lacks it."""
    values = [_article_title(elements.metas), _page_title(elements.titles)]
    plain = [collapse(plain_newlines(value)) for value in values if value]
    return [MetadataPart("title", value) for value in plain if value]


def _article_title(metas: Sequence[LexborNode]) -> str | None:
    for node in metas:
        if (node.attributes.get("name") or "").lower() == "articletitle":
            return node.attributes.get("content")
    return None


def _page_title(titles: Sequence[LexborNode]) -> str | None:
    head = tag_ids("head")
    for node in titles:
        if node.parent is not None and node.parent.tag_id in head:
            return node.text()
    return None


def _is_printed(title: str, printed: str) -> bool:
    """Whether the page prints the title; the names of column and site behind it do not count."""
    own = "".join(_BESIDE_TITLE.split(title)[0].split())
    return own in printed or own in "".join(printed.split())


def _meta_parts(elements: Elements) -> list[Part]:
    """`<meta name=… content=…>` elements that government sites fill in."""
    parts: list[Part] = []
    for node in elements.metas:
        attributes = node.attributes
        name = _META.get((attributes.get("name") or "").lower())
        content = collapse(plain_newlines(attributes.get("content") or ""))
        if name is not None and content and not is_removed(node):
            parts.append(MetadataPart(name, content))
    return parts


def _take_tables(elements: Elements, limits: Limits) -> list[RawTable]:
    """Data tables, innermost first, each replaced by a mark; layout tables become lines."""
    taken: list[RawTable] = []
    cells = characters = 0
    for node in reversed(elements.tables):
        if is_removed(node):
            continue
        table = raw_table(node)
        cells += len(table.texts)
        refuse_above(cells, limits.table_cells, "table cells")
        characters += sum(map(len, table.texts))
        refuse_above(characters, limits.text_characters, "characters in tables inside tables")
        if is_data(table):
            node.replace_with(f"{BREAK}{TABLE}{len(taken)}{TABLE}{BREAK}")
            taken.append(table)
        else:
            node.insert_before(LAYOUT)
            node.insert_after(BREAK)
            for cell in table.nodes:
                cell.insert_after(BREAK)
    return taken


def _lines(body: LexborNode) -> list[str]:
    """Source lines of the page: text between marks, headings and tables marked."""
    text = body.text().replace(LAYOUT, BREAK)
    return [line for line in text.split(BREAK) if line and not line.isspace()]


def _web_lines(lines: Sequence[str]) -> list[WebLine]:
    return [
        WebLine("", table=int(line[1:-1]))
        if line[0] == TABLE
        else WebLine(collapse(line.lstrip(HEADING)), is_heading=line[0] == HEADING)
        for line in lines
    ]


def _article_parts(lines: Sequence[WebLine], tables: Sequence[RawTable], limits: Limits) -> list[Part]:
    """The article's parts; metadata found in front of it is kept, page furniture is not."""
    article = article_range(lines)
    parts: list[Part] = []
    text: list[Line] = []
    for position, line in enumerate(lines):
        if line.table is not None:
            parts.extend(line_parts(text))
            text.clear()
            parts.extend(_table_parts(tables, line.table, position in article, limits))
        elif position in article:
            text.append(Line(line.text, heading=line.is_heading))
        elif pairs := pairs_in_line(line.text):
            parts.extend(pairs)
    parts.extend(line_parts(text))
    return parts


def _table_parts(tables: Sequence[RawTable], index: int, is_article: bool, limits: Limits) -> Iterator[Part]:
    """One table: metadata, or data; tables inside its cells follow it."""
    waiting = [index]
    while waiting:
        raw = tables[waiting.pop()]
        is_short = len(raw.texts) <= MAX_CELLS_OF_PAIRS
        pairs = pairs_in_rows(raw.by_row([cell_text(text) for text in raw.texts])) if is_short else None
        if pairs is not None:
            yield from pairs
        elif is_article:
            yield table_part(raw, limits)
        waiting.extend(reversed(raw.inner))
