"""What every reader hands back: the parts of a document in reading order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.document import Box, CellDraft, DocumentBuilder, Place, Recognised, Span, TableForm
from pipeline.read.limits import Limits, refuse_above


@dataclass(frozen=True, slots=True)
class RecognisedRun:
    """A figure or a single other character that was recognised in a picture.

    `confidence` (0..1) is that of the least sure of them.
    """

    text: str
    page: int | None
    box: Box | None
    confidence: float


@dataclass(frozen=True, slots=True)
class TextPart:
    """A heading or paragraph: one line of the canonical text. `runs` where it was recognised."""

    kind: Literal["heading", "paragraph"]
    text: str
    page: int | None = None
    runs: tuple[RecognisedRun, ...] = ()


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


@dataclass(frozen=True, slots=True)
class FilePart:
    """What follows comes from another file: the name as it is shown, and the hash of its bytes."""

    file: str
    sha256: str
    place: Place


Part = TextPart | TablePart | MetadataPart | FilePart


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as its reader understood it, before positions are laid out.

    `notes` say how it was read, `losses` what of it was not read.
    """

    parts: list[Part]
    media_type: str
    page_count: int | None = None
    notes: tuple[str, ...] = field(default=())
    losses: tuple[str, ...] = field(default=())


ReadNested = Callable[[bytes, Limits], Reading]
"""Reads what is inside of a file: a member of an archive, a chunk of a document."""


def is_shown(part: Part) -> bool:
    """Whether a part is text or a table of the document itself."""
    return isinstance(part, TextPart | TablePart)


def lay_out(parts: Iterable[Part], limits: Limits) -> DocumentBuilder:
    """Write the parts into the canonical text; raises TooLarge."""
    parts = list(parts)
    cells = sum(part.cell_count for part in parts if isinstance(part, TablePart))
    refuse_above(cells, limits.table_cells, "table cells")
    builder = DocumentBuilder()
    for part in parts:
        match part:
            case TextPart(kind, text, page, runs):
                span = builder.add_text(kind, text, page)
                builder.add_recognised(_placed(text.strip(), span, runs))
            case MetadataPart(label, value, page):
                builder.add_metadata(label, value, page)
            case TablePart(rows, form):
                builder.add_table(rows, form)
            case FilePart(file, sha256, place):
                builder.add_file(file, sha256, place)
        refuse_above(builder.length, limits.printed_characters, "printed characters")
    return builder


def _placed(text: str, span: Span, runs: Sequence[RecognisedRun]) -> Iterator[Recognised]:
    """The runs in the text that was put together from them: only white space came or went."""
    place = 0
    for run in runs:
        signs = run.text.split()
        start = text.find(signs[0][0], place) if signs else -1
        for sign in "".join(signs):
            found = text.find(sign, place)
            place = found + 1 if found >= 0 else place
        if 0 <= start < place:
            yield Recognised(Span(span.start + start, span.start + place), run.page, run.box, run.confidence)
