"""Records of runs as sources of a panel: which place and body each is of, and which year.

    issuer, division code, year as facts → place and body → unit as of the year → reporter

A place that the table of places (GB/T 2260) does not have goes by what its reports print: the
division code, else the name. A name that all runs together print with one code only means that code;
a code of the free range (99…) that two names have in one year means nothing. Where nothing printed
tells the place of an issuer (砚浦镇人民政府, 教育局), it is the one division that `sources.csv` names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pipeline.fact import Record, RecordHint
from pipeline.metadata.divisions import gazetteer, level_of, stem
from pipeline.metadata.hints import code_by_hint
from pipeline.metadata.issuers import is_zone
from pipeline.panel.bodies import BodyName, take_apart, tidy_name
from pipeline.panel.model import Source, Unit
from pipeline.panel.stored import Review, StoredRecord
from pipeline.panel.units import GB_2260, Places
from pipeline.runs.corrected import changed
from pipeline.runs.record import read_lines
from pipeline.runs.reviews import read_reviews

Level = Literal["province", "prefecture", "county"]

_MADE_UP = "99"
_NATIONAL = ("国务院", "国家", "中华人民共和国")
_LEVEL_BY_END: tuple[tuple[str, Level], ...] = (
    ("自治区", "province"), ("自治州", "prefecture"), ("地区", "prefecture"), ("省", "province"),
    ("州", "prefecture"), ("盟", "prefecture"), ("县", "county"), ("旗", "county"), ("区", "county"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Printed:
    """What a record prints of its reporter, and its hint; the record itself stays where it is."""

    run: str
    held: Record | StoredRecord
    year: int | None = None
    code: str | None = None
    issuer: str | None = None
    name: BodyName | None = None
    issuer_type: str | None = None
    level: str | None = None
    hint: RecordHint | None = None


def sources_of(runs: Sequence[Path], *, places: Places = GB_2260) -> list[Source]:
    """The sources of run folders, in the order of the runs and of their records.

    Facts stay in the folders (`Source.record` reads them when asked): about 2 KB of memory a
    source, whatever the size of its report. A run still going on is taken as it stands.
    Raises StartError when a folder is no run folder or a line is damaged.
    """
    names = _Names(places)
    labelled = zip(runs, run_labels(runs), strict=True)
    return _resolved([printed for run, label in labelled for printed in _of_run(run, label, names)], names)


def sources_of_records(records: Iterable[tuple[str, Record]], *, places: Places = GB_2260) -> list[Source]:
    """The same for records in memory, each with the label of its run."""
    names = _Names(places)
    return _resolved([_printed(run, record, record, names) for run, record in records], names)


class _Names:
    """A table of places, asked once for each code and year and for each name as printed."""

    def __init__(self, places: Places) -> None:
        self.unit_of = cache(places.unit_of)
        self.taken_apart = cache(self._taken_apart)
        self.with_counties = cache(self._with_counties)
        self._places = places

    def _taken_apart(self, issuer: str, year: int | None, code: str | None) -> BodyName:
        unit = None if code is None else self.unit_of(code, year)
        return take_apart(issuer, gazetteer(year), () if unit is None else (unit.name,))

    def _with_counties(self, year: int | None) -> frozenset[str | None]:
        """Codes of the prefectures that have counties: all but 东莞市 and the like."""
        return frozenset(county.prefecture_code for county in self._places.units_in(year, "county"))


def run_labels(runs: Sequence[Path]) -> list[str]:
    """Names of the folders; the whole path where two have the same name."""
    names = [run.resolve().name for run in runs]
    return [name if names.count(name) == 1 else str(run) for run, name in zip(runs, names, strict=True)]


def _of_run(folder: Path, label: str, names: _Names) -> Iterator[_Printed]:
    found: dict[str, _Printed] = {}
    reviews = read_reviews(folder)
    for start, length, record in read_lines(folder):
        found.pop(record.doc_id, None)  # the order is that of the lines that count
        place = (folder, start, length, record.doc_id, record.sha256, record.status)
        stored = StoredRecord(*place)
        if events := reviews.events_of(record.doc_id):
            made = changed(record, events)
            stored = StoredRecord(*place, reviews, Review.of(made))
            record = record.model_copy(update={"facts": made.facts})
        found[record.doc_id] = _printed(label, stored, record, names)
    yield from found.values()


def _printed(run: str, held: Record | StoredRecord, record: Record, names: _Names) -> _Printed:
    meta = _meta(record)
    year, issuer = meta.get("meta.year"), meta.get("meta.issuer")
    number = int(year) if year is not None and year.isdecimal() else None
    return _Printed(
        run,
        held,
        year=number,
        code=meta.get("meta.division_code"),
        issuer=issuer,
        name=None if issuer is None else names.taken_apart(issuer, number, meta.get("meta.division_code")),
        issuer_type=meta.get("meta.issuer_type"),
        level=meta.get("meta.level"),
        hint=record.hint,
    )


def _meta(record: Record) -> Mapping[str, str]:
    """The legible values of the `meta` facts; a field with several different ones has none."""
    values: dict[str, set[str]] = defaultdict(set)
    for fact in record.facts:
        if fact.path.startswith("meta.") and fact.status == "value" and fact.value is not None:
            values[fact.path].add(str(fact.value))
    return {path: found.pop() for path, found in values.items() if len(found) == 1}


def _resolved(printed: Sequence[_Printed], names: _Names) -> list[Source]:
    units = _Units(printed, names)
    return [_source(each, units) for each in printed]


def _source(printed: _Printed, units: _Units) -> Source:
    unit = units.unit(printed)
    hinted = units.unit_by_hint(printed) if unit is None else None
    unit = unit or hinted
    body = printed.name.body if printed.name is not None else None
    return Source(
        run=printed.run,
        record=printed.held,
        year=printed.year,
        unit=unit,
        issuer=printed.issuer,
        body=body,
        issuer_type=printed.issuer_type,
        level=printed.level,
        reporter_id=_reporter_id(printed, unit, body),
        place_by_hint=hinted is not None,
    )


def _reporter_id(printed: _Printed, unit: Unit | None, body: str | None) -> str | None:
    if body is None:
        return None
    if unit is not None:
        return f"{unit.unit_id}:{body}"
    is_national = printed.level == "national" and body.startswith(_NATIONAL)
    return f"national:{body}" if is_national else None


class _Units:
    """Units of sources. Places that the table lacks are told from all that the sources print of them."""

    def __init__(self, printed: Sequence[_Printed], names: _Names) -> None:
        self._unit_of = names.unit_of
        self._with_counties = names.with_counties
        self._codes: dict[str, set[str]] = defaultdict(set)
        self._levels: dict[str, set[str]] = defaultdict(set)
        self._superiors: dict[str, set[str]] = defaultdict(set)
        self._names: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        self._printed: dict[tuple[str, int | None], set[str]] = defaultdict(set)
        self._units: dict[tuple[str, tuple[str, ...]], Unit] = {}
        for each in printed:
            if each.name is not None and each.name.place is not None:
                self._take(each, each.name, each.name.place)
        # Two names under one code in one year: the code is that of no place, or of some other.
        self._worthless = {code for (code, _), names in self._printed.items() if len(names) > 1}
        for codes in self._codes.values():
            codes -= self._worthless

    def _take(self, each: _Printed, name: BodyName, place: str) -> None:
        if each.code is not None:
            self._codes[place].add(each.code)
            if not is_zone(place):
                self._names[each.code][name.places] += 1
            if each.code.startswith(_MADE_UP) and not is_zone(place):
                self._printed[each.code, each.year].add(stem(place))
        if each.level is not None and each.level != "township":
            self._levels[place].add(each.level)
        if len(name.places) > 1:
            self._superiors[place].add("".join(name.places[:-1]))

    def unit(self, each: _Printed) -> Unit | None:
        """The place as of the year; None where nothing printed tells it, or not which of several."""
        if each.code is not None and each.code not in self._worthless:
            return self._unit_of(each.code, each.year) or self._made(each.code, each)
        place = each.name.place if each.name is not None else None
        if place is None or each.name is None:
            return None
        named = gazetteer(each.year).named(place)
        if len(named) > 1:
            return None  # 鼓楼区: the reading has left it open
        codes = {division.code for division in named} or self._codes[place]
        if len(codes) == 1:
            code = next(iter(codes))
            return self._unit_of(code, each.year) or self._made(code, each)
        several = len(self._superiors[place]) > 1
        return self._made(f"name:{''.join(each.name.places) if several else place}", each)

    def unit_by_hint(self, each: _Printed) -> Unit | None:
        """The one division that the hint names, where the print tells no place but allows this one."""
        if each.issuer is None or each.name is None or each.hint is None or each.hint.place is None:
            return None
        year = each.year if each.year is not None else each.hint.year
        table = gazetteer(year)
        code = code_by_hint(each.hint.place, tidy_name(each.issuer), table)
        if code is None:
            return None
        place = each.name.place  # of several: 鼓楼区
        if place is not None and code not in {division.code for division in table.named(place)}:
            return None
        unit = self._unit_of(code, year)
        return unit if unit is not None and self._allows(each, each.name, unit, year) else None

    def _allows(self, each: _Printed, name: BodyName, unit: Unit, year: int | None) -> bool:
        """Whether a place is of the level and kind that are printed. A province may only say where it is."""
        if name.township is not None or each.level == "township":
            return unit.level != "province" and unit.code not in self._with_counties(year)
        if name.kind is not None and not unit.name.endswith(name.kind):
            return False
        if each.level is not None:
            return unit.level == each.level
        return unit.level != "province" or name.kind is not None

    def _made(self, unit_id: str, each: _Printed) -> Unit:
        """A unit of what is printed, one object for all sources of a place of the same name.

        A zone and a township alone print the code of the place they lie in, not its name: that is
        what most of the other sources with this code print.
        """
        places = each.name.places if each.name is not None else ()
        if unit_id == each.code and (not places or is_zone(places[-1])):
            known = self._names[unit_id].most_common(1)
            places = known[0][0] if known else ()
        key = (unit_id, places)
        if key not in self._units:
            self._units[key] = self._unit(unit_id, places)
        return self._units[key]

    def _unit(self, unit_id: str, places: tuple[str, ...]) -> Unit:
        code = "" if unit_id.startswith("name:") else unit_id
        name = places[-1] if places else code
        level = _level_of_code(code) if code else _level_of_name(name, self._levels[name])
        names: dict[str, str | None] = {_level_of_name(each, set()) or "": each for each in places[:-1]}
        if level is not None:
            names[level] = name
        codes = _codes_by_level(code, level)
        return Unit(
            unit_id=unit_id,
            code=code,
            name=name,
            level=level,
            province=names.get("province"),
            province_code=codes.get("province"),
            # 某市某县: a 市 above a county is of prefecture level.
            prefecture=names.get("prefecture") or (names.get("") if level == "county" else None),
            prefecture_code=codes.get("prefecture"),
            county=names.get("county") if level == "county" else None,
            county_code=codes.get("county"),
        )


def _level_of_code(code: str) -> Level:
    level = level_of(code)
    return "province" if level == "province" else "prefecture" if level == "prefecture" else "county"


def _level_of_name(name: str, printed: set[str]) -> Level | None:
    """By the end of the name, else the one level that reports of the place print for it."""
    ends = () if is_zone(name) else _LEVEL_BY_END
    for end, level in ends:
        if name.endswith(end):
            return level
    found = [level for level in ("province", "prefecture", "county") if level in printed]
    return _LEVELS[found[0]] if len(found) == 1 and len(printed) == 1 else None


_LEVELS: Mapping[str, Level] = {"province": "province", "prefecture": "prefecture", "county": "county"}


def _codes_by_level(code: str, level: Level | None) -> Mapping[str, str]:
    """A code and those of its superiors, by the digits that it shares with them."""
    if not code:
        return {}
    codes = {"province": f"{code[:2]}0000", "prefecture": f"{code[:4]}00", "county": code}
    levels = list(codes)
    return {each: codes[each] for each in levels[: 1 + levels.index(level or "province")]}
