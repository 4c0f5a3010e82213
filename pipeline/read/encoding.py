"""Bytes to characters, with declarations treated as claims that may be wrong.

Order: byte order mark; UTF-8 if it decodes without an error (no other Chinese
encoding does by chance); UTF-16 by its zero bytes; the declared charset unless it is
a Western one, which decodes anything; GB18030; UTF-8 or GB18030 with a few damaged
bytes; and last the guess of charset-normalizer.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from pipeline.errors import BrokenFile
from pipeline.read.characters import turns_direction
from pipeline.read.sniff import looks_utf16

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARATION = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w\-:]{2,30})"""
    rb"""|<\?xml[^>]{0,100}?encoding=["']([\w\-]{2,30})""",
    re.I,
)
_DECLARED_WITHIN = 8192
_GB_FAMILY = ("gb2312", "gbk", "gb18030", "hz")
_DAMAGE_PER_CHARACTER = 1 / 500


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding it was read with, and what the file claimed.

    `source` has the file's bytes where they are that text in UTF-8, so that none need be made of it again.
    """

    text: str
    encoding: str
    declared: str | None
    source: bytes | None = None

    def with_text(self, text: str) -> Decoded:
        """The same for a text that was found inside of this one."""
        return self if text is self.text else Decoded(text, self.encoding, self.declared)

    @property
    def utf8(self) -> bytes:
        """The text in UTF-8, without the halves of characters that JSON may hold."""
        return self.text.encode("utf-8", "ignore") if self.source is None else self.source

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for the record where the reading departs from the declaration."""
        return self.notes_on(self.text, is_turned=turns_direction(self.text))

    def notes_on(self, shown: str, *, is_turned: bool) -> tuple[str, ...]:
        """The same where the file shows only a part of its text."""
        notes = []
        if self.declared is not None and not _same(self.declared, self.encoding):
            notes.append(f"declared as {self.declared}, read as {self.encoding}")
        damaged = (self.text if self.source is None else shown).count("\ufffd")
        if damaged:
            notes.append(f"{damaged} damaged characters, shown as \ufffd")
        if is_turned:
            notes.append(
                "characters that turn the direction of writing were left out: "
                "on a screen the figures beside them may look otherwise"
            )
        return tuple(notes)


def decode(data: bytes) -> Decoded:
    """The text of a file; raises BrokenFile if no encoding fits."""
    declared = declared_charset(data)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _marked(data[len(mark) :], encoding, declared)
    if (text := _strict(data, "utf-8")) is not None:
        return Decoded(text, "utf-8", declared, data)
    for candidate in (looks_utf16(data[:8192]), _trusted(declared), "gb18030"):
        if candidate is not None and (text := _strict(data, candidate)) is not None:
            return Decoded(text, candidate, declared)
    return _damaged(data, declared) or _guessed(data, declared)


def _marked(data: bytes, encoding: str, declared: str | None) -> Decoded:
    """The text behind a byte order mark."""
    if encoding == "utf-8" and (text := _strict(data, encoding)) is not None:
        return Decoded(text, encoding, declared, data)
    return Decoded(data.decode(encoding, errors="replace"), encoding, declared)


def declared_charset(data: bytes) -> str | None:
    """The charset that a `<meta>` or XML declaration names, in small letters."""
    match = _DECLARATION.search(data[:_DECLARED_WITHIN])
    if match is None:
        return None
    return (match.group(1) or match.group(2)).decode("ascii").lower()


def _trusted(declared: str | None) -> str | None:
    """The declared codec if Python knows it and it can fail; the GB family reads as GB18030."""
    if declared is None:
        return None
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return None
    if name in _GB_FAMILY:
        return "gb18030"
    return None if name.startswith(("iso8859", "cp125", "latin", "ascii", "utf-16", "utf-32")) else name


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _damaged(data: bytes, declared: str | None) -> Decoded | None:
    """The better of UTF-8 and GB18030 if only a few bytes of it are damaged."""
    tries = [Decoded(data.decode(each, errors="replace"), each, declared) for each in ("utf-8", "gb18030")]
    best = min(tries, key=lambda each: each.text.count("\ufffd"))
    allowed = max(2.0, len(best.text) * _DAMAGE_PER_CHARACTER)
    return best if best.text.count("\ufffd") <= allowed else None


def _guessed(data: bytes, declared: str | None) -> Decoded:
    from charset_normalizer import from_bytes  # hardly a file needs it, and it loads slowly

    guess = from_bytes(data[:200_000]).best()
    if guess is None:
        raise BrokenFile(
            "The bytes are text in no known encoding (tried UTF-8, UTF-16, GB18030"
            f"{', ' + declared if declared else ''}). Save the file as UTF-8 and try again."
        )
    return Decoded(data.decode(guess.encoding, errors="replace"), guess.encoding, declared)


def _same(declared: str, encoding: str) -> bool:
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return False
    return name == encoding or (name in _GB_FAMILY and encoding == "gb18030")
