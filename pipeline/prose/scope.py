"""For whom a figure of the prose speaks: the body itself, or all that it governs."""

from __future__ import annotations

import re

from pipeline.fact import Scope
from pipeline.prose.mentions import Mention

_OWN = re.compile(
    r"本(?:机关|局|办|厅|委|镇|乡|街道|单位|中心|院|站|所|处|会|部门|行)|"
    r"我(?:局|办|厅|委|镇|乡|街道|单位|中心|院|站|所|处|会|部|社|处室|机关|行|司|队)(?!们)"
)
_JURISDICTION = re.compile(
    r"全(?:市|县|区|省|州|旗|盟|镇|乡|街道|系统|局系统)|我(?:市|县|区|省|州|旗|盟)|"
    r"各(?:部门|级|乡镇|镇|街道|县区|县|区|单位|市直|行政机关)|(?:镇|县|市|区|乡)政府及(?:各|其|所属)?部门|辖区|汇总"
)


def find_scope(mention: Mention) -> Scope | None:
    """`own` or `jurisdiction` after the nearest subject before the figure in its paragraph.

    None where no subject is printed.
    """
    offset = mention.span.start - mention.sentence.span.start
    before = mention.sentence.before + mention.sentence.text[:offset]
    own = max((match.end() for match in _OWN.finditer(before)), default=-1)
    wide = max((match.end() for match in _JURISDICTION.finditer(before)), default=-1)
    if own < 0 and wide < 0:
        return None
    return "own" if own > wide else "jurisdiction"
