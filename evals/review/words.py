"""The words of the pages, in both languages: `words.yaml`, read once.

A key is `mode.name`. Where a word is needed in the browser too its entry says `js: true`.
`{name}` in a word is filled in by the caller; both languages have the same of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Literal, get_args

import yaml

from evals.gold_file import GoldLoader
from pipeline.errors import GoldError

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = get_args(Lang)
_WORDS = Path(__file__).with_name("words.yaml")


class Words(Mapping[str, str]):
    """The words of one language: `words[key]` as written, `words(key, n=3)` filled in."""

    def __init__(self, lang: Lang, entries: Mapping[str, Mapping[str, Any]]) -> None:
        self.lang = lang
        self._words = {key: str(entry[lang]) for key, entry in entries.items()}
        self.for_browser = {key: self._words[key] for key, entry in entries.items() if entry.get("js")}

    def __getitem__(self, key: str) -> str:
        try:
            return self._words[key]
        except KeyError:
            raise KeyError(f"words.yaml has no {key!r}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def __call__(self, key: str, /, **values: object) -> str:
        """The word with its places filled in. Raises KeyError for a key or place that is missing."""
        return self[key].format(**values)


@cache
def words(lang: Lang) -> Words:
    """The words of `lang`. Raises ValueError where an entry lacks a language, or differs in its places."""
    return _all()[lang]


@cache
def _all() -> dict[Lang, Words]:
    entries = _entries(_WORDS.read_text(encoding="utf-8"))
    return {lang: Words(lang, entries) for lang in LANGS}


def _entries(content: str) -> dict[str, dict[str, Any]]:
    try:
        entries: dict[str, dict[str, Any]] = yaml.load(content, Loader=GoldLoader)
    except GoldError as error:  # a key that stands twice
        raise ValueError(f"words.yaml, {error}") from None
    for key, entry in entries.items():
        _check(key, entry)
    return entries


def _check(key: str, entry: dict[str, Any]) -> None:
    missing = [lang for lang in LANGS if not entry.get(lang)]
    if missing or not set(entry) <= {*LANGS, "js"}:
        raise ValueError(f"words.yaml, {key}: needed are en and zh, allowed is js; found {sorted(entry)}")
    places = {lang: {name for _, name, _, _ in Formatter().parse(entry[lang]) if name} for lang in LANGS}
    if places["en"] != places["zh"]:
        raise ValueError(f"words.yaml, {key}: places differ: en {places['en']}, zh {places['zh']}")
