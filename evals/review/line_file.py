"""A file to which lines are only ever added, each on disk before anybody is told of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from evals.gold_write import sync_folder


def whole_lines(path: Path) -> list[bytes]:
    """The lines of a file, none where it is missing.

    What a process that was killed left of a last line is cut off: it was never acknowledged.
    """
    content = path.read_bytes() if path.exists() else b""
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    # Not `splitlines` of the text: a line may hold characters that end lines elsewhere, such as U+2028.
    return content[:whole].split(b"\n")[:-1]


def append_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Add lines, given without their ends; on disk when this returns.

    Raises OSError; what could not be written whole is taken back.
    """
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as stream:
        end = stream.tell()
        try:
            stream.write(b"".join(line + b"\n" for line in lines))
            stream.flush()
            os.fsync(stream.fileno())
        except OSError:
            os.truncate(path, end)
            raise
    if is_new:
        sync_folder(path.parent)
