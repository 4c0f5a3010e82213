"""Which lines of a page are the article, and which are the site around it.

To lose a line of the article is worse than to keep one of the site: a line is left
out only before the title, after the end of the report, or where it is plainly a menu.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selectolax.lexbor import LexborNode

from pipeline.read.characters import collapse
from pipeline.read.lines import has_sentence, is_chapter, is_date, is_signature, is_title
from pipeline.read.metadata import pairs_in_line

_FURNITURE = "nav,header,footer,aside,[role=navigation],[role=banner],[role=contentinfo]"
_MAX_FURNITURE = 1500
_MIN_LINKS = 3
_LINK_SHARE = 0.6
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


def drop_furniture(body: LexborNode) -> None:
    """Take menus, headers, footers and lists of links out of the tree."""
    for node in body.css(_FURNITURE):
        if _is_furniture(node):
            node.decompose()
    for node in body.css("ul,ol"):
        if _is_link_list(node):
            node.decompose()


def _is_furniture(node: LexborNode) -> bool:
    if node.css_first("h1,table") is not None:
        return False
    text = collapse(node.text(deep=True))
    return len(text) <= _MAX_FURNITURE and text.count("。") < 2 and not is_title(text)


def _is_link_list(node: LexborNode) -> bool:
    links = [collapse(link.text(deep=True)) for link in node.css("a")]
    if len(links) < _MIN_LINKS:
        return False
    text = collapse(node.text(deep=True))
    return "附件" not in text and sum(map(len, links)) > _LINK_SHARE * max(1, len(text))


def article_range(lines: Sequence[str], heading_mark: str, table_mark: str) -> set[int]:
    """Positions of the article's lines. Tables are lines that hold `table_mark`."""
    texts = [collapse(line.replace(heading_mark, "")) for line in lines]
    marked = {position for position, line in enumerate(lines) if heading_mark in line}
    start = _start(texts, marked, table_mark)
    stop = _stop(texts, start, table_mark)
    return {position for position in range(start, stop) if not _is_tool(texts[position])}


def _start(texts: Sequence[str], marked: set[int], table_mark: str) -> int:
    """The title if there is one before the first sentence, else the first line."""
    prose = (n for n, text in enumerate(texts) if len(text) > 40 and has_sentence(text))
    first_prose = next(prose, len(texts))
    titles = [n for n in range(first_prose) if is_title(_with_next(texts, n)) and not _TRAIL.search(texts[n])]
    headed = [n for n in titles if n in marked] or titles
    if not headed:
        return 0
    # The last one: a page's menu may name the report before its heading does.
    start = headed[-1]
    if start - 1 in headed and not is_title(texts[start - 1]):
        start -= 1
    if is_chapter(texts[start]):
        return 0
    above = texts[start - 1] if start else ""
    is_body = is_signature(above) and not _TRAIL.search(above)
    return start - 1 if is_body and _names_no_body(texts[start]) else start


def _with_next(texts: Sequence[str], position: int) -> str:
    """A title may be broken over two lines."""
    following = texts[position + 1] if position + 1 < len(texts) else ""
    text = texts[position]
    if is_title(text) or len(text) + len(following) > 60 or pairs_in_line(following) is not None:
        return text
    return text + following if re.search(r"(?:政府|局|办公室|年)\d{0,4}年?(?:度)?$", text) else text


def _names_no_body(title: str) -> bool:
    """A title that begins with its year: the body's name stands on the line above it."""
    return bool(re.match(r"^(?:关于)?[\d二〇零]{4}\s*年|^政府信息公开", title))


def _stop(texts: Sequence[str], start: int, table_mark: str) -> int:
    """Position after the report: the first line of the site's foot behind its last content."""
    last = start
    for position in range(start, len(texts)):
        text = texts[position]
        content = has_sentence(text) or table_mark in text or is_date(text) or is_chapter(text)
        if content and not _TAIL.search(text):
            last = position
    for position in range(last + 1, len(texts)):
        if _TAIL.search(texts[position]):
            return position
    return len(texts)


def _is_tool(text: str) -> bool:
    """Share buttons, type size and page counters inside the article."""
    return len(text) <= 40 and bool(_TOOL_LINE.match(text) or _PLACE_LINE.match(text))
