"""What `sources.csv` says of a document beside what the document prints.

A hint helps to tell places of the same name apart, and is compared with what is printed.
It never becomes a fact: where both differ the print stays, with a finding. Where the print tells
no place, a panel may take the hint's (`code_by_hint`) and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.document import SourceHint
from pipeline.fact import Fact, Finding
from pipeline.metadata.divisions import Division, Gazetteer, PlaceName, is_within
from pipeline.metadata.place_codes import is_code, province_of_host

_SIX_DIGITS = 6
# Of a province, a prefecture, a county, and of the statistics bureau's codes down to the village.
_CODE_LENGTHS = (2, 4, 6, 9, 12)


def hinted_codes(hint: SourceHint | None, table: Gazetteer) -> tuple[str, ...]:
    """Division codes, or their first two digits, that the hint's place and address stand for."""
    if hint is None:
        return ()
    province = province_of_host(hint.url or "")
    return (*_codes_of_place(hint.place or "", table), *([province] if province is not None else []))


def code_by_hint(place: str, issuer: str, table: Gazetteer) -> str | None:
    """Code of the one division that a hint names as a whole; None where it may mean several.

    What stands behind the division has to be of the issuer: 海阳市留格庄镇 is 海阳市 for
    留格庄镇人民政府, and nothing for another body.
    """
    codes = _codes_of_place(place, table)
    found = _named(place, table)
    rest = "" if found is None else "".join(place.split())[found.end :]
    is_whole = found is None or issuer.startswith(rest) or found.divisions[0].name.endswith(rest)
    return codes[0] if len(codes) == 1 and is_whole else None


def _codes_of_place(place: str, table: Gazetteer) -> tuple[str, ...]:
    digits = "".join(place.split())
    if digits.isdecimal() and len(digits) in _CODE_LENGTHS:
        code = digits[:_SIX_DIGITS].ljust(_SIX_DIGITS, "0")
        return (code,) if is_code(code, table) else ()
    found = _named(place, table)
    return () if found is None else tuple(division.code for division in found.divisions)


def _named(place: str, table: Gazetteer) -> PlaceName | None:
    """The division that a hint begins with, by its full name or its short one (莱州, 恩施州)."""
    place = "".join(place.split())
    return table.chain_at(place) or table.stem_at(place, 0)


def narrowed_by_hint(divisions: Sequence[Division], codes: Sequence[str]) -> Division | None:
    """The one of several divisions that agrees with the hint."""
    agreeing = [each for each in divisions if any(_agree(each.code, code) for code in codes)]
    return agreeing[0] if len(agreeing) == 1 else None


def _agree(code: str, hinted: str) -> bool:
    full = hinted.ljust(_SIX_DIGITS, "0")
    return code == full or is_within(code, full) or is_within(full, code)


def hint_findings(hint: SourceHint | None, facts: Sequence[Fact], table: Gazetteer) -> Iterator[Finding]:
    """`meta.hint_year` and `meta.hint_place` where the list and the print differ."""
    if hint is None:
        return
    by_path = {fact.path: fact for fact in facts}
    year = by_path.get("meta.year")
    if hint.year is not None and (year is None or year.value != hint.year):
        yield _differs("meta.hint_year", "meta.year", hint.year, year)
    code = by_path.get("meta.division_code")
    codes = _codes_of_place(hint.place or "", table)
    issuer = by_path.get("meta.issuer")
    if hint.place is None or (issuer is not None and hint.place in str(issuer.value)):
        return
    if code is None or not codes:
        yield _unknown(hint.place, code)
    elif not any(_agree(str(code.value), each) for each in codes):
        yield _differs("meta.hint_place", "meta.division_code", hint.place, code)


def _unknown(place: str, fact: Fact | None) -> Finding:
    """A note: one of the two places is not to be found in GB/T 2260, so that they cannot be compared."""
    what = "the document prints no division" if fact is None else "no division of GB/T 2260 has that name"
    return Finding(
        rule="meta.hint_place",
        severity="note",
        paths=("meta.division_code",),
        expected=place,
        printed=None if fact is None else fact.value,
        message=f"sources.csv says {place}, but {what}: not compared",
        evidence=() if fact is None else (fact.evidence,),
    )


def _differs(rule: str, path: str, hinted: str | int, fact: Fact | None) -> Finding:
    printed = None if fact is None else fact.value
    message = (
        f"sources.csv says {hinted}, the document prints nothing that tells it: no fact was made"
        if fact is None
        else f"sources.csv says {hinted}, the document {printed} ({fact.raw}): kept as printed"
    )
    return Finding(
        rule=rule,
        severity="note" if fact is None else "warning",
        paths=(path,),
        expected=hinted,
        printed=printed,
        message=message,
        evidence=() if fact is None else (fact.evidence,),
    )
