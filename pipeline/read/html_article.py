"""Which lines of a page are the article, and which are the site around it.

To lose a line of the article is worse than to keep one of the site: a line is left
out only before the title, after the end of the report, or where it is plainly a menu.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from pipeline.read.characters import collapse
from pipeline.read.html_tree import Elements, is_removed, remove
from pipeline.read.lines import has_sentence, is_chapter, is_date, is_signature, is_title
from pipeline.read.metadata import pairs_in_line

_FURNITURE = "nav,header,footer,aside,[role=navigation],[role=banner],[role=contentinfo]"
_MAX_FURNITURE = 1500
_MIN_LINKS = 3
_LINK_SHARE = 0.6
_BROKEN_TITLE = re.compile(r"(?:政府|局|办公室|年)\d{0,4}年?(?:度)?$")
_TRAIL = re.compile(r"当前位置|您的位置|您现在的位置|所在位置|>\s*\S+\s*(?:>|›|»|/)|^首页\b")
_TAIL = re.compile(
    r"^(?:上一[篇条]|下一[篇条]|主办(?:单位)?[:：]|承办(?:单位)?[:：]|版权所有|Copyright|©|网站标识码|网站地图|技术支持|"
    r"[^。]{0,4}ICP备|[^。]{0,3}公网安备|扫一扫|分享到|分享[:：]|相关(?:链接|文档|阅读|信息|稿件|附件)|打印本页|关闭窗口|"
    r"【?(?:打印|关闭|返回顶部|我要纠错)】?|联系我们|关于我们|友情链接|回到顶部|无障碍)",
    re.I,
)
_TOOL_LINE = re.compile(
    r"^(?:分享到?[:：]?|字号[:：]|字体[:：]|浏览[次量]|阅读[次量]?|【?打印|打印|关闭|收藏|【?字体|\[?大\s*中\s*小|大\s*中\s*小|微信|微博|QQ空间)"
)

_PLACE_LINE = re.compile(r"^(?:您的|当前|您现在的|所在)位置")


def drop_furniture(body: LexborNode, elements: Elements, *, has_roles: bool) -> None:
    """Take menus, headers, footers and lists of links out of the tree."""
    remove(filter(_is_furniture, body.css(_FURNITURE) if has_roles else elements.furniture))
    remove(filter(_is_link_list, elements.lists))


def _is_furniture(node: LexborNode) -> bool:
    if is_removed(node) or node.css_first("h1,table") is not None:
        return False
    text = node.text_lexbor()
    if len(text) > _MAX_FURNITURE or "公开" in text:
        text = collapse(text)
    return len(text) <= _MAX_FURNITURE and text.count("。") < 2 and not is_title(text)


def _is_link_list(node: LexborNode) -> bool:
    if is_removed(node):
        return False
    links = [collapse(link.text()) for link in node.css("a")]
    if len(links) < _MIN_LINKS:
        return False
    text = collapse(node.text())
    return "附件" not in text and sum(map(len, links)) > _LINK_SHARE * max(1, len(text))


class WebLine(NamedTuple):
    """A line of the page without marks; `table` is the number of the data table that stands for it."""

    text: str
    is_heading: bool = False
    table: int | None = None


def article_range(lines: Sequence[WebLine]) -> set[int]:
    """Positions of the article's lines."""
    start = _start(lines)
    return {place for place in range(start, _stop(lines, start)) if not _is_tool(lines[place].text)}


def _start(lines: Sequence[WebLine]) -> int:
    """The title if there is one before the first sentence, else the first line."""
    headed = _titles(lines)
    if not headed:
        return 0
    # The last one: a page's menu may name the report before its heading does.
    start = headed[-1]
    if start - 1 in headed and not is_title(lines[start - 1].text):
        start -= 1
    if is_chapter(lines[start].text):
        return 0
    above = lines[start - 1].text if start else ""
    is_body = is_signature(above) and not _TRAIL.search(above)
    return start - 1 if is_body and _names_no_body(lines[start].text) else start


def _titles(lines: Sequence[WebLine]) -> list[int]:
    """Where titles stand before the first sentence: those marked as headings if there are any."""
    found = []
    for place, line in enumerate(lines):
        if len(line.text) > 40 and has_sentence(line.text):
            break
        if is_title(_with_next(lines, place)) and not _TRAIL.search(line.text):
            found.append(place)
    return [place for place in found if lines[place].is_heading] or found


def _with_next(lines: Sequence[WebLine], place: int) -> str:
    """A title may be broken over two lines."""
    text = lines[place].text
    following = lines[place + 1].text if place + 1 < len(lines) else ""
    if is_title(text) or len(text) + len(following) > 60 or not _BROKEN_TITLE.search(text):
        return text
    return text if pairs_in_line(following) is not None else text + following


def _names_no_body(title: str) -> bool:
    """A title that begins with its year: the body's name stands on the line above it."""
    return bool(re.match(r"^(?:关于)?[\d二〇零]{4}\s*年|^政府信息公开", title))


def _stop(lines: Sequence[WebLine], start: int) -> int:
    """Position after the report: the first line of the site's foot behind its last content."""
    stop = len(lines)
    for place in range(len(lines) - 1, start, -1):
        is_tail = _TAIL.search(lines[place].text) is not None
        if not is_tail and _is_content(lines[place]):
            break
        if is_tail:
            stop = place
    return stop


def _is_content(line: WebLine) -> bool:
    text = line.text
    return line.table is not None or has_sentence(text) or is_date(text) or is_chapter(text)


def _is_tool(text: str) -> bool:
    """Share buttons, type size and page counters inside the article."""
    return len(text) <= 40 and bool(_TOOL_LINE.match(text) or _PLACE_LINE.match(text))
