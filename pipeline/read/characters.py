"""White space and line ends in Chinese text.

Chinese sets no space between words: a line break or an indentation between two
Chinese characters is layout and goes; a printed space stays as one space.
"""

from __future__ import annotations

import re
import unicodedata

# Han, kana-free CJK punctuation, and full-width forms: text that is set without spaces.
CJK = (
    "\u2e80-\u2fdf\u3001-\u303f\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff0f\uff1a-\uffef"
    "\U00020000-\U0003ffff“”‘’—…·"
)
SPACE = " \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"

_RADICAL = re.compile("[\u2e80-\u2fdf]")
# Unicode's EquivalentUnifiedIdeograph for the radicals without a compatibility form
# that are characters of their own in simplified Chinese.
_SIMPLIFIED_RADICALS = dict(
    zip(
        "⺁⺊⺒⺓⺜⺝⺟⺠⺧⺪⺫⺬⺮⺶⺻⺼⺽⻁⻄⻅⻆⻉⻊⻋⻒⻓⻔⻕⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻳",
        "厂卜巳幺日月母民牛疋目示竹羊聿月臼虎西见角贝足车长长门阜雨青韦页风飞食马骨鬼鱼鸟卤麦黄黾齐齿龙龟",
        strict=True,
    )
)
_NEWLINES = re.compile("\r\n?|[\v\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffe\uffff]"
)
_SPACES = re.compile(f"[{SPACE}]+")
_BREAK_IN_CJK = re.compile(f"(?<=[{CJK}])[{SPACE}]*\n[{SPACE}\n]*(?=[{CJK}])")
_BREAK = re.compile(f"[{SPACE}]*\n[{SPACE}\n]*")
_SPACE_IN_CJK = re.compile(f"(?<=[{CJK}])[{SPACE}]+(?=[{CJK}])")
_CJK_END = re.compile(f"[{CJK}]$")
_CJK_START = re.compile(f"^[{CJK}]")


def plain_newlines(text: str) -> str:
    """All line ends as `\\n`; form feeds stay, other control and invisible characters go."""
    return whole_characters(_INVISIBLE.sub("", _NEWLINES.sub("\n", text)))


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
    if "\n" in text:
        text = _BREAK.sub(" ", _BREAK_IN_CJK.sub("", text))
    return _SPACES.sub(" ", text).strip(" ")


def close_up(text: str) -> str:
    """Drop spaces between Chinese characters: for carriers that justify lines with them."""
    return _SPACE_IN_CJK.sub("", text)


def join_lines(first: str, second: str, *, same_figure: bool = True) -> str:
    """Two pieces of one paragraph or cell that a line end parted.

    `same_figure` tells whether digits on both sides are one figure (1 | 136 → 1136).
    """
    if not first or not second:
        return first + second
    if _CJK_END.search(first) or _CJK_START.search(second):
        return first + second
    if same_figure and first[-1].isdigit() and second[0].isdigit():
        return first + second
    if first[-1] in "-/@._" or second[0] in ",.;:!?)%-/@_":
        return first + second
    return f"{first} {second}"


def display_width(text: str) -> int:
    """Columns on a fixed-width screen: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)
