"""What a crawl brings home in place of a report: error pages, lists of reports, shells of script."""

# ruff: noqa: E501 - a pattern is read as one line

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.document import Document
from pipeline.read.lines import is_title

# Said on a page that holds little else.
_ERROR = re.compile(
    r"页面(?:不存在|已删除|未找到|找不到|无法访问|走丢)|找不到(?:您|你)?(?:要|所|需要|想)?.{0,6}(?:页面|网页|文件)|"
    r"(?:您|你)(?:所|要|想)?(?:访问|查看|浏览)的(?:页面|内容|网页|文章|信息|地址).{0,10}(?:不存在|删除|下线|失效|找不到)|"
    r"(?<!申请)(?:文章|信息|内容|稿件|链接)(?:不存在(?![数的0-9])|已被?删除|已下线|已失效|已过期)|"
    r"\b(?:40[0-9]|50[0-9])\b.{0,20}(?:not found|error|forbidden|gateway|unavailable|错误)|not found|access denied|"
    r"(?:服务器|网站|系统)(?:正在)?(?:维护|升级|繁忙|错误|异常|出错)|无权(?:限)?访问|访问(?:被拒绝|受限|过于频繁)",
    re.I,
)
_BLOCKED = re.compile(r"安全验证|人机验证|请输入验证码|滑动.{0,6}验证|访问.{0,4}拦截|captcha", re.I)
_SCRIPT = re.compile(
    r"(?:启用|开启|打开|支持).{0,6}javascript|enable javascript|页面加载中|正在加载|请.{0,4}(?:启用|开启)\s?JS",
    re.I,
)
_LONGEST_ERROR_PAGE = 1500
_FEWEST_LISTED = 3
_YEAR = re.compile(r"20\d\d")
_SHARE_LISTED = 0.25


@dataclass(frozen=True, slots=True)
class Instead:
    """What a document is, and what to do about it."""

    what: str
    advice: str


def what_instead(document: Document) -> Instead | None:
    """What a document that is no report is plainly; None where it is just another text."""
    lines = [document.slice(block.span) for block in document.blocks if block.table is None]
    lines += [cell.text for table in document.tables for cell in table.cells]
    listed = [line for line in lines if is_title(line) and _YEAR.search(line)]
    text = " ".join(lines)
    if len(listed) >= _FEWEST_LISTED and len(listed) >= _SHARE_LISTED * len(lines):
        return Instead(
            f"a list that names {len(listed)} reports", "Follow its links and give the pages of the reports."
        )
    if len(text) > _LONGEST_ERROR_PAGE:
        return None
    for pattern, what, advice in _KINDS:
        if found := pattern.search(text):
            return Instead(f"{what} ({found[0]})", advice)
    return None


_KINDS = (
    (_ERROR, "an error page", "Get the page again from its source, or from an archive of the web."),
    (_BLOCKED, "a page that asks who is there", "Open it in a browser and save the report itself."),
    (
        _SCRIPT,
        "a page whose content comes by script",
        "Open it in a browser and save it when it is complete.",
    ),
)
