"""A province that does not exist: places with the codes and names of every year, renamed and merged.

Codes are from the range that GB/T 2260 leaves free (99xxxx). A place's `unit_id` is the last code
that it had, as for real places (`pipeline.panel.units`), whose functions have counterparts here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from pipeline.metadata.divisions import gazetteer, level_of
from pipeline.panel.lineage import PlaceChange
from pipeline.panel.model import Unit
from pipeline.panel.units import Places

YEARS = range(2013, 2025)
PROVINCE = "霁川省"
PROVINCE_CODE = "990000"
PREFECTURES = 5

_SYLLABLES = "云沙临青石柳岭汀泊砚渡亭溪泽岚禾棠苇霁屿峤漪澍翎"


@dataclass(frozen=True, slots=True)
class MadeName:
    """A name and code, and the first year at whose end they held."""

    since: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class MadePlace:
    """A prefecture or county with all its names; `last_year` is the last one before a merger."""

    names: tuple[MadeName, ...]
    prefecture: str | None = None
    last_year: int = YEARS[-1]
    successor: str | None = None

    @property
    def unit_id(self) -> str:
        """The last code."""
        return self.names[-1].code

    @property
    def first_year(self) -> int:
        """The first year in which the place is there."""
        return self.names[0].since

    def name_in(self, year: int) -> MadeName:
        """Name and code as of the end of a year, of the nearest one where it was not there."""
        held = [each for each in self.names if each.since <= year]
        return held[-1] if held else self.names[0]

    def is_there(self, year: int) -> bool:
        """Whether the place was a division at the end of a year."""
        return self.first_year <= year <= self.last_year


@dataclass(frozen=True)
class MadeProvince:
    """Prefectures and counties; the functions of `pipeline.panel.units` over them."""

    prefectures: tuple[MadePlace, ...]
    counties: tuple[MadePlace, ...]

    @property
    def places(self) -> tuple[MadePlace, ...]:
        """All places below the province."""
        return (*self.prefectures, *self.counties)

    def unit_of(self, code: str, year: int | None) -> Unit | None:
        """The place of a code that it has, had or will have, as of a year."""
        at = YEARS[-1] if year is None else year
        if code == PROVINCE_CODE:
            return self._province()
        held = [each for each in self.places if any(name.code == code for name in each.names)]
        place = next((each for each in held if each.is_there(at)), held[0] if held else None)
        return None if place is None else self._unit(place, at)

    def units_in(self, year: int | None, level: str = "county") -> Iterator[Unit]:
        """Every place of a level as of the end of a year."""
        at = YEARS[-1] if year is None else year
        for place in sorted(self.places, key=lambda each: each.name_in(at).code):
            if place.is_there(at) and level_of(place.name_in(at).code) == level:
                yield self._unit(place, at)

    def parent_of(self, code: str, year: int | None) -> Unit | None:
        """The prefecture of a county, the province of a prefecture."""
        unit = self.unit_of(code, year)
        if unit is None or unit.level == "province":
            return None
        above = unit.prefecture_code if unit.level == "county" else unit.province_code
        return None if above is None else self.unit_of(above, year)

    def changes_of(self, unit_id: str) -> tuple[PlaceChange, ...]:
        """Mergers that a place was part of, or that it came of."""
        by_id = {each.unit_id: each for each in self.places}
        return tuple(
            _merger(place, by_id[place.successor])
            for place in self.places
            if place.successor is not None and unit_id in (place.unit_id, place.successor)
        )

    def table(self) -> Places:
        """These functions in the place of those for GB/T 2260, which has no 99xxxx."""
        return Places(self.unit_of, self.units_in, self.parent_of, self.changes_of)

    def counties_of(self, prefecture: MadePlace, year: int) -> tuple[MadePlace, ...]:
        """The counties below a prefecture that are there in a year."""
        return tuple(
            each for each in self.counties if each.prefecture == prefecture.unit_id and each.is_there(year)
        )

    def _province(self) -> Unit:
        code = PROVINCE_CODE
        return Unit(code, code, PROVINCE, "province", province=PROVINCE, province_code=code)

    def _unit(self, place: MadePlace, year: int) -> Unit:
        now = place.name_in(year)
        is_county = place.prefecture is not None
        above = next((each for each in self.prefectures if each.unit_id == place.prefecture), place)
        prefecture = above.name_in(year)
        return Unit(
            unit_id=place.unit_id,
            code=now.code,
            name=now.name,
            level="county" if is_county else "prefecture",
            province=PROVINCE,
            province_code=PROVINCE_CODE,
            prefecture=prefecture.name,
            prefecture_code=prefecture.code,
            county=now.name if is_county else None,
            county_code=now.code if is_county else None,
            successors=() if place.successor is None else (place.successor,),
        )


def _merger(place: MadePlace, into: MadePlace) -> PlaceChange:
    old, new, year = place.names[-1], into.names[0], into.first_year
    return PlaceChange(
        year=year,
        date=str(year),
        kind="merged",
        old=place.unit_id,
        new=into.unit_id,
        old_code=old.code,
        old_name=old.name,
        new_code=new.code,
        new_name=new.name,
        is_listed=True,
    )


def made_province(counties: int, seed: int = 0) -> MadeProvince:
    """A province of this many counties in 2013; about one in six is renamed, two in 25 are merged."""
    random = Random(f"places {seed}")
    stems = _unknown_stems()
    random.shuffle(stems)
    prefectures = tuple(
        MadePlace((MadeName(YEARS[0], f"99{11 + at}00", f"{stems.pop()}市"),)) for at in range(PREFECTURES)
    )
    places = [_county(at, f"{stems.pop()}县", prefectures) for at in range(counties)]
    _rename(places, stems)
    _merge(places, stems)
    return MadeProvince(prefectures, tuple(places))


def _county(at: int, name: str, prefectures: tuple[MadePlace, ...]) -> MadePlace:
    prefecture = prefectures[at % PREFECTURES].unit_id
    code = f"{prefecture[:4]}{21 + at // PREFECTURES}"
    return MadePlace((MadeName(YEARS[0], code, name),), prefecture)


def _rename(places: list[MadePlace], stems: list[str]) -> None:
    """By turns: 县 → 市, 县 → 区, 县 → 市 → 区, another name with the same code."""
    for turn, at in enumerate(range(3, len(places), 6)):
        place = places[at]
        first, since = place.names[0], 2015 + turn % 8
        stem, digits = first.name[:-1], int(first.code[4:])
        city = MadeName(since, f"{first.code[:4]}{digits + 60}", f"{stem}市")
        district = MadeName(since, f"{first.code[:4]}{digits - 19:02}", f"{stem}区")
        later = replace(district, since=min(since + 4, YEARS[-1]))
        new = MadeName(since, first.code, f"{stems.pop()}县")
        steps = ((city,), (district,), (city, later), (new,))[turn % 4]
        places[at] = replace(place, names=(first, *steps))


def _merge(places: list[MadePlace], stems: list[str]) -> None:
    """Pairs of counties of the same prefecture become a new district with a code of its own."""
    for turn, at in enumerate(range(1, len(places) - PREFECTURES, 25)):
        since = 2017 + 4 * turn
        pair = (at, at + PREFECTURES)
        code = f"{places[at].names[0].code[:4]}{15 + turn}"
        for each in pair:
            places[each] = replace(places[each], last_year=since - 1, successor=code)
        places.append(MadePlace((MadeName(since, code, f"{stems.pop()}区"),), places[at].prefecture))


def _unknown_stems() -> list[str]:
    """Names without their kind that no year's table knows, nor anything they begin with."""
    tables = [gazetteer(year) for year in YEARS[::2]]  # each holds the year after, too
    stems = [first + second for first in _SYLLABLES for second in _SYLLABLES if first != second]
    return [
        stem
        for stem in stems
        if not any(
            table.stem_at(f"{stem}{kind}", 0) or table.name_at(f"{stem}{kind}", 0)
            for table in tables
            for kind in "县市区"
        )
    ]
