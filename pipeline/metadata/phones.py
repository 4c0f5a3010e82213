"""The telephone that a report gives for questions about itself.

Hotlines, advice and complaint numbers, fax numbers and the site's own line are other numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.document import Document
from pipeline.printed import Packed, Printed, pack

_NUMBER = (
    r"(?:[（(]0\d{2,3}[)）][—–－-]?|0\d{2,3}[—–－ -]+|0\d{2,3}(?=\d{7}))?[2-9]\d{6,7}(?![\d条件次个人])"
    r"(?:(?:转|[—–－-])\d{1,6})?(?!\d)"
)
_CONTACT = re.compile(
    r"(?P<clause>[^。；;，,、）)]{0,60}?(?:电话|致电|[请可]拨打?))(?:[（(/及]传真[)）]?)?"
    rf"(?P<to>[^。；;，,、\d（(]{{0,20}}[：:]?)(?P<number>{_NUMBER})"
)
_OTHER_LINE = re.compile(r"热线|预约|投诉|举报|监督|纠错|传真|服务电话|报警|夜间|号码|受理")
_FURNITURE = re.compile(r"网站标识码|备案|主办|承办|技术支持|版权")


def contact_phone(document: Document) -> Printed | None:
    """The first number printed as the report's contact; white space in it is dropped."""
    return next(_numbers(document), None)


def _numbers(document: Document) -> Iterator[Printed]:
    for block in document.blocks:
        if block.table is not None:
            continue
        packed = pack(document.text, block.span)
        if not _FURNITURE.search(packed.text):
            yield from _numbers_in(packed)


def _numbers_in(packed: Packed) -> Iterator[Printed]:
    for match in _CONTACT.finditer(packed.text):
        printed = packed.group(match, "number")
        if printed is not None and not _OTHER_LINE.search(match["clause"] + match["to"]):
            yield printed
