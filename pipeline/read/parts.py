"""What every reader hands back: the parts of a document in reading order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from pipeline.document import CellDraft, DocumentBuilder, TableForm
from pipeline.read.limits import Limits, refuse_above


@dataclass(frozen=True, slots=True)
class TextPart:
    """A heading or paragraph: one line of the canonical text."""

    kind: Literal["heading", "paragraph"]
    text: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class TablePart:
    """A table; each inner list is a row in printed order."""

    rows: list[list[CellDraft]]
    form: TableForm

    @property
    def cell_count(self) -> int:
        """Cells in all rows."""
        return sum(len(row) for row in self.rows)


@dataclass(frozen=True, slots=True)
class MetadataPart:
    """A labelled value outside the prose: an index number, a publication date."""

    label: str
    value: str
    page: int | None = None


Part = TextPart | TablePart | MetadataPart


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as its reader understood it, before positions are laid out."""

    parts: list[Part]
    media_type: str
    page_count: int | None = None
    notes: tuple[str, ...] = field(default=())


def lay_out(parts: Iterable[Part], limits: Limits) -> DocumentBuilder:
    """Write the parts into the canonical text; raises TooLarge."""
    parts = list(parts)
    cells = sum(part.cell_count for part in parts if isinstance(part, TablePart))
    refuse_above(cells, limits.table_cells, "table cells")
    builder = DocumentBuilder()
    for part in parts:
        match part:
            case TextPart(kind, text, page):
                builder.add_text(kind, text, page)
            case MetadataPart(label, value, page):
                builder.add_metadata(label, value, page)
            case TablePart(rows, form):
                builder.add_table(rows, form)
    return builder
