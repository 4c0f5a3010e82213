"""The terminal: where output goes, and text of documents made harmless for it."""

from __future__ import annotations

import os
import unicodedata

from rich.console import Console
from rich.text import Text

_FILE_COLUMNS = 160
# Categories that move the cursor, hide text or turn its direction: Cc, Cf; Cs and Zl/Zp cannot be shown.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def printable(text: str) -> str:
    """`text` with control, format and undecodable characters written as escapes (`\\x1b`, `\\u202e`)."""
    return "".join(
        _escaped(character) if unicodedata.category(character) in _UNSAFE_CATEGORIES else character
        for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def plain(text: object, style: str = "") -> Text:
    """Text of a document or file name for rich: no markup, nothing that controls the terminal."""
    return Text(printable(str(text)), style=style)


def out_console() -> Console:
    """Results: standard output; wide tables where that is a file or another program."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _FILE_COLUMNS
    return console


def say(console: Console, text: object, style: str = "") -> None:
    """A sentence, harmless and in one line; the terminal may fold it."""
    console.print(plain(text, style), soft_wrap=True)


def error_console() -> Console:
    """Progress and messages: standard error."""
    return Console(stderr=True, highlight=False, soft_wrap=True)
