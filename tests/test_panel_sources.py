"""Whose report a record is: place, body, year, reporter."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
import yaml
from panel_material import failed, made, requests_paper, six, write_run

from pipeline.errors import StartError
from pipeline.fact import RecordHint
from pipeline.metadata.divisions import gazetteer
from pipeline.metadata.issuers import issuer_type
from pipeline.panel.bodies import take_apart
from pipeline.panel.sources import sources_of, sources_of_records

ROOT = Path(__file__).parents[1]

NAMES = [
    # issuer as printed, places, body
    ("淮安市洪泽区人民政府", "淮安市 洪泽区", "人民政府"),
    ("洪泽县人民政府", "洪泽县", "人民政府"),
    ("郧县人民政府", "郧县", "人民政府"),
    ("莱州市人民政府办公室", "莱州市", "人民政府办公室"),
    ("莱州教育局", "莱州", "教育局"),
    ("恩施州教育局", "恩施州", "教育局"),
    ("上海市浦东新区政府", "上海市 浦东新区", "人民政府"),
    ("广州市越秀区北京街道办事处", "广州市 越秀区", "北京街道办事处"),
    ("海阳市留格庄镇", "海阳市", "留格庄镇人民政府"),
    ("淮安市洪泽区", "淮安市 洪泽区", "人民政府"),
    ("青岚县人民政府", "青岚县", "人民政府"),
    ("青岚县 教 育 局（公章）", "青岚县", "教育局"),
    ("青岚县教育局（汇总）", "青岚县", "教育局(汇总)"),
    ("青岚县政府办", "青岚县", "人民政府办公室"),
    ("岱南省青岚市东陵区石桥街道", "岱南省 青岚市 东陵区", "石桥街道办事处"),
    ("青岚县市场监督管理局", "青岚县", "市场监督管理局"),
    ("青岚县城市管理局", "青岚县", "城市管理局"),
    ("杼城区民政局", "杼城区", "民政局"),
    ("青岚市行政区划办公室", "青岚市", "行政区划办公室"),
    ("乌勒嘎旗查干苏木", "乌勒嘎旗", "查干苏木人民政府"),
    ("国家税务总局青岚县税务局", "青岚县", "国家税务总局税务局"),
    ("中共青岚县委宣传部", "青岚县", "党委宣传部"),
    # The name tells no place.
    ("市政务服务中心管理办公室", "", "政务服务中心管理办公室"),
    ("市民政局", "", "民政局"),
    ("市场监督管理局", "", "市场监督管理局"),
    ("市市场监督管理局", "", "市场监督管理局"),
    ("市政管理局", "", "市政管理局"),
    ("县政府办公室", "", "人民政府办公室"),
    ("砚浦镇人民政府", "", "砚浦镇人民政府"),
    # A zone is its own place.
    ("青岚经济开发区管委会", "青岚经济开发区", "青岚经济开发区管理委员会"),
    ("青岚县经济开发区管委会", "青岚县", "经济开发区管理委员会"),
    ("翠屿湖风景名胜区管理委员会", "翠屿湖风景名胜区", "翠屿湖风景名胜区管理委员会"),
]


@pytest.mark.parametrize(("issuer", "places", "body"), NAMES, ids=[row[0] for row in NAMES])
def test_a_name_is_taken_apart(issuer: str, places: str, body: str) -> None:
    name = take_apart(issuer, gazetteer(2018))
    assert (" ".join(name.places), name.body) == (places, body)


REPORTERS = [
    # issuer, code, year, reporter
    ("洪泽县人民政府", "320829", 2012, "320813:人民政府"),
    ("洪泽区人民政府", "320813", 2023, "320813:人民政府"),
    ("淮安市洪泽区教育局", "320813", 2023, "320813:教育局"),
    ("市政务服务中心管理办公室", "370881", 2017, "370881:政务服务中心管理办公室"),
    ("海阳市留格庄镇人民政府", "370687", 2018, "370687:留格庄镇人民政府"),
    ("莱州市人民政府", None, 2018, "370683:人民政府"),  # one place has this name
    ("鼓楼区人民政府", None, 2018, None),  # four have this one
    ("青岚县人民政府", "990301", 2018, "990301:人民政府"),
    ("青岚县人民政府", None, 2018, "name:青岚县:人民政府"),
    ("砚浦镇人民政府", None, 2018, None),
    ("教育局", None, 2018, None),
    (None, "990301", 2018, None),
]


@pytest.mark.parametrize(("issuer", "code", "year", "reporter"), REPORTERS)
def test_the_reporter(issuer: str | None, code: str | None, year: int, reporter: str | None) -> None:
    (source,) = sources_of_records([("run", made("a", issuer=issuer, code=code, year=year))])
    assert source.reporter_id == reporter
    assert (source.doc_id, source.run, source.year, source.issuer) == ("a", "run", year, issuer)


HINTS = [
    # issuer, code, level, hint, reporter, place by hint
    ("留格庄镇人民政府", None, "township", "海阳市", "370687:留格庄镇人民政府", True),
    ("留格庄镇人民政府", None, None, "山东省烟台市海阳市", "370687:留格庄镇人民政府", True),
    ("留格庄镇人民政府", None, None, "海阳市留格庄镇", "370687:留格庄镇人民政府", True),
    ("留格庄镇人民政府", None, None, "370687", "370687:留格庄镇人民政府", True),
    ("留格庄镇人民政府", None, None, "370687103000", "370687:留格庄镇人民政府", True),
    ("高良涧镇人民政府", None, None, "洪泽县", "320813:高良涧镇人民政府", True),  # 320829 in that year
    ("长安镇人民政府", None, None, "东莞市", "441900:长安镇人民政府", True),  # no counties below
    ("教育局", None, None, "莱州市", "370683:教育局", True),
    ("教育局", None, None, "莱州", "370683:教育局", True),
    ("教育局", None, None, "恩施州", "422800:教育局", True),
    ("市场监督管理局", None, None, "泗洪县", "321324:市场监督管理局", True),
    ("鼓楼区教育局", None, None, "江苏省徐州市鼓楼区", "320302:教育局", True),
    # It may mean several, or none that is known.
    ("琅东镇人民政府", None, "township", "鼓楼区", None, False),
    ("教育局", None, None, "江苏省鼓楼区", None, False),
    ("教育局", None, None, "青岚县", None, False),
    ("教育局", None, None, "990301", None, False),
    ("教育局", None, None, None, None, False),
    ("教育局", None, None, "莱州市民政局", None, False),
    ("石桥镇人民政府", None, None, "海阳市留格庄镇", None, False),
    # It tells no more than where the place lies.
    ("留格庄镇人民政府", None, None, "烟台市", None, False),
    ("留格庄镇人民政府", None, None, "37", None, False),
    ("教育局", None, None, "山东省", None, False),
    # The print wins.
    ("海阳市留格庄镇人民政府", None, None, "莱州市", "370687:留格庄镇人民政府", False),
    ("留格庄镇人民政府", "370687", None, "莱州市", "370687:留格庄镇人民政府", False),
    ("青岚县教育局", None, None, "莱州市", "name:青岚县:教育局", False),
    ("鼓楼区教育局", None, None, "莱州市", None, False),
    ("教育局", None, "county", "烟台市", None, False),
    ("县政府办公室", None, None, "莱州市", None, False),
    ("国家税务总局", None, "national", "莱州市", "national:国家税务总局", False),
    (None, None, None, "莱州市", None, False),
]


@pytest.mark.parametrize(("issuer", "code", "level", "place", "reporter", "by_hint"), HINTS)
def test_a_hint_tells_the_place_where_nothing_printed_does(
    issuer: str | None,
    code: str | None,
    level: str | None,
    place: str | None,
    reporter: str | None,
    by_hint: bool,
) -> None:
    hint = RecordHint(place=place, url="http://www.haiyang.gov.cn/x")
    record = made("a", issuer=issuer, code=code, level=level, year=2012, hint=hint)
    (source,) = sources_of_records([("run", record)])
    assert (source.reporter_id, source.place_by_hint) == (reporter, by_hint)
    assert by_hint or (source.unit is None) == (reporter is None or reporter.startswith("national"))


@pytest.mark.parametrize(("year", "hinted"), [(2012, 2023), (None, 2012)])
def test_a_hint_is_read_as_of_the_printed_year_else_its_own(year: int | None, hinted: int) -> None:
    record = made("a", issuer="教育局", year=year, hint=RecordHint(place="洪泽县", year=hinted))
    (source,) = sources_of_records([("run", record)])
    assert source.unit is not None
    assert (source.unit.unit_id, source.unit.name, source.year) == ("320813", "洪泽县", year)


def test_a_national_body_has_no_unit() -> None:
    (source,) = sources_of_records([("run", made("a", issuer="国家税务总局", level="national"))])
    assert (source.reporter_id, source.unit) == ("national:国家税务总局", None)


def unit_ids(*printed: tuple[str, str | None]) -> list[str | None]:
    records = [("run", made(f"d{n}", issuer=issuer, code=code)) for n, (issuer, code) in enumerate(printed)]
    return [source.unit.unit_id if source.unit else None for source in sources_of_records(records)]


TOGETHER = [
    # what the reports print, the units that they are of
    ([("青岚县教育局", None), ("青岚县人民政府", "990301")], ["990301", "990301"]),
    ([("青岚县教育局", None), ("青岚县民政局", "990301"), ("青岚县人民政府", "990402")],
     ["name:青岚县", "990301", "990402"]),
    ([("东陵市青岚县教育局", None), ("西陵市青岚县教育局", None), ("青岚县教育局", None)],
     ["name:东陵市青岚县", "name:西陵市青岚县", "name:青岚县"]),
    ([("东陵市青岚县教育局", None), ("青岚县教育局", None)], ["name:青岚县", "name:青岚县"]),
    # Two names under one code in one year.
    ([("岚塬县人民政府", "990121"), ("岚浦县人民政府", "990121")], ["name:岚塬县", "name:岚浦县"]),
]  # fmt: skip


@pytest.mark.parametrize(("printed", "units"), TOGETHER)
def test_places_that_gb_2260_lacks_are_told_from_all_reports(
    printed: list[tuple[str, str | None]], units: list[str]
) -> None:
    assert unit_ids(*printed) == units


UNITS = [
    # issuer, code, level, name, level of the unit, province, prefecture, county
    ("岱南省青岚市东陵区民政局", "990301", None, ("东陵区", "county", "岱南省", "青岚市", "东陵区")),
    ("青岚市人民政府", "990300", None, ("青岚市", "prefecture", None, "青岚市", None)),
    ("青岚市人民政府", None, "county", ("青岚市", "county", None, None, "青岚市")),
    ("青岚市人民政府", None, None, ("青岚市", None, None, None, None)),
    ("岱南省水利厅", None, None, ("岱南省", "province", "岱南省", None, None)),
    ("青岚经济开发区管委会", "990301", None, ("990301", "county", None, None, "990301")),
    ("莱州市民政局", "370683", None, ("莱州市", "county", "山东省", "烟台市", "莱州市")),
]


@pytest.mark.parametrize(("issuer", "code", "level", "expected"), UNITS)
def test_the_unit(issuer: str, code: str | None, level: str | None, expected: tuple[str | None, ...]) -> None:
    (source,) = sources_of_records([("run", made("a", issuer=issuer, code=code, level=level))])
    unit = source.unit
    assert unit is not None
    assert (unit.name, unit.level, unit.province, unit.prefecture, unit.county) == expected


def test_the_made_up_places_of_the_gold_files_are_all_told() -> None:
    """All but townships whose county is not printed, as the annotators have their issuers and codes."""
    records = []
    for path in sorted((ROOT / "gold" / "dev").glob("*.yaml")):
        meta = yaml.safe_load(path.read_text(encoding="utf-8"))["meta"]
        code = str(meta["division_code"]) if meta["division_code"] else None
        records.append(made(path.stem, issuer=meta["issuer"], code=code, year=meta["year"]))
    sources = sources_of_records(("gold", record) for record in records)
    untold = [source.issuer for source in sources if source.reporter_id is None]
    assert len(sources) > 100
    assert len(untold) < 20
    assert all(issuer is None or issuer_type(issuer) == "township" for issuer in untold), untold


def test_a_zone_with_a_code_lies_in_the_place_that_other_reports_name() -> None:
    zone, _ = sources_of_records(
        [
            ("run", made("a", issuer="青岚经济开发区管委会", code="990301")),
            ("run", made("b", issuer="青岚县人民政府", code="990301")),
        ]
    )
    assert zone.unit is not None
    assert (zone.unit.name, zone.reporter_id) == ("青岚县", "990301:青岚经济开发区管理委员会")


def test_values_that_differ_are_none() -> None:
    first, second = made("a", year=2019), made("a", year=2020)
    both = first.model_copy(update={"facts": (*first.facts, *second.facts)})
    (source,) = sources_of_records([("run", both)])
    assert source.year is None
    assert source.issuer == "青岚县人民政府"


def test_records_of_runs_stay_in_their_folders(tmp_path: Path) -> None:
    first = write_run(tmp_path / "one", made("a"), made("b"), made("a", year=2022))
    second = write_run(tmp_path / "two", made("a"), failed("c"))
    sources = sources_of([first, second])
    assert [(each.run, each.doc_id, each.year, each.status) for each in sources] == [
        ("one", "b", 2021, "ok"),
        ("one", "a", 2022, "ok"),
        ("two", "a", 2021, "ok"),
        ("two", "c", None, "failed"),
    ]
    assert sources[1].record == made("a", year=2022)
    assert sources[1].record is sources[1].record


def test_runs_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / place / "run", made("a")) for place in ("x", "y")]
    assert [source.run for source in sources_of(runs)] == [str(run) for run in runs]


def test_a_run_that_was_changed_in_between_is_named(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", made("a"), made("b"))
    sources = sources_of([run])
    lines = (run / "records.jsonl").read_bytes().splitlines(keepends=True)
    (run / "records.jsonl").write_bytes(b"".join(reversed(lines)))
    with pytest.raises(StartError, match="have changed while they were read"):
        _ = sources[0].record
    (run / "records.jsonl").write_bytes(b"\n".join(lines)[7:])
    with pytest.raises(StartError, match="has changed since it was read"):
        _ = sources[1].record


def test_memory_does_not_grow_with_the_facts(tmp_path: Path) -> None:
    table = {"granted": six(company=1)}
    records = [made(f"d{n}", requests_paper("table2021", table), year=2000 + n % 20) for n in range(60)]
    run = write_run(tmp_path / "run", *records)
    sources_of([run])
    del records
    tracemalloc.start()
    try:
        sources = sources_of([run])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept / len(sources) < 4096
