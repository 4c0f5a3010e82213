"""A few words around a figure, from the text that the run keeps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.fact import Fact
from pipeline.overview.material import Paper
from pipeline.runs.record import read_text

# The excerpt as a whole, and the figure in it: a long text is cut.
MOST_CHARACTERS = 80
_MOST_OF_FIGURE = 40
_WHITE = re.compile(r"\s+")

Excerpt = tuple[str, str, str]


def excerpt(text: str, fact: Fact) -> Excerpt | None:
    """Text before, at and after the print, at most 80 characters together; white space is one blank."""
    start, end = fact.evidence.start, fact.evidence.end
    if not 0 <= start < end <= len(text):
        return None
    # The evidence may be a whole cell: the mark is on the figure in it.
    within = text.find(fact.raw, start, end) if fact.raw else -1
    if within >= 0:
        start, end = within, within + len(fact.raw)
    figure = _WHITE.sub(" ", text[start:end])
    if len(figure) > _MOST_OF_FIGURE:
        figure = figure[: _MOST_OF_FIGURE - 1] + "…"
    room = MOST_CHARACTERS - len(figure)
    before = _WHITE.sub(" ", text[max(0, start - MOST_CHARACTERS) : start])[-(room // 2) :].lstrip()
    after = _WHITE.sub(" ", text[end : end + MOST_CHARACTERS])[: room - len(before)].rstrip()
    return before, figure, after


@dataclass
class Texts:
    """Excerpts from run folders, as long as the budget of characters lasts; the last text is kept."""

    characters_left: int
    _key: tuple[Path, str] | None = None
    _text: str | None = field(default=None, repr=False)

    def excerpt(self, paper: Paper, fact: Fact) -> Excerpt | None:
        """An excerpt; None where the text is not at hand, the place not in it, or the budget used up."""
        if paper.folder is None or self.characters_left <= 0:
            return None
        key = (paper.folder, paper.sha256)
        if self._key != key:
            self._key, self._text = key, _read(*key)
        found = None if self._text is None else excerpt(self._text, fact)
        if found is not None:
            self.characters_left -= sum(map(len, found))
        return found


def _read(folder: Path, sha256: str) -> str | None:
    try:
        return read_text(folder, sha256)
    except OSError:
        return None
