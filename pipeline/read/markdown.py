"""Markdown marks and pipe tables, in Markdown files and as residue in plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from pipeline.document import CellDraft
from pipeline.read.characters import collapse, join_lines
from pipeline.read.parts import TablePart

_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_BARE_HEADING = re.compile(r"^#{2,6}(?=[^\s#])(.*)$")
_RULE = re.compile(r"^\s{0,3}(?:(?:[-*_]\s*){3,}|`{3,}.*|~{3,}.*|={3,})$")
_SEPARATOR = re.compile(r"^\s*\|?\s*:?-{1,}:?\s*(?:\|\s*:?-{1,}:?\s*)*\|?\s*$")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_LINK = re.compile(r"\[([^\]]+)\]\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)")
_AUTOLINK = re.compile(r"<((?:https?|ftp|mailto):[^<>\s]+|[\w.+-]+@[\w.-]+\.\w+)>")
_STRONG = re.compile(r"(\*{2,3}|__)(?=\S)(.+?)(?<=\S)\1")
_CODE = re.compile(r"`([^`\n]+)`")
_STRAY_STRONG = re.compile(r"\*\*+")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~<>])")
_ENTITY = re.compile(r"&(?:nbsp|ensp|emsp|lt|gt|amp|quot|#\d{1,6}|#x[0-9a-fA-F]{1,5});")
_LINE_BREAK = re.compile(r"<br\s*/?>", re.I)
_QUOTE = re.compile(r"^\s{0,3}>+\s?")
_TABLE_START = re.compile(r"^\s*(?:<(?:html|body|div|center)[^>]*>\s*)*<table[\s>]", re.I)
_TABLE_END = re.compile(r"</table\s*>", re.I)
_BAR = re.compile(r"(?<!\\)\|")


def heading_text(line: str) -> str | None:
    """The text of a `#` heading, or None."""
    match = _HEADING.match(line)
    if match is not None:
        return match.group(2)
    bare = _BARE_HEADING.match(line)
    return bare.group(1).strip() if bare else None


def is_rule(line: str) -> bool:
    """A horizontal rule, an underline or a code fence: layout without content."""
    return bool(_RULE.match(line))


def without_marks(text: str) -> str:
    """The text without bold and code marks, links reduced to their text, escapes undone."""
    if not any(mark in text for mark in "*`[<\\&>_~"):
        return text
    text = _QUOTE.sub("", text)
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    text = _AUTOLINK.sub(r"\1", text)
    text = _STRAY_STRONG.sub("", _STRONG.sub(r"\2", text))
    text = _CODE.sub(r"\1", text)
    text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
    return _ESCAPED.sub(r"\1", text)


def is_markdown(lines: Sequence[str]) -> bool:
    """Whether the text is written in Markdown and not only dotted with its marks."""
    if any(_HEADING.match(line) for line in lines):
        return True
    return any("|" in line and _SEPARATOR.match(line) for line in lines)


def is_separator(line: str) -> bool:
    """The row of dashes under the head of a pipe table."""
    return bool(_SEPARATOR.match(line)) and ("|" in line or line.count("-") >= 3)


def markup_regions(lines: Sequence[str]) -> list[range]:
    """Where HTML tables stand, as converters write them into Markdown."""
    regions: list[range] = []
    start: int | None = None
    for position, line in enumerate(lines):
        if start is None and _TABLE_START.match(line):
            start = position
        if start is not None and _TABLE_END.search(line):
            regions.append(range(start, position + 1))
            start = None
    return regions


def pipe_regions(lines: Sequence[str]) -> list[range]:
    """Where pipe tables stand: rows with outer bars, or rows around a separator."""
    regions: list[range] = []
    position = 0
    while position < len(lines):
        stop = _pipe_end(lines, position)
        if stop - position >= 2:
            regions.append(range(position, stop))
            position = stop
        else:
            position += 1
    return regions


def _pipe_end(lines: Sequence[str], start: int) -> int:
    """Position after the table that begins at `start`; `start` if none does."""
    if not _BAR.search(lines[start]):
        return start
    outer = lines[start].lstrip().startswith("|")
    below = lines[start + 1] if start + 1 < len(lines) else ""
    if not outer and not (is_separator(below) and "|" in below):
        return start
    stop = start
    while stop < len(lines) and _is_row(lines[stop], outer):
        # A separator two rows on closes the table before its head: the next table begins there.
        if stop > start + 1 and stop + 1 < len(lines) and is_separator(lines[stop + 1]):
            break
        stop += 1
    return stop


def _is_row(line: str, outer: bool) -> bool:
    return line.lstrip().startswith("|") if outer else bool(_BAR.search(line))


def pipe_table(lines: Sequence[str]) -> TablePart:
    """Rows of a pipe table without the separator row."""
    rows = [pipe_cells(line) for line in lines if not is_separator(line)]
    return TablePart([[CellDraft(cell, column) for column, cell in enumerate(row)] for row in rows], "grid")


def pipe_cells(line: str) -> list[str]:
    """The cells between the bars of one row."""
    line = line.strip()
    line = line[1:] if line.startswith("|") else line
    line = line[:-1] if line.endswith("|") and not line.endswith("\\|") else line
    return [_cell(cell) for cell in _BAR.split(line)]


def _cell(text: str) -> str:
    joined = ""
    for piece in _LINE_BREAK.split(text):
        joined = join_lines(joined, collapse(without_marks(piece.strip())), same_figure=False)
    return collapse(joined)
