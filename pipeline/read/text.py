"""Plain text and Markdown: the same reader, for each is found inside the other."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.read import flat, markdown
from pipeline.read.characters import collapse, plain_newlines
from pipeline.read.encoding import Decoded
from pipeline.read.flow import Line, flow
from pipeline.read.html_table import markup_table
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.metadata import head_metadata
from pipeline.read.parts import MetadataPart, Part, Reading, TablePart

_INDENT = (" ", "\t", "\u3000", "\u00a0")


def read_text(decoded: Decoded, limits: Limits) -> Reading:
    """Parts of a text or Markdown file."""
    text = plain_newlines(decoded.text).replace("\f", "\n\f\n")
    refuse_above(len(text), limits.text_characters, "characters")
    lines = text.split("\n")
    media_type = "text/markdown" if markdown.is_markdown(lines) else "text/plain"
    return Reading(text_parts(lines), media_type, notes=decoded.notes)


def text_parts(source: Sequence[str]) -> list[Part]:
    """Headings, paragraphs, metadata and tables of source lines, in order."""
    return _assemble([prose_line(line) for line in source], _tables(source))


def line_parts(lines: Sequence[Line]) -> list[Part]:
    """The same for lines that another carrier has cleaned: no Markdown, no tabs."""
    texts = ["" if line.heading else line.text for line in lines]
    return _assemble(lines, _cell_tables(texts, texts))


def _assemble(lines: Sequence[Line], tables: Sequence[tuple[range, TablePart]]) -> list[Part]:
    """Tables and metadata in their places, paragraphs of the lines between them."""
    placed: dict[int, tuple[range, list[TablePart] | list[MetadataPart]]] = {
        each.lines.start: (each.lines, each.pairs) for each in head_metadata([line.text for line in lines])
    }
    placed.update({region.start: (region, [table]) for region, table in tables})
    parts: list[Part] = []
    start = position = 0
    while position < len(lines):
        if position not in placed:
            position += 1
            continue
        region, found = placed[position]
        parts.extend(flow(lines[start:position]))
        parts.extend(found)
        start = position = region.stop
    parts.extend(flow(lines[start:]))
    return parts


def prose_line(line: str) -> Line:
    """A source line as the paragraph flow takes it, Markdown marks gone."""
    if not line.strip():
        return Line("")
    heading = markdown.heading_text(line)
    if heading is not None:
        return Line(collapse(markdown.without_marks(heading)), heading=True)
    if markdown.is_rule(line):
        return Line("")
    return Line(collapse(markdown.without_marks(line)), indented=line.startswith(_INDENT))


def _tables(lines: Sequence[str]) -> list[tuple[range, TablePart]]:
    """Every table with the lines it takes: HTML, then pipes, then tabs, then one cell a line."""
    found: list[tuple[range, TablePart]] = []
    free = list(lines)
    for region in markdown.markup_regions(free):
        table = markup_table("\n".join(lines[region.start : region.stop]))
        if table is not None:
            found.append((region, table))
            _take(free, region)
    for region in markdown.pipe_regions(free):
        found.append((region, markdown.pipe_table(lines[region.start : region.stop])))
        _take(free, region)
    for region in flat.tab_regions(free):
        found.append((region, flat.tab_table(_without_marks(lines, region))))
        _take(free, region)
    found.extend(_cell_tables(free, lines))
    return found


def _cell_tables(free: Sequence[str], lines: Sequence[str]) -> list[tuple[range, TablePart]]:
    regions = flat.cell_regions(free)
    return [(region, flat.cell_table(_without_marks(lines, region))) for region in regions]


def _without_marks(lines: Sequence[str], region: range) -> list[str]:
    return [markdown.without_marks(line) for line in lines[region.start : region.stop]]


_TAKEN = "。"  # Ends every run: no cell holds a full stop.


def _take(free: list[str], region: range) -> None:
    for position in region:
        free[position] = _TAKEN
