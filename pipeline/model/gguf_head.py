"""The keys and values at the head of a GGUF file, as the GGUF specification of ggml has them."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

from pipeline.errors import ModelUnavailable

_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9


def read_gguf_head(file: Path) -> dict[str, Any]:
    """All keys with their values. Raises ModelUnavailable for a file that is no GGUF or cut off."""
    try:
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _GgufHead(data).values()
    except OSError as error:
        raise ModelUnavailable(f"the tokenizer in {file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, IndexError, struct.error) as error:
        raise ModelUnavailable(f"{file} is no whole GGUF file: {error}") from error


class _GgufHead:
    """The keys and values in front of a GGUF file's tensors, little-endian, versions 2 and 3.

    Raises ValueError, KeyError, IndexError or struct.error where the bytes have another
    form or end too soon.
    """

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def values(self) -> dict[str, Any]:
        """All of them."""
        if self._data[:4] != b"GGUF":
            raise ValueError(f"it begins with {self._data[:4]!r}")
        self._at = 4
        version = self._number("I")
        if version not in (2, 3):
            raise ValueError(f"it has version {version}, known are 2 and 3")
        self._number("Q")  # how many tensors
        return {self._text(): self._value(self._number("I")) for _ in range(self._number("Q"))}

    def _value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self._text()
        if kind != _ARRAY:
            return self._number(_NUMBERS[kind])
        item, length = self._number("I"), self._number("Q")
        if item in _NUMBERS:
            return self._numbers(f"<{length}{_NUMBERS[item]}")
        return [self._value(item) for _ in range(length)]

    def _number(self, form: str) -> Any:
        return self._numbers(f"<{form}")[0]

    def _numbers(self, form: str) -> tuple[Any, ...]:
        numbers = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return numbers

    def _text(self) -> str:
        length = self._number("Q")
        raw = self._data[self._at : self._at + length]
        if len(raw) != length:
            raise ValueError("it is cut off")
        self._at += length
        return raw.decode("utf-8")
