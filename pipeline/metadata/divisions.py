"""Administrative divisions after GB/T 2260 as of a year: codes, names, who belongs to whom.

The tables are those of `division_tables`, one for every year from 2007 to 2025. A body that was
renamed between the year reported on and the day of the report may print either name, so the
tables of the year after and of today are asked after the year's own; that of the year before
comes last, for a body that was renamed within the year and prints its old name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pipeline.metadata.division_tables import LAST_YEAR, covered_year, table_of

_LONGEST_NAME = 15
# Before the changes of 2019 to 2025: asked where the year of a report is not known.
_LAST_OF_PACKAGE = 2018
_ETHNIC = (
    "壮族|回族|维吾尔族?|藏族|苗族|彝族|侗族|瑶族|白族|傣族|羌族|黎族|土族|水族|佤族|怒族|满族|畲族|仡佬族|布依族|土家族|哈尼族|"
    "朝鲜族|蒙古族?|景颇族|傈僳族|拉祜族|纳西族|独龙族|布朗族|普米族|东乡族|撒拉族|保安族|裕固族|毛南族|仫佬族|锡伯族?|哈萨克族?|"
    "塔吉克族?|柯尔克孜族?|达斡尔族|鄂伦春族?|鄂温克族|各族|多民族"
)
_KIND = re.compile(r"(?:特别行政区|自治[区州县旗]|地区|省|市|县|区|旗|盟|州)$")
_SUFFIX = re.compile(rf"(?:(?:{_ETHNIC})+自治[区州县旗]|{_KIND.pattern})$")
_KIND_MARKS = frozenset("省市县区旗盟州")
_TOWNSHIP = re.compile("街道|镇|乡")
# Short names that are also ordinary words in front of 局, 网 and the like.
_COMMON_WORDS = frozenset(
    "公安 平安 和平 新华 长安 永安 东方 向阳 新城 新建 城中 市中 中方 资源 合作 通道 红旗".split()
)


@dataclass(frozen=True, slots=True)
class Division:
    """A division: six-digit code and name as of the revision it was found in."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A name in a text, `start` to `end`, and every division that it may mean."""

    start: int
    end: int
    divisions: tuple[Division, ...]


def level_of(code: str) -> str:
    """`province`, `prefecture` or `county` by the zeros that end the code."""
    if code.endswith("0000"):
        return "province"
    return "prefecture" if code.endswith("00") else "county"


def is_within(code: str, superior: str) -> bool:
    """Whether `code` lies below `superior` (370683 below 370600 and 370000)."""
    significant = superior[:2] if superior.endswith("0000") else superior[:4]
    return level_of(superior) != "county" and code != superior and code.startswith(significant)


def without_superiors(divisions: Iterable[Division]) -> list[Division]:
    """The divisions that are no superior of another among them."""
    kept = list(dict.fromkeys(divisions))
    return [each for each in kept if not any(is_within(other.code, each.code) for other in kept)]


