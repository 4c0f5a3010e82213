"""How many tokens a text is for a model: counted where its tokenizer is at hand, else estimated.

The embedded models' files hold their tokenizer: vocabulary, merges and chat template are
read from the head of the GGUF file, and counts are those of the server. For other models
the classes of characters are counted and multiplied by ratios that were measured once.
Nothing here opens a network connection.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from heapq import heapify, heappop, heappush
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import regex  # type: ignore[import-untyped]
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.errors import ModelUnavailable
from pipeline.model.catalog import MODELS
from pipeline.model.endpoint import Message
from pipeline.model.weights import find_weights


class TokenCounter(Protocol):
    """Counts tokens. `source` says in a few words what the counts rest on, for people to read."""

    @property
    def is_exact(self) -> bool:
        """Whether the model's own tokenizer counts."""

    @property
    def source(self) -> str:
        """The tokenizer, or the ratio with the date on which it was measured."""

    def count(self, text: str) -> int:
        """Tokens of `text` alone."""

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Tokens of a request: `messages` in the chat template, and the opening of the answer."""


def token_counter(model: str, weights: Path | None = None) -> TokenCounter:
    """The counter for `model`, exact for an embedded model whose weights are on this machine.

    `weights` is a GGUF file to take the tokenizer from. Raises ModelUnavailable when that
    file has none that is known; without `weights` those in the cache are taken, and a
    ratio where there are none.
    """
    if weights is not None:
        return _gguf_counter(weights)
    if model in MODELS:
        try:
            return _gguf_counter(find_weights(model))
        except ModelUnavailable:
            return RatioCounter(RATIOS["qwen2.5"])
    return _ratio_counter(model)


# --- estimated -------------------------------------------------------------------------

MEASURED = "2026-11-30"
# Characters of each class, but digits also in groups of up to three and ASCII letters in runs; `mark` is
# punctuation of Chinese print and full-width forms.
CLASSES = ("han", "mark", "digit", "digit_group", "word", "space", "other")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Tokens for one of each of CLASSES; the chat template adds `message` to each, `answer` once."""

    name: str
    per: tuple[float, ...]
    message: float
    answer: int


# Least squares on relative errors, each kind of text weighing the same: the label prompt with its examples,
# the fill prompt, answers and JSON schemas of both, seven real reports, 134 made-up ones (gold/dev,
# gold/samples). Sums of a kind are off by 4 % at most, single reports by 10 % in 95 of 100; 24 made-up
# reports that were not fitted (gold/test) together by +1 to +3 %. o200k is OpenAI's, tekken Mistral's of
# September 2024. `message` and `answer` were counted from the templates, o200k's and tekken's as published.
RATIOS: Mapping[str, Ratio] = MappingProxyType(
    {
        ratio.name: ratio
        for ratio in (
            Ratio("o200k", (0.632, 1.277, 0.0, 1.513, 1.089, 0.564, 0.403), message=4, answer=3),
            Ratio("deepseek", (0.474, 1.28, 0.0, 1.61, 1.423, 0.538, 0.361), message=1.5, answer=3),
            Ratio("qwen2.5", (0.498, 1.462, 0.83, 0.74, 1.203, 0.664, 0.374), message=5, answer=3),
            Ratio("qwen3.5", (0.423, 1.463, 1.146, 0.383, 1.048, 0.663, 0.413), message=5, answer=3),
            Ratio("gemma3", (0.585, 1.454, 0.856, 0.786, 1.247, 0.545, 0.397), message=5, answer=4),
            Ratio("tekken", (0.926, 1.235, 0.437, 1.243, 1.492, 0.393, 0.378), message=2, answer=1),
        )
    }
)

