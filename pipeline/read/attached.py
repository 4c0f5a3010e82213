"""Several files as one document: the report, then what is attached to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.document import CellDraft, Place
from pipeline.read.limits import Limits
from pipeline.read.parts import FilePart, MetadataPart, Part, Reading, TablePart, TextPart, is_shown


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file inside an archive or beside a report, as its reader understood it."""

    file: str
    sha256: str
    reading: Reading

    @property
    def prose_length(self) -> int:
        """Characters outside of tables."""
        return sum(len(part.text) for part in self.reading.parts if isinstance(part, TextPart))

    @property
    def is_shown(self) -> bool:
        """Whether anything of it is text or a table."""
        return any(map(is_shown, self.reading.parts))

    @property
    def cell_count(self) -> int:
        """Cells of all its tables."""
        return sum(part.cell_count for part in self.reading.parts if isinstance(part, TablePart))


def with_attachments(
    report: Reading, attachments: Sequence[ReadFile], place: Place, limits: Limits
) -> Reading:
    """The report with the attachments behind it, in the order given. Raises TooLarge."""
    parts = list(report.parts)
    for each in attachments:
        parts += [FilePart(each.file, each.sha256, place), *_without_pages(each.reading.parts)]
    notes = [f"{each.file}: {note}" for each in attachments for note in each.reading.notes]
    losses = [f"{each.file}: {loss}" for each in attachments for loss in each.reading.losses]
    losses += [f"{each.file}: shows no text and no table" for each in attachments if not each.is_shown]
    return replace(report, parts=parts, notes=(*report.notes, *notes), losses=(*report.losses, *losses))


def _without_pages(parts: Sequence[Part]) -> Iterator[Part]:
    """Pages are those of the report: a page of an attachment would be taken for one of them."""
    for part in parts:
        match part:
            case TextPart(kind, text, page) if page is not None:
                yield TextPart(kind, text)
            case MetadataPart(label, value, page) if page is not None:
                yield MetadataPart(label, value)
            case TablePart(rows, form) if any(cell.page is not None for row in rows for cell in row):
                yield TablePart([[_unplaced(cell) for cell in row] for row in rows], form)
            case _:
                yield part


def _unplaced(cell: CellDraft) -> CellDraft:
    return cell._replace(page=None, box=None)
