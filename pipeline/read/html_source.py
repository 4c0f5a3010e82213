"""The source of a web page: characters that must not reach its text, and elements too deep to parse.

Invisible characters, odd line ends and our own marks are rare. So a page is parsed as it
stands, and only one whose text holds them is cleaned and parsed again: cleaning every source
takes longer than parsing it.
"""

from __future__ import annotations

import html
import re

from pipeline.read.characters import UNUSUAL, plain_newlines
from pipeline.read.html_tree import BREAK, HEADING, LAYOUT, TABLE
from pipeline.read.limits import Limits, refuse_above

_MARKS = re.compile(f"[{BREAK}{HEADING}{TABLE}{LAYOUT}]")
_UNCLEAN = re.compile(f"[{BREAK}{HEADING}{TABLE}{LAYOUT}{UNUSUAL}]")
# Elements that end by themselves, and those of type: they cost the parser nothing.
_NOT_DEEP = frozenset(
    b"area base br col embed hr img input link meta param source track wbr html head body "
    b"p li dt dd tr td th tbody thead tfoot colgroup caption rt rp "
    b"a b big code em font i nobr s small strike strong tt u".split()
)
_TAG = re.compile(
    rb"<!--(?:.*?-->|.*)|<(script|style|textarea|title)\b(?:.*?</\1|.*)|<(/?)([a-z][^\s/>]*)", re.S | re.I
)
_MANY_TAGS = 50_000
_REFERENCE = re.compile(r"&(?:#(?:[0-9]+|x[0-9a-f]+)|[a-z]+);?", re.I)


def refuse_deep(source: bytes, limits: Limits) -> None:
    """Raise TooLarge where elements stand too deep in each other: parsing takes the square of their depth.

    A page without very many tags is parsed in any case before that is felt.
    """
    if len(source) < 3 * _MANY_TAGS or source.count(b"<") < _MANY_TAGS:
        return
    depth = 0
    for tag in _TAG.finditer(source):
        name = tag[3]
        if name is None or name.lower() in _NOT_DEEP:
            continue
        depth = max(0, depth - 1) if tag[2] else depth + 1
        refuse_above(depth, limits.nesting, "elements inside each other")


def needs_cleaning(text: str) -> bool:
    """Whether text of a page holds characters that `clean_source` removes."""
    return _UNCLEAN.search(text) is not None


def clean_source(source: str) -> str:
    """The page without such characters, those written as references (`&#8203;`) too."""
    return _clean(_REFERENCE.sub(_clean_reference, source))


def _clean(text: str) -> str:
    return _MARKS.sub("", plain_newlines(text))


def _clean_reference(reference: re.Match[str]) -> str:
    character = html.unescape(reference.group())
    return _clean(character) if needs_cleaning(character) else reference.group() if character else ""