class _Revision:
    """The table of one year, indexed by name and, once asked for, by short name."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self.names = table
        self.by_name = _grouped(self.names, lambda name: name)
        self.name_lengths = _lengths_by_beginning(self.by_name)

    @cached_property
    def by_stem(self) -> dict[str, tuple[Division, ...]]:
        return _grouped(self.names, stem)

    @cached_property
    def stem_lengths(self) -> dict[str, set[int]]:
        return _lengths_by_beginning(self.by_stem)


class Gazetteer:
    """Names and codes as of one year, then as of the other years in their order."""

    def __init__(self, revisions: Iterable[_Revision]) -> None:
        self._revisions = tuple(revisions)

    def get(self, code: str) -> Division | None:
        """The division of a code."""
        for revision in self._revisions:
            if code in revision.names:
                return Division(code, revision.names[code])
        return None

    def full_name(self, division: Division) -> str:
        """The name behind those of its superiors: 江苏省徐州市鼓楼区."""
        codes = dict.fromkeys(f"{division.code[:size]:0<6}" for size in (2, 4))
        above = [
            each.name for code in codes if code != division.code and (each := self.get(code)) is not None
        ]
        return "".join([*above, division.name])

    def named(self, name: str) -> tuple[Division, ...]:
        """Every division of exactly this name."""
        return next((found for each in self._revisions if (found := each.by_name.get(name))), ())

    def stemmed(self, short: str) -> tuple[Division, ...]:
        """Every division whose name without its kind is `short` (莱州 → 莱州市)."""
        if len(short) < 2 or short in _COMMON_WORDS:
            return ()
        return next((found for each in self._revisions if (found := each.by_stem.get(short))), ())

    def name_at(self, text: str, position: int) -> PlaceName | None:
        """The longest full name that begins at `position`."""
        beginning = text[position : position + 2]
        for length in _longest_first(each.name_lengths.get(beginning) for each in self._revisions):
            end = position + length
            found = self.named(text[position:end])
            if found and not _TOWNSHIP.match(text, end):
                return PlaceName(position, end, found)
        return None

    def stem_at(self, text: str, position: int) -> PlaceName | None:
        """The longest short name that begins at `position`; a kind printed behind it has to agree.

        恩施州 is 恩施土家族苗族自治州; 长垣市 is not 长垣县, which it was before.
        """
        beginning = text[position : position + 2]
        for length in _longest_first(each.stem_lengths.get(beginning) for each in self._revisions):
            end = position + length
            found = self.stemmed(text[position:end])
            kind = text[end : end + 1]
            if kind in _KIND_MARKS:
                found = tuple(each for each in found if each.name.endswith(kind))
            if found and not _TOWNSHIP.match(text, end):
                return PlaceName(position, end, found)
        return None

    def chain_at(self, text: str, position: int = 0) -> PlaceName | None:
        """The last of the names that stand one below the other from `position`: 淮安市 洪泽区.

        `start` is that of the last name, so superiors are stripped.
        """
        last = self.name_at(text, position)
        while last is not None and (lower := self.name_at(text, last.end)) is not None:
            below = self._named_below(text[lower.start : lower.end], last.divisions)
            if not below:
                break
            last = PlaceName(lower.start, lower.end, below)
        return last

    def _named_below(self, name: str, superiors: Sequence[Division]) -> tuple[Division, ...]:
        """The divisions of a name below a superior, as of the first year that has one."""
        for revision in self._revisions:
            found = tuple(each for each in revision.by_name.get(name, ()) if _is_below_any(each, superiors))
            if found:
                return found
        return ()

    def names_in(self, text: str) -> Iterator[PlaceName]:
        """Every full name in a text, superiors within a chain left out."""
        position = 0
        while position < len(text):
            found = self.chain_at(text, position)
            if found is not None:
                yield found
            position = found.end if found is not None else position + 1


def _lengths_by_beginning(names: Iterable[str]) -> dict[str, set[int]]:
    """How long the names are that begin with the same two characters.

    At nearly every place of a text no name begins, and two characters tell it.
    """
    lengths: dict[str, set[int]] = {}
    for name in names:
        if 2 <= len(name) <= _LONGEST_NAME:
            lengths.setdefault(name[:2], set()).add(len(name))
    return lengths


def _longest_first(lengths: Iterable[set[int] | None]) -> list[int]:
    return sorted(set().union(*filter(None, lengths)), reverse=True)


def _is_below_any(division: Division, superiors: Iterable[Division]) -> bool:
    return any(is_within(division.code, superior.code) for superior in superiors)


def stem(name: str) -> str:
    """The name without its kind: 曲阜市 → 曲阜, 延边朝鲜族自治州 → 延边; itself if too short."""
    for suffix in (_SUFFIX, _KIND):
        short = suffix.sub("", name)
        if len(short) >= 2:
            return short
    return name


def _grouped(table: Mapping[str, str], key: Callable[[str], str]) -> dict[str, tuple[Division, ...]]:
    groups: dict[str, list[Division]] = {}
    for code, name in table.items():
        groups.setdefault(key(name), []).append(Division(code, name))
    return {name: tuple(divisions) for name, divisions in groups.items()}


@lru_cache(maxsize=32)
def gazetteer(year: int | None) -> Gazetteer:
    """The divisions as of the end of `year`, of the year after, of today, and of the year before."""
    wanted = [LAST_YEAR, _LAST_OF_PACKAGE] if year is None else [year, year + 1, LAST_YEAR, year - 1]
    return Gazetteer(_revision(each) for each in dict.fromkeys(map(covered_year, wanted)))


@lru_cache(maxsize=32)
def _revision(year: int) -> _Revision:
    return _Revision(table_of(year))
