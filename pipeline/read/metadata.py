"""Labelled values above an article: index number, issuing body, dates.

Government sites print them as a small table, a list, or one line under the title.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.read.parts import MetadataPart

_LABEL_LIST = """
索引号 信息索引号 索引 索取号 编号 文号 发文字号 文件编号 文件号
发布机构 发布机关 发布单位 发布部门 发文机关 发文单位 发文机构 制发机关 公开机构 公开主体 责任部门
公开日期 公开时间 生成日期 生成时间 发布时间 发布日期 发文日期 成文日期 印发日期 形成日期 更新时间 日期 时间
名称 信息名称 文件名称 标题 来源 信息来源 文章来源 稿件来源 作者 责任编辑
有效性 效力状态 时效 是否有效 生效日期 失效日期 废止日期
主题分类 组配分类 分类 信息分类 体裁分类 体裁 主题词 关键词 内容概述 内容概览 语种 载体类型 服务对象
公开方式 公开形式 公开时限 公开范围 公开类别 公开程序
"""
LABELS: frozenset[str] = frozenset(_LABEL_LIST.split())
# Page furniture that stands among the labels and is no metadata of the report.
FURNITURE = re.compile(
    r"浏览次数|浏览量|浏览|阅读次数|阅读|点击数|点击率|点击|访问量|访问次数|字号|字体|打印|关闭|分享|收藏|保存|【.{0,6}】|\[.{0,12}\]|视力保护色"
)
_SPACED_LABELS = "|".join(r"\s*".join(label) for label in sorted(LABELS, key=len, reverse=True))
_PAIR = re.compile(rf"(?<![\u4e00-\u9fff])({_SPACED_LABELS}|{FURNITURE.pattern})\s*[：:]")
_NO_VALUE = re.compile(r"^[\s\-—/:：|]*$")
# A label with a space between any two characters, brackets and a colon.
_LONGEST_PRINT = 40
_BESIDE_LABEL = re.compile(r"[\s:：\[\]【】]")
MAX_CELLS_OF_PAIRS = 60
_HEAD_LINES = 60
_HEAD_SIZE = 20


def label_of(text: str) -> str | None:
    """The known label that `text` is, without spaces, colon and brackets; else None."""
    if len(text) > _LONGEST_PRINT:
        return None
    if text in LABELS:
        return text
    plain = unicodedata.normalize("NFKC", text)
    if not plain.isalnum():
        plain = _BESIDE_LABEL.sub("", plain)
    return plain if plain in LABELS else None


def pairs_in_line(line: str) -> list[MetadataPart] | None:
    """Label-value pairs of a line that holds nothing else; None if it is other text.

    `发布日期：2020-01-19  来源：县政府办公室  浏览次数：132` → two pairs.
    """
    if len(line) > 200 or "。" in line or not ("：" in line or ":" in line):
        return None
    found = list(_PAIR.finditer(line))
    if not found or line[: found[0].start()].strip(" *（("):
        return None
    pairs = []
    for match, following in zip(found, [*found[1:], None], strict=True):
        label = label_of(match.group(1))
        value = _value(line[match.end() : following.start() if following else len(line)])
        if label is not None and value:
            pairs.append(MetadataPart(label, value))
    return pairs or None


def _value(text: str) -> str:
    """The value up to page furniture, without closing marks."""
    furniture = FURNITURE.search(text)
    value = text[: furniture.start()] if furniture else text
    value = value.strip(" \u3000\u00a0*|）)")
    return "" if _NO_VALUE.match(value) else value


def pairs_in_rows(rows: Sequence[Sequence[str]]) -> list[MetadataPart] | None:
    """Label-value pairs of a table that consists of them; None if it is another table."""
    if sum(len(row) for row in rows) > MAX_CELLS_OF_PAIRS:
        return None
    pairs: list[MetadataPart] = []
    labels = other = 0
    for row in rows:
        cells = iter(row)
        for cell in cells:
            label = label_of(cell)
            if label is not None:
                labels += 1
                value = _value(next(cells, ""))
                if value:
                    pairs.append(MetadataPart(label, value))
            elif inline := pairs_in_line(cell):
                labels += len(inline)
                pairs.extend(inline)
            elif cell:
                other += 1
    return pairs if labels >= 2 and other <= labels // 3 else None


@dataclass(frozen=True, slots=True)
class MetadataLines:
    """Metadata pairs and the source lines they take."""

    lines: range
    pairs: list[MetadataPart]


def head_metadata(lines: Sequence[str]) -> list[MetadataLines]:
    """Metadata among the first printed lines: pairs on a line, or label and value in turn."""
    head = [position for position, line in enumerate(lines[:_HEAD_LINES]) if line][:_HEAD_SIZE]
    found = []
    for position in head:
        pairs = pairs_in_line(lines[position])
        if pairs is not None:
            found.append(MetadataLines(range(position, position + 1), pairs))
    return found or _stacked(lines, head)


def _stacked(lines: Sequence[str], head: Sequence[int]) -> list[MetadataLines]:
    """`索引号` | `990…` | `发布机构` | …, one a line; at least two labels make sure of it."""
    if sum(1 for position in head if label_of(lines[position]) is not None) < 2:
        return []
    found: list[MetadataLines] = []
    places = iter(pairwise(head))
    for position, following in places:
        label = label_of(lines[position])
        is_furniture = FURNITURE.fullmatch(lines[position].rstrip("：:")) is not None
        if label is None and not is_furniture:
            continue
        value = _value(lines[following])
        if label_of(lines[following]) is not None:
            continue
        pairs = [MetadataPart(label, value)] if label is not None and value else []
        found.append(MetadataLines(range(position, following + 1), pairs))
        next(places, None)
    return found if sum(len(each.pairs) for each in found) >= 2 else []
