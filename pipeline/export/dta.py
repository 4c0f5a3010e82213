"""The file format of Stata 14 and later, release 118: https://www.stata.com/help.cgi?dta

Written by hand since no library does what is needed here: pyreadstat holds the whole table
in memory, writes no `strL` that occurs twice, and only release 119, which Stata/BE and SE do
not open; pandas writes no extended missing values. The tests read the files back with both.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

STR_MAX_BYTES = 2045
STRL, DOUBLE, LONG, BYTE = 32768, 65526, 65528, 65530
LABEL_MAX_CHARS = 80

# The plain missing value `.`; `.a` to `.z` follow it.
BYTE_MISSING, LONG_MISSING = 101, 2_147_483_621
DOUBLE_MISSING_BITS, DOUBLE_MISSING_STEP = 0x7FE0_0000_0000_0000, 1 << 40
LONG_MIN, LONG_MAX = -2_147_483_647, 2_147_483_620
DOUBLE_MAX = float.fromhex("0x1.fffffffffffffp+1022")

_SECTIONS = (
    "stata_dta",
    "map",
    "variable_types",
    "varnames",
    "sortlist",
    "formats",
    "value_label_names",
    "variable_labels",
    "characteristics",
    "data",
    "strls",
    "value_labels",
    "end",
    "eof",
)
_TEXT = 130
# Short texts are looked up before they are written again, so many of each column at the most.
_REMEMBERED_BYTES, _REMEMBERED_TEXTS = 200, 100_000


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: `type` is the width of a string in bytes or one of STRL, DOUBLE, LONG, BYTE."""

    name: str
    type: int
    format: str
    label: str = ""
    value_label: str = ""
    note: str = ""


class DtaFile:
    """A file that is being written: header at once, then the data, then `finish`."""

    def __init__(
        self, stream: IO[bytes], long_texts: IO[bytes], variables: Sequence[Variable], rows: int, label: str
    ) -> None:
        """Write all that stands before the data. `long_texts` is a place to keep `strL` contents."""
        self._stream = stream
        self._long_texts = long_texts
        self._places = dict.fromkeys(_SECTIONS, 0)
        self._known: dict[tuple[int, bytes], int] = {}
        self._write_header(len(variables), rows, label)
        self._write_variables(variables)
        self._places["data"] = stream.tell()
        stream.write(b"<data>")

    def _write_header(self, columns: int, rows: int, label: str) -> None:
        content = label[:LABEL_MAX_CHARS].encode("utf-8")
        # No time stamp: the same table is the same file.
        self._stream.write(
            b"<stata_dta><header><release>118</release><byteorder>LSF</byteorder>"
            + _tagged("K", struct.pack("<H", columns))
            + _tagged("N", struct.pack("<Q", rows))
            + _tagged("label", struct.pack("<H", len(content)) + content)
            + _tagged("timestamp", b"\0")
            + b"</header>"
        )
        self._write_map()

    def _write_map(self) -> None:
        with self._section("map"):
            self._stream.write(struct.pack(f"<{len(_SECTIONS)}Q", *self._places.values()))

    @contextmanager
    def _section(self, name: str) -> Iterator[None]:
        self._places[name] = self._stream.tell()
        self._stream.write(f"<{name}>".encode())
        yield
        self._stream.write(f"</{name}>".encode())

    def _write_variables(self, variables: Sequence[Variable]) -> None:
        with self._section("variable_types"):
            self._stream.write(struct.pack(f"<{len(variables)}H", *(each.type for each in variables)))
        with self._section("varnames"):
            self._stream.write(_padded((each.name for each in variables), 129))
        with self._section("sortlist"):
            self._stream.write(bytes(2 * (len(variables) + 1)))
        with self._section("formats"):
            self._stream.write(_padded((each.format for each in variables), 57))
        with self._section("value_label_names"):
            self._stream.write(_padded((each.value_label for each in variables), 129))
        with self._section("variable_labels"):
            self._stream.write(_padded((each.label[:LABEL_MAX_CHARS] for each in variables), 321))
        with self._section("characteristics"):
            for each in variables:
                if each.note:
                    self._write_note(each.name, each.note)

    def _write_note(self, variable: str, note: str) -> None:
        """`notes VARIABLE` shows it; `note0` is their number."""
        for name, content in (("note0", "1"), ("note1", note)):
            body = _padded((variable, name), 129) + content.encode("utf-8") + b"\0"
            self._stream.write(_tagged("ch", struct.pack("<I", len(body)) + body))

    def write(self, rows: bytes) -> None:
        """Whole rows as the types of the variables say."""
        self._stream.write(rows)

    def long_text(self, variable: int, row: int, text: bytes) -> int:
        """Keep a `strL`; what stands for it in the data. Variables and rows count from 1."""
        if not text:
            return 0
        known = self._known.get((variable, text)) if len(text) <= _REMEMBERED_BYTES else None
        if known is not None:
            return known
        self._long_texts.write(b"GSO" + struct.pack("<IQBI", variable, row, _TEXT, len(text) + 1))
        self._long_texts.write(text + b"\0")
        reference = variable | row << 16
        if len(text) <= _REMEMBERED_BYTES and len(self._known) < _REMEMBERED_TEXTS:
            self._known[variable, text] = reference
        return reference

    def finish(self, value_labels: Mapping[str, Mapping[int, str]]) -> None:
        """All that stands after the data; the map is known now."""
        self._stream.write(b"</data>")
        with self._section("strls"):
            self._long_texts.seek(0)
            shutil.copyfileobj(self._long_texts, self._stream)
        with self._section("value_labels"):
            for name, labels in value_labels.items():
                self._stream.write(_tagged("lbl", _value_label(name, labels)))
        self._places["end"] = self._stream.tell()
        self._stream.write(b"</stata_dta>")
        self._places["eof"] = self._stream.tell()
        self._stream.seek(self._places["map"])
        self._write_map()


def _tagged(tag: str, content: bytes) -> bytes:
    return f"<{tag}>".encode() + content + f"</{tag}>".encode()


def _padded(texts: Iterable[str], width: int) -> bytes:
    return b"".join(text.encode("utf-8").ljust(width, b"\0") for text in texts)


def _value_label(name: str, labels: Mapping[int, str]) -> bytes:
    texts = [label.encode("utf-8") + b"\0" for label in labels.values()]
    starts = [sum(map(len, texts[:place])) for place in range(len(texts))]
    content = struct.pack("<II", len(labels), sum(map(len, texts)))
    content += struct.pack(f"<{len(labels)}I", *starts)
    content += struct.pack(f"<{len(labels)}i", *labels)
    content += b"".join(texts)
    return struct.pack("<I", len(content)) + _padded((name,), 129) + bytes(3) + content
