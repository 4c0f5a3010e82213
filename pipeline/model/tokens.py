"""How many tokens a text is for a model: counted where its tokenizer is at hand, else estimated.

The embedded models' files hold their tokenizer (gguf_counter.py); for other models there are
ratios (token_ratios.py). Nothing here opens a network connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pipeline.errors import ModelUnavailable
from pipeline.model.catalog import MODELS
from pipeline.model.endpoint import Message
from pipeline.model.gguf_counter import gguf_counter
from pipeline.model.token_ratios import RATIOS, RatioCounter, ratio_counter
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
        return gguf_counter(weights)
    if model in MODELS:
        try:
            return gguf_counter(find_weights(model))
        except ModelUnavailable:
            return RatioCounter(RATIOS["qwen2.5"])
    return ratio_counter(model)
