"""White space and line ends in Chinese text.

Chinese sets no space between words: a line break or an indentation between two
Chinese characters is layout and goes; a printed space stays as one space.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# Han, kana-free CJK punctuation, and full-width forms: text that is set without spaces.
CJK = (
    "\u2e80-\u2fdf\u3001-\u303f\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff0f\uff1a-\uffef"
    "\U00020000-\U0003ffff“”‘’—…·"
)
SPACE = " \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"

# Unicode's EquivalentUnifiedIdeograph for the radicals without a compatibility form
# that are characters of their own in simplified Chinese.
_SIMPLIFIED_RADICALS = dict(
    zip(
        "⺁⺊⺒⺓⺜⺝⺟⺠⺧⺪⺫⺬⺮⺶⺻⺼⺽⻁⻄⻅⻆⻉⻊⻋⻒⻓⻔⻕⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻳",
        "厂卜巳幺日月母民牛疋目示竹羊聿月臼虎西见角贝足车长长门阜雨青韦页风飞食马骨鬼鱼鸟卤麦黄黾齐齿龙龟",
        strict=True,
    )
)
_NEWLINE = "\v\r\x1c-\x1e\x85\u2028\u2029"
_UNSEEN = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f"
)
_RADICALS = "\u2e80-\u2fdf"
# Everything that `plain_newlines` changes, as the inside of a character class.
UNUSUAL = _NEWLINE + _UNSEEN + _RADICALS
_NEWLINES = re.compile(f"\r\n?|[{_NEWLINE}]")
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
_RADICAL = re.compile(f"[{_RADICALS}]")
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_SPACE_IN_CJK = re.compile(f"(?<=[{CJK}])[{SPACE}]+(?=[{CJK}])")
_CJK = re.compile(f"[{CJK}]")


def plain_newlines(text: str) -> str:
    """All line ends as `\\n`; form feeds stay, other control and invisible characters go."""
    if text.isascii() and text.isprintable():
        return text
    return whole_characters(_INVISIBLE.sub("", _NEWLINES.sub("\n", text)))


def turns_direction(text: str) -> bool:
    """Whether characters turn the direction of writing: figures then look otherwise than they are stored."""
    return any(mark in text for mark in _TURNING)  # far faster than a pattern over a whole page


def whole_characters(text: str) -> str:
    """Radicals that some PDF fonts give for a character (人⺠, ⼀、) become the character, one for one."""
    return _RADICAL.sub(_character_of, text)


def _character_of(radical: re.Match[str]) -> str:
    form = radical.group()
    return _SIMPLIFIED_RADICALS.get(form) or unicodedata.normalize("NFKC", form)


def collapse(text: str) -> str:
    """One line: runs of white space become a space, source line breaks in Chinese vanish."""
    if text.isalnum():
        return text
    if "\n" not in text:
        return " ".join(text.split())
    joined = ""
    for line in text.split("\n"):
        line = " ".join(line.split())
        if joined and line and not (is_cjk(joined[-1]) and is_cjk(line[0])):
            joined += " "
        joined += line
    return joined


@cache
def is_cjk(char: str) -> bool:
    """Whether a character is set without spaces: Chinese, its punctuation, full-width forms."""
    return _CJK.match(char) is not None


def close_up(text: str) -> str:
    """Drop spaces between Chinese characters: for carriers that justify lines with them."""
    return _SPACE_IN_CJK.sub("", text)


def join_lines(first: str, second: str, *, same_figure: bool = True) -> str:
    """Two pieces of one paragraph or cell that a line end parted.

    `same_figure` tells whether digits on both sides are one figure (1 | 136 → 1136).
    """
    if not first or not second:
        return first + second
    if is_cjk(first[-1]) or is_cjk(second[0]):
        return first + second
    if same_figure and first[-1].isdigit() and second[0].isdigit():
        return first + second
    if first[-1] in "-/@._" or second[0] in ",.;:!?)%-/@_":
        return first + second
    return f"{first} {second}"


def display_width(text: str) -> int:
    """Columns on a fixed-width screen: a Chinese character takes two."""
    return sum(map(_width, text))


@cache
def _width(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WFA" else 1
