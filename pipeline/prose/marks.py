"""Marks of punctuation as the patterns of wording know them."""

from __future__ import annotations

# Cue patterns know full-width marks only; the exchange keeps every position.
_FULL_MARKS = str.maketrans(",;:()?!０１２３４５６７８９", "，；：（）？！0123456789")


def with_full_marks(text: str) -> str:
    """The text with full-width marks and half-width digits; every place stays the same."""
    return text.translate(_FULL_MARKS)
