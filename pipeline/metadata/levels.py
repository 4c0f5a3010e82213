"""The level of government that an issuer belongs to, with the print that decided it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.document import Document
from pipeline.metadata.divisions import level_of, stem
from pipeline.metadata.places import Place, agency_prefix
from pipeline.printed import Packed, Printed, pack

_HAN = r"[\u4e00-\u9fff]"
_NATIONAL = re.compile(rf"^(?:国务院|国家|中华人民共和国)|^{_HAN}{{2,6}}部$")
_KINDS = (
    ("province", re.compile(rf"^{_HAN}{{2,8}}?(?:省|自治区)(?!{_HAN}*[市县州盟旗])|厅$")),
    ("prefecture", re.compile(rf"^{_HAN}{{1,10}}?(?:自治州|地区|盟)(?!{_HAN}*[市县旗])")),
    ("county", re.compile(rf"^{_HAN}{{2,14}}?(?<!自治)(?<!地)[县区旗]|^{_HAN}{{2,14}}?自治[县旗]")),
)
_CITY = re.compile(r"^(?P<city>[\u4e00-\u9fff]{1,8}?)市")
# A city with counties or districts below it is of prefecture level, one with towns of county level;
# a daily newspaper of its own is kept by cities of prefecture level since the press reform of 2003.
_HAS_COUNTIES = r"各县[（(]?[、市]*区|各区县|各县市区|县[（(]市、?区[)）]|各县[（(]|所辖[各县区]"
_HAS_TOWNS = r"各镇(?:[（(]?街|[、，])|各乡镇|镇[（(]街[道)）]|各镇街"


@dataclass(frozen=True, slots=True)
class Level:
    """A level by its name in the contract, and its print."""

    name: str
    printed: Printed


def issuer_level(document: Document, issuer: Printed, kind: str, place: Place) -> Level | None:
    """national, province, prefecture, county or township; None where nothing printed tells."""
    if kind == "township":
        return Level("township", issuer)
    if place.code is not None and place.printed is not None:
        return Level(level_of(place.code), place.printed)
    if kind == "zone":
        return _zone_level(document, issuer)
    name = issuer.text[agency_prefix(issuer.text) :]
    for level, pattern in _KINDS:
        if pattern.search(name):
            return Level(level, issuer)
    if _NATIONAL.search(issuer.text) and not _CITY.match(name):
        return Level("national", issuer)
    return _city_level(document, issuer)


def _zone_level(document: Document, zone: Printed) -> Level | None:
    """That of the place of the same name that the text prints: 某县 for 某经济开发区."""
    short = re.split(r"经济|高新|产业|工业|旅游|现代|综合", zone.text)[0]
    if len(short) < 2 or short == zone.text:
        return None
    for name, kinds in (("county", "[县区旗]"), ("prefecture", "(?:地区|州|盟)")):
        found = _first(document, rf"{re.escape(stem(short))}{kinds}")
        if found is not None:
            return Level(name, found)
    return None


def _city_level(document: Document, issuer: Printed) -> Level | None:
    city = _CITY.match(issuer.text)
    clues = [("prefecture", _HAS_COUNTIES), ("county", _HAS_TOWNS)]
    if city is not None:
        clues.append(("prefecture", rf"《{re.escape(city['city'])}日报》"))
    for name, pattern in clues:
        found = _first(document, pattern)
        if found is not None:
            return Level(name, found)
    return None


def _first(document: Document, pattern: str) -> Printed | None:
    """The first print of a pattern in the text."""
    for block in document.blocks:
        packed: Packed = pack(document.text, block.span)
        match = re.search(pattern, packed.text) if block.table is None else None
        if match is not None:
            return packed.group(match)
    return None
