"""Printed signs of a place besides its name: code numbers, site addresses, telephone and post codes.

A code number names the place itself. A `.gov.cn` address, an area code and a postcode
only narrow names that several places share: they are read as far as the province.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.document import Document, Span
from pipeline.metadata.divisions import Gazetteer
from pipeline.printed import Packed, Printed, pack

# Index numbers begin with the code of the division, or with the body's unified social credit
# code (GB 32100), whose third to eighth character are that code.
_INDEX_LABEL = r"(?:信息)?索引号?|网站标识码|行政区划代码|区划代码|SiteIDCode|siteId|信息索引"
_INDEX = re.compile(rf"(?:{_INDEX_LABEL})[】\]]?[：:为是]?(?P<number>[A-Za-z0-9][A-Za-z0-9/_—\-]*)", re.I)
_CREDIT_CODE = re.compile(r"[15N][1-9](\d{6})[0-9A-Z]{9,10}")
_DIVISION = re.compile(r"\d{6}")
_MADE_UP = "99"

_PROVINCE_HOSTS = {
    "bj": "11", "tj": "12", "he": "13", "hebei": "13", "sx": "14", "shanxi": "14", "nm": "15", "nmg": "15",
    "ln": "21", "jl": "22", "hl": "23", "hlj": "23", "sh": "31", "js": "32", "jiangsu": "32", "zj": "33",
    "ah": "34", "fj": "35", "fujian": "35", "jx": "36", "jiangxi": "36", "sd": "37", "shandong": "37",
    "ha": "41", "henan": "41", "hb": "42", "hubei": "42", "hn": "43", "hunan": "43", "gd": "44", "gx": "45",
    "gxzf": "45", "hi": "46", "hainan": "46", "cq": "50", "sc": "51", "gz": "52", "guizhou": "52", "yn": "53",
    "xz": "54", "xizang": "54", "sn": "61", "shaanxi": "61", "gs": "62", "gansu": "62", "qh": "63",
    "qinghai": "63", "nx": "64", "xj": "65", "xinjiang": "65",
}  # fmt: skip
_HOST = re.compile(r"(?<![a-z0-9])([a-z]{2,9})\.gov\.cn", re.I)

_AREA_CODES = {
    "010": "11", "022": "12", "031": "13", "033": "13", "034": "14", "035": "14", "047": "15", "048": "15",
    "024": "21", "041": "21", "042": "21", "043": "22", "045": "23", "046": "23", "021": "31", "025": "32",
    "051": "32", "052": "32", "057": "33", "058": "33", "055": "34", "056": "34", "059": "35", "070": "36",
    "079": "36", "053": "37", "054": "37", "063": "37", "037": "41", "039": "41", "027": "42", "071": "42",
    "072": "42", "073": "43", "074": "43", "020": "44", "066": "44", "075": "44", "076": "44", "077": "45",
    "0898": "46", "023": "50", "028": "51", "081": "51", "082": "51", "083": "51", "085": "52", "087": "53",
    "088": "53", "0691": "53", "0692": "53", "0891": "54", "0892": "54", "0893": "54", "0894": "54",
    "0895": "54", "0896": "54", "0897": "54", "029": "61", "091": "61", "093": "62", "094": "62", "097": "63",
    "095": "64", "090": "65", "099": "65",
}  # fmt: skip
_TELEPHONE = re.compile(r"(?<!\d)[（(]?(0\d{2,3})[)）—－ -]+\d{7,8}(?!\d)")

_POSTCODES = {
    "10": "11", "30": "12", "05": "13", "06": "13", "07": "13", "03": "14", "04": "14", "01": "15",
    "02": "15", "11": "21", "12": "21", "13": "22", "15": "23", "16": "23", "20": "31", "21": "32",
    "22": "32", "31": "33", "32": "33", "23": "34", "24": "34", "35": "35", "36": "35", "33": "36",
    "34": "36", "25": "37", "26": "37", "27": "37", "45": "41", "46": "41", "47": "41", "43": "42",
    "44": "42", "41": "43", "42": "43", "51": "44", "52": "44", "53": "45", "54": "45", "57": "46",
    "40": "50", "61": "51", "62": "51", "63": "51", "64": "51", "55": "52", "56": "52", "65": "53",
    "66": "53", "67": "53", "85": "54", "86": "54", "71": "61", "72": "61", "73": "62", "74": "62",
    "81": "63", "75": "64", "83": "65", "84": "65",
}  # fmt: skip
_POSTCODE = re.compile(r"(?:邮编|邮政编码)[：:为]?(\d{6})(?!\d)")


@dataclass(frozen=True, slots=True)
class Sign:
    """The first digits of a division code that a print stands for: two for a province, six for a place."""

    prefix: str
    printed: Printed


def division_codes(document: Document, table: Gazetteer) -> Iterator[Sign]:
    """Six-digit codes printed in index numbers, site codes and the like, in printed order.

    A number that begins with no code of the table is some other number; codes from 99 on,
    which GB/T 2260 leaves free, are taken as printed.
    """
    for packed in _lines(document):
        for match in _INDEX.finditer(packed.text):
            start = match.start("number")
            found = _code_in(match["number"], table)
            if found is not None:
                offset, code = found
                yield Sign(code, packed.piece(start + offset, start + offset + 6))


def _code_in(number: str, table: Gazetteer) -> tuple[int, str] | None:
    """The place of a division code in an index number, and the code."""
    credit = _CREDIT_CODE.match(number)
    plain = _DIVISION.match(number)
    for match, group in ((credit, 1), (plain, 0)):
        if match is not None and is_code(match.group(group), table):
            return match.start(group), match.group(group)
    return None


def is_code(code: str, table: Gazetteer) -> bool:
    """Whether six digits are a division of the table or of the free range."""
    return code.startswith(_MADE_UP) or table.get(code) is not None


def province_signs(document: Document) -> Iterator[Sign]:
    """Provinces by site address, then by area code, then by postcode."""
    lines = list(_lines(document))
    yield from _hosts(document)
    for pattern, provinces in ((_TELEPHONE, _AREA_CODES), (_POSTCODE, _POSTCODES)):
        for packed in lines:
            for match in pattern.finditer(packed.text):
                prefix = _by_beginning(match.group(1), provinces)
                printed = packed.group(match, 1)
                if prefix is not None and printed is not None:
                    yield Sign(prefix, printed)


def _hosts(document: Document) -> Iterator[Sign]:
    for match in _HOST.finditer(document.text):
        prefix = _PROVINCE_HOSTS.get(match.group(1).lower())
        if prefix is not None:
            yield Sign(prefix, Printed(match.group(), Span(*match.span())))


def province_of_host(url: str) -> str | None:
    """First two digits of the codes of the province that a `.gov.cn` address names."""
    found = (_PROVINCE_HOSTS.get(match.group(1).lower()) for match in _HOST.finditer(url))
    return next((prefix for prefix in found if prefix is not None), None)


def _by_beginning(number: str, provinces: dict[str, str]) -> str | None:
    for length in (4, 3, 2):
        if len(number) >= length and number[:length] in provinces:
            return provinces[number[:length]]
    return None


def _lines(document: Document) -> Iterator[Packed]:
    for block in document.blocks:
        if block.table is None:
            yield pack(document.text, block.span)
