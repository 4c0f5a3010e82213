"""How much of a file is read before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import TooLarge


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds for one document. A report is far below them; a bomb is not.

    `text_characters` counts markup too, `printed_characters` what a reader sees: some ten
    thousand in a report. `seconds` and `memory_bytes` hold for reading in a process of its own.
    """

    file_bytes: int = 64 * 1024 * 1024
    text_characters: int = 20_000_000
    pages: int = 2_000
    printed_characters: int = 500_000
    table_cells: int = 200_000
    table_columns: int = 1_000
    nesting: int = 5_000
    expanded_bytes: int = 256 * 1024 * 1024
    memory_bytes: int = 1024 * 1024 * 1024
    seconds: float = 180  # a conversion within it may take its own share
    archive_members: int = 100
    conversion_seconds: float = 120
    conversion_memory_bytes: int = 3 * 1024**3
    picture_pixels: int = 80_000_000


DEFAULT_LIMITS = Limits()


def refuse_above(count: int, limit: int, what: str) -> None:
    """Raise TooLarge if `count` is over `limit`; `what` names the limit for the message."""
    if count > limit:
        raise TooLarge(
            f"{count:,} {what}: the limit is {limit:,} {what}. "
            "Cut the report out of the file, or raise the limit if the file really is one report."
        )
