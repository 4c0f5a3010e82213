"""Tokens counted exactly, with the tokenizer that an embedded model's GGUF file holds.

Vocabulary, merges and chat template are read from the head of the file; counts are those
of the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from heapq import heapify, heappop, heappush
from itertools import pairwise
from pathlib import Path
from typing import Any

import regex  # type: ignore[import-untyped]
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.errors import ModelUnavailable
from pipeline.model.endpoint import Message
from pipeline.model.gguf_head import read_gguf_head

# Where llama.cpp cuts a text before it merges, for the tokenizers it calls `qwen2`.
_QWEN2_CUTS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CUTS = {"qwen2": _QWEN2_CUTS}
# Kinds of token that stand for themselves in a text: control (3) and defined by the user (4).
_WHOLE_KINDS = frozenset({3, 4})
_NEVER = 1 << 30
_KEPT_PIECES = 1 << 16


class GgufCounter:
    """Byte-pair encoding with the merges, the special tokens and the chat template of a GGUF file."""

    def __init__(self, head: Mapping[str, Any], cuts: str) -> None:
        """`head` has the file's keys, `cuts` matches the pieces that are merged each by itself.

        Raises KeyError for a key that is missing, TemplateError for a broken template.
        """
        kinds = zip(head["tokenizer.ggml.tokens"], head["tokenizer.ggml.token_type"], strict=True)
        whole = sorted((token for token, kind in kinds if kind in _WHOLE_KINDS), key=len, reverse=True)
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._name = str(head["general.basename"])
        self._ranks = {merge: rank for rank, merge in enumerate(head["tokenizer.ggml.merges"])}
        self._whole = re.compile("|".join(map(re.escape, whole)) or r"(?!)")
        self._cut = regex.compile(cuts)
        self._template = environment.from_string(head["tokenizer.chat_template"])
        # Most pieces come again: words, and clauses of the prompt.
        self._piece_tokens = lru_cache(maxsize=_KEPT_PIECES)(self._count_piece)

    @property
    def is_exact(self) -> bool:
        """Always."""
        return True

    @property
    def source(self) -> str:
        """Such as `Qwen2.5-Coder tokenizer`."""
        return f"{self._name} tokenizer"

    def count(self, text: str) -> int:
        """Tokens of `text`; the names of special tokens in it count as these, as in the server."""
        parts = self._whole.split(text)
        pieces = (piece for part in parts for piece in self._cut.findall(part))
        return len(parts) - 1 + sum(map(self._piece_tokens, pieces))

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Tokens of the request; ModelUnavailable when the file's template cannot take `messages`."""
        turns = [message.as_dict() for message in messages]
        try:
            return self.count(self._template.render(messages=turns, add_generation_prompt=True))
        except TemplateError as error:
            raise ModelUnavailable(f"{self.source}: its chat template failed: {error}") from error

    def _count_piece(self, piece: str) -> int:
        """Merge the neighbours of the lowest rank, leftmost first, until no two can be merged.

        A heap keeps a run of letters without end (a damaged file) from taking its square in time.
        """
        parts = list(piece.encode("utf-8", "replace").decode("latin-1").translate(_byte_characters()))
        end = count = len(parts)
        following, previous = list(range(1, end + 1)), list(range(-1, end - 1))
        heap = [(self._rank(*pair), at) for at, pair in enumerate(pairwise(parts))]
        heapify(heap)
        while heap:
            rank, at = heappop(heap)
            right = following[at]
            # Of a pair that was merged otherwise since, the rank is another now.
            if rank == _NEVER or right == end or self._rank(parts[at], parts[right]) != rank:
                continue
            parts[at], parts[right] = parts[at] + parts[right], ""
            count -= 1
            beyond = following[at] = following[right]
            if beyond < end:
                previous[beyond] = at
                heappush(heap, (self._rank(parts[at], parts[beyond]), at))
            if at:
                heappush(heap, (self._rank(parts[previous[at]], parts[at]), previous[at]))
        return count

    def _rank(self, left: str, right: str) -> int:
        return self._ranks.get(f"{left} {right}", _NEVER)


@cache
def _byte_characters() -> dict[int, int]:
    """The printable character that stands for each byte in byte-level vocabularies (GPT-2)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {byte: byte for byte in printable} | {byte: 0x100 + at for at, byte in enumerate(others)}


@lru_cache(maxsize=4)
def gguf_counter(file: Path) -> GgufCounter:
    """The counter of a GGUF file, read once a process, in about half a second.

    Raises ModelUnavailable when the file has no tokenizer that is known.
    """
    head = read_gguf_head(file)
    kind = (head.get("tokenizer.ggml.model"), head.get("tokenizer.ggml.pre"))
    if kind[0] != "gpt2" or kind[1] not in _CUTS:
        raise ModelUnavailable(
            f"{file} has a tokenizer of the kind {kind[0]!r}, {kind[1]!r}; 'gpt2', 'qwen2' can be read"
        )
    try:
        return GgufCounter(head, _CUTS[kind[1]])
    except (KeyError, TemplateError) as error:
        raise ModelUnavailable(
            f"{file} lacks a part of its tokenizer or has a broken one: {error}"
        ) from error
