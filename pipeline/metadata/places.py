"""Which division an issuer belongs to, from all that is printed, in a fixed order.

The issuer's own name, the signature, printed code numbers, then the text. Names that
several places share are told apart by code numbers, superiors named in the text, site
addresses, area codes and postcodes. What stays ambiguous is not decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.document import Document, Span
from pipeline.metadata.divisions import (
    Division,
    Gazetteer,
    PlaceName,
    is_within,
    level_of,
    stem,
    without_superiors,
)
from pipeline.metadata.hints import hinted_codes, narrowed_by_hint
from pipeline.metadata.issuers import is_zone, issuer_type
from pipeline.metadata.place_codes import Sign, division_codes, province_signs
from pipeline.printed import Packed, Printed, pack

# 市场监督管理局, 市容…局 and 市政…处 name no city; 市政府 and 市政务服务… do.
_OWN_KIND = re.compile(r"^(?:本)?([省市县区旗州盟])(?!区|县|场|容|政(?!府|务|协))")
_NAMED_PLACE = re.compile(r"^[\u4e00-\u9fff]{2,10}?(?:自治[区州县旗]|地区|省|市|县|区|旗|盟|州)")
# A short name counts in the text only as part of the name of a site, paper or station.
_OUTLET = re.compile("站点|分站|分厅|政府|政务|日报|电视台|广播电台|网|发布|在线|之窗|门户")
# Agencies under central command put their ministry before the place.
_AGENCY = re.compile(r"^(?:国家税务总局|国家统计局|国家金融监督管理总局|中华人民共和国|中国人民银行|中国)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an issuer belongs.

    `division` and `printed` (the print that decided) are set when one division remained;
    `candidates` when several did; `unknown` is a place's name that the table does not have.
    `by_hint` tells that only the list of sources told places of the same name apart.
    """

    code: str | None = None
    printed: Printed | None = None
    candidates: tuple[Division, ...] = ()
    unknown: Printed | None = None
    by_hint: bool = False


def locate(document: Document, names: Sequence[Printed], table: Gazetteer) -> Place:
    """The division of a report's issuer; `names` are the issuer's, the title's before the signature's."""
    codes = list(division_codes(document, table))
    for name in names:
        found = _place_in_name(name.text, table)
        if found is not None:
            return _narrowed(document, table, found.divisions, _part(name, found), codes)
    unknown = next((place for name in names if (place := _named_place(name)) is not None), None)
    if codes:
        return Place(codes[0].prefix, codes[0].printed)
    if unknown is not None or not names:
        return Place(unknown=unknown)
    return _place_in_text(document, names[0].text, table)


def _place_in_name(name: str, table: Gazetteer) -> PlaceName | None:
    """The place that an issuer's name begins with; its short name will do except for townships."""
    begin = agency_prefix(name)
    chain = table.chain_at(name, begin)
    if chain is not None or issuer_type(name) == "township":
        return chain
    return table.stem_at(name, begin)


def agency_prefix(name: str) -> int:
    """Where a body's own name begins behind that of its ministry: 国家税务总局某县税务局."""
    prefix = _AGENCY.match(name)
    return prefix.end() if prefix is not None else 0


def _part(name: Printed, found: PlaceName) -> Printed:
    """The print of a place within an issuer's name; the whole name where its print is not in one piece."""
    if name.span.end - name.span.start != len(name.text):
        return name
    start = name.span.start + found.start
    return Printed(name.text[found.start : found.end], Span(start, start + found.end - found.start))


def _named_place(name: Printed) -> Printed | None:
    """The name of a county or city that a body's name begins with, known or not."""
    if is_zone(name.text):
        return name
    match = _NAMED_PLACE.match(name.text[agency_prefix(name.text) :])
    return name if match is not None else None


def _narrowed(
    document: Document,
    table: Gazetteer,
    divisions: Sequence[Division],
    printed: Printed,
    codes: Sequence[Sign] = (),
) -> Place:
    """One of several divisions of the same name, by the evidence in its order."""
    left = list(divisions)
    if len(left) == 1:
        return Place(left[0].code, printed)
    for sign in [*codes, *_superiors(document, left, table), *province_signs(document)]:
        kept = [each for each in left if each.code == sign.prefix or _is_below(each.code, sign.prefix)]
        if len(kept) == 1:
            return Place(kept[0].code, sign.printed)
        left = kept or left
    hinted = narrowed_by_hint(left, hinted_codes(document.hint, table))
    if hinted is not None:
        return Place(hinted.code, printed, by_hint=True)
    return Place(candidates=tuple(left))


def _is_below(code: str, prefix: str) -> bool:
    return is_within(code, prefix.ljust(6, "0"))


def _superiors(document: Document, divisions: Iterable[Division], table: Gazetteer) -> Iterator[Sign]:
    """Provinces and prefectures of the candidates that the text names, in printed order."""
    codes = {f"{each.code[:size]:0<6}" for each in divisions for size in (2, 4)}
    names = {each.name: each.code for code in codes if (each := table.get(code)) is not None}
    names.update({stem(name): code for name, code in list(names.items())})
    if not names:
        return
    pattern = re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)))
    for packed in _paragraphs(document):
        for match in pattern.finditer(packed.text):
            code = names[match.group()]
            length = 2 if level_of(code) == "province" else 4
            yield Sign(code[:length], packed.piece(*match.span()))


def _place_in_text(document: Document, issuer: str, table: Gazetteer) -> Place:
    """The place of an issuer whose name holds none (市政务服务中心…), from the text alone."""
    found = [
        (division, mention)
        for division, mention in _mentions(document, issuer, table)
        if _fits(division, issuer)
    ]
    left = without_superiors(division for division, _ in found)
    if not left:
        return Place()
    mention = next(mention for division, mention in found if division == left[0])
    return _narrowed(document, table, left, mention)


def _fits(division: Division, issuer: str) -> bool:
    """Whether a division is of the kind that the name speaks of: 市…, 县…; a township lies in a county."""
    kind = _OWN_KIND.match(issuer)
    if kind is not None:
        return division.name.endswith(kind.group(1))
    return issuer_type(issuer) != "township" or level_of(division.code) == "county"


def _mentions(document: Document, issuer: str, table: Gazetteer) -> Iterator[tuple[Division, Printed]]:
    """Divisions named in the text; only those right before a township's name, if there are any."""
    township = re.sub(r"(?:人民政府|办事处|政府)$", "", issuer)
    every = [
        (division, packed, place)
        for packed in _paragraphs(document)
        for place in (*table.names_in(packed.text), *_outlets(packed.text, table))
        for division in place.divisions
    ]
    direct = [each for each in every if each[1].text.startswith(township, each[2].end)]
    for division, packed, place in direct or every:
        yield division, packed.piece(place.start, place.end)


def _outlets(text: str, table: Gazetteer) -> Iterator[PlaceName]:
    """Short names in the names of sites, papers and stations: 曲阜 in …网曲阜站点."""
    for match in _OUTLET.finditer(text):
        for start in range(max(0, match.start() - 6), match.start() - 1):
            found = table.stem_at(text, start)
            if found is not None and found.end == match.start():
                yield found
                break


def _paragraphs(document: Document) -> Iterator[Packed]:
    for block in document.blocks:
        if block.table is None:
            yield pack(document.text, block.span)