# What a model's name says of its tokenizer; the first pattern that fits counts. `assumed`: the tokenizer is
# not published, or is not the one measured but a later or a similar one.
_FAMILIES: tuple[tuple[str, str, bool], ...] = (
    (r"gpt-(4o|4\.1|4\.5|5|oss)|chatgpt-|o[134](-|$)", "o200k", False),
    (r"gpt-", "o200k", True),
    (r"deepseek", "deepseek", False),
    (r"qwen3\.[56]", "qwen3.5", False),
    (r"(qwen(2|3(?!\.))|qwq)", "qwen2.5", False),
    (r"qwen", "qwen2.5", True),
    (r"gemma-?3", "gemma3", False),
    (r"gemini|gemma", "gemma3", True),
    (r"mistral-nemo|ministral-.*2410|pixtral", "tekken", False),
    (r"(open-)?(mi(ni|x)?stral|mixtral|magistral|codestral|devstral)", "tekken", True),
    (r"(chat)?glm|kimi|moonshot", "o200k", True),
)
# Of the ratios measured the one that gives most tokens for Chinese: a cost is rather stated too high.
_HIGHEST = "tekken"

_RUNS = re.compile(
    r"(?P<han>[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3007]+)"
    r"|(?P<mark>[\u00b7\u2010-\u2027\u3001-\u3006\u3008-\u303f\uff01-\uffef]+)"
    r"|(?P<digit>[0-9]+)|(?P<word>[A-Za-z]+)|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)


def class_counts(text: str) -> tuple[int, ...]:
    """How often each of CLASSES occurs, in their order."""
    counts = dict.fromkeys(CLASSES, 0)
    for match in _RUNS.finditer(text):
        kind, length = str(match.lastgroup), match.end() - match.start()
        counts[kind] += 1 if kind == "word" else length
        if kind == "digit":
            counts["digit_group"] += -(-length // 3)
    return tuple(counts.values())


@dataclass(frozen=True, slots=True)
class RatioCounter:
    """An estimate by measured ratios; `assumed_for` names a model whose tokenizer is another or unknown."""

    ratio: Ratio
    assumed_for: str | None = None

    @property
    def is_exact(self) -> bool:
        """Never."""
        return False

    @property
    def source(self) -> str:
        """Such as `measured ratio for o200k, 2026-11-30`."""
        assumed = f", assumed for {self.assumed_for}" if self.assumed_for else ""
        return f"measured ratio for {self.ratio.name}, {MEASURED}{assumed}"

    def count(self, text: str) -> int:
        """Tokens of `text`, estimated."""
        return round(self._tokens(text))

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Tokens of a request, estimated."""
        contents = sum(self._tokens(message.content) for message in messages)
        return round(contents + self.ratio.message * len(messages)) + self.ratio.answer

    def _tokens(self, text: str) -> float:
        counts = class_counts(text)
        return sum(tokens * count for tokens, count in zip(self.ratio.per, counts, strict=True))


def _ratio_counter(model: str) -> RatioCounter:
    """By the name, without a provider in front of it (`qwen/qwen3-8b`)."""
    name = model.lower().rpartition("/")[2]
    for pattern, ratio, is_assumed in _FAMILIES:
        if re.match(pattern, name):
            return RatioCounter(RATIOS[ratio], model if is_assumed else None)
    return RatioCounter(RATIOS[_HIGHEST], model)


# --- exact -----------------------------------------------------------------------------

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
def _gguf_counter(file: Path) -> GgufCounter:
    """Read once a process, in about half a second."""
    try:
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            head = _GgufHead(data).values()
    except OSError as error:
        raise ModelUnavailable(f"the tokenizer in {file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, IndexError, struct.error) as error:
        raise ModelUnavailable(f"{file} is no whole GGUF file: {error}") from error
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


_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _ARRAY = 8, 9


class _GgufHead:
    """The keys and values in front of a GGUF file's tensors, little-endian, versions 2 and 3.

    The form is that of the GGUF specification of ggml. Raises ValueError, KeyError,
    IndexError or struct.error where the bytes have another form or end too soon.
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
