"""The topic last opened in a text: found from its end, as a search of all of it finds it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prose.clauses import _TOPIC_WORDS, last_topic

_PIECES = (
    "申请 复议 诉讼 收到 公开 主动公开 政府信息 不予 已 属于 范围 不存在 收费 应诉 受理 许可 "
    "一件 12 内容不明确 全年 ， 。 ； ！"
).split()


def _last_by_full_search(text: str) -> str | None:
    found = [(match.end(), topic) for topic, pattern in _TOPIC_WORDS for match in pattern.finditer(text)]
    return max(found, key=lambda each: each[0])[1] if found else None


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("全年主动公开信息 30 条，收到申请", "requests"),
        ("收到公开申请 3 件。提起行政复议", "review"),
        ("提起行政诉讼 1 件。其中", "litigation"),
        ("收到申请。复议", "review"),
        ("予以公开。没有别的。也没有下一句", "requests"),
        ("。。", None),
        ("", None),
    ],
)
def test_the_word_that_ends_last_decides(text: str, topic: str | None) -> None:
    assert last_topic(text) == topic


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_no_word_reaches_over_a_full_stop(text: str) -> None:
    assert last_topic(text) == _last_by_full_search(text)
