"""An issuer's name taken apart: the place it begins with, and the body that stays when a place is renamed.

    淮安市洪泽区人民政府        → 淮安市 洪泽区 | 人民政府
    青岚县石桥镇               → 青岚县       | 石桥镇人民政府
    国家税务总局青岚县税务局     → 青岚县       | 国家税务总局税务局
    市政务服务中心             →             | 政务服务中心

Names of GB/T 2260 go by its table as of the year; others by their kind (县, 市, 区 …), the higher
before the lower. A zone is its own place, and its whole name its body.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from pipeline.metadata.divisions import Gazetteer
from pipeline.metadata.issuers import is_zone, issuer_type
from pipeline.metadata.places import agency_prefix

_HAN = r"[\u4e00-\u9fff]"
_UNSEEN = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_BRACKETS = re.compile(r"\((?P<inside>[^()]*)\)|〔[^〕]*〕|\[[^\]]*\]")
# A report over all bodies below is another one than the body's own.
_AGGREGATE = re.compile(r"^(?:含.*|汇总|合并|全[省市县区州旗])$")
_PARTY = re.compile(r"^(?:中国共产党|中共)")

_KINDS: tuple[tuple[str, ...], ...] = (
    ("自治区", "省"),
    ("自治州", "地区", "市", "州", "盟"),
    ("自治县", "自治旗", "县", "区", "旗", "市"),
)
"""Ends of names, the highest level first; a lower name may follow a higher one."""
_NO_PLACE = re.compile(r"(?:^行政|保护|名胜|风景|服务)区$")
_COMMITTEE = re.compile(r"(?:管理委员会|管委会|管理局|办公室|办事处)$")
_TOWNSHIP_BEHIND = re.compile(r"街道|镇|乡|苏木")

# 市场监督管理局 begins with no 市 of a place, nor does 区划办公室 with a 区.
_OWN_KIND = re.compile(
    r"^本?(?P<kind>省|市(?!场|容|政(?![务府法协])|域|民(?![政族宗防]))|县(?!域)|区(?![划域])|旗|州|盟)(?=.{2})"
)

_SAME: tuple[tuple[str, str], ...] = (
    (r"(?<!人民)政府(?=$|办)", "人民政府"),
    (r"人民政府办$", "人民政府办公室"),
    (r"管委会$", "管理委员会"),
    (r"(?<=[镇乡])(?:政府)?$|(?<=苏木)$", "人民政府"),
    (r"街道办?$|街道办事处?$", "街道办事处"),
    (r"^委(?!员|托)", "党委"),
)
"""Ways of writing the same body: pattern → form kept."""


@dataclass(frozen=True, slots=True)
class BodyName:
    """An issuer's name: its places from the highest to the lowest, and its body.

    `township` is the name of a township or street whose county the name does not tell, `kind` what
    a name says of its place instead of naming it (市 in 市民政局).
    """

    places: tuple[str, ...]
    body: str
    township: str | None = None
    kind: str | None = None

    @property
    def place(self) -> str | None:
        """The lowest place, which the body belongs to."""
        return self.places[-1] if self.places else None


def tidy_name(name: str) -> str:
    """A name in half-width form without white space, and without what stands in brackets.

    (汇总) and the like stay: such a report counts other bodies too.
    """
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", name))
    return _BRACKETS.sub(lambda match: match[0] if _AGGREGATE.match(match["inside"] or "") else "", text)


def take_apart(issuer: str, table: Gazetteer, places: tuple[str, ...] = ()) -> BodyName:
    """Place and body of an issuer's name; `places` are names that its place is known by besides."""
    name = _PARTY.sub("", tidy_name(issuer))
    begin = agency_prefix(name)
    agency, own = name[:begin], name[begin:]
    found = _known(own, table, places) or _by_kind(own)
    rest = own[sum(map(len, found)) :]
    if not found and (zone := _zone(own)) is not None:
        return BodyName((zone,), _same(own))
    if not found:
        short = table.stem_at(own, 0) if issuer_type(own) != "township" else None
        if short is not None:
            found, rest = (own[: short.end],), own[short.end :]
    own_kind = None if found else _OWN_KIND.match(rest)
    if own_kind is not None:
        rest = rest[own_kind.end() :]
    body = agency + _same(rest) if rest or not agency else agency
    township = rest if not found and issuer_type(own) == "township" else None
    return BodyName(found, body, township, own_kind["kind"] if own_kind is not None else None)


def _known(name: str, table: Gazetteer, places: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the table that stand one below the other at the beginning, or one of `places`."""
    chain = table.chain_at(name)
    if chain is not None:
        return (name[: chain.start], name[chain.start : chain.end]) if chain.start else (name[: chain.end],)
    for place in sorted(filter(None, places), key=len, reverse=True):
        if name.startswith(place) and not _TOWNSHIP_BEHIND.match(name, len(place)):
            return (place,)
    return ()


def _by_kind(name: str) -> tuple[str, ...]:
    """Names that end like places, the higher before the lower."""
    found: list[str] = []
    position = level = 0
    while level < len(_KINDS):
        match = _place_pattern(level, is_first=not position).match(name, position)
        if match is None or is_zone(match[0]) or _NO_PLACE.search(match[0]):
            break
        found.append(match[0])
        position = match.end()
        level = 1 + next(rank for rank in range(level, len(_KINDS)) if match["kind"] in _KINDS[rank])
    return tuple(found)


@cache
def _place_pattern(level: int, *, is_first: bool) -> re.Pattern[str]:
    """A name of this level or a lower one. One character is enough (郧县) where no other name is before."""
    ends = dict.fromkeys(end for kinds in _KINDS[level:] for end in kinds)
    kind = "|".join(sorted(ends, key=len, reverse=True))
    short = "|[^本我该全各省市县区旗州盟]" if is_first else ""
    return re.compile(rf"(?:{_HAN}{{2,10}}?{short})(?P<kind>{kind})")


def _zone(name: str) -> str | None:
    """The name of a zone without its committee: 青岚经济开发区管理委员会 → 青岚经济开发区."""
    short = _COMMITTEE.sub("", name)
    return short if is_zone(name) or re.search(r".{2}(?:景|名胜|保护)区$", short) else None


def _same(body: str) -> str:
    """The body in the form that is kept; a place alone stands for its government."""
    for pattern, kept in _SAME:
        body = re.sub(pattern, kept, body)
    return body or "人民政府"
