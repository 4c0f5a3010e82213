"""What crawls bring home in place of reports, and the reason that each gets."""

# ruff: noqa: E501 - a page stays on one line

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import NotAReport
from pipeline.metadata.reading import require_report
from pipeline.read import read_document

LISTED = [
    f"<li><a href=/{year}.html>云岭县人民政府{year}年政府信息公开工作年度报告</a></li>"
    for year in range(2015, 2024)
]
PAGES = [
    # what the page shows, what the reason says
    ("<p>页面不存在</p><a href=/>返回首页</a>", "an error page (页面不存在)"),
    ("<h1>404 Not Found</h1><hr><center>nginx</center>", "an error page (404 Not Found)"),
    ("<p>抱歉，您访问的页面不存在或已删除！5秒后返回</p>", "an error page"),
    ("<p>找不到您要访问的网页</p>", "an error page"),
    ("<p>该信息已被删除</p>", "an error page (信息已被删除)"),
    ("<p>网站维护中，请稍后访问</p>", "an error page (网站维护)"),
    ("<p>您的访问过于频繁，请完成安全验证</p>", "an error page (访问过于频繁)"),
    ("<p>请输入验证码后继续</p>", "a page that asks who is there (请输入验证码)"),
    (
        "<p>您的浏览器不支持，请开启JavaScript后刷新</p>",
        "a page whose content comes by script (支持，请开启JavaScript)",
    ),
    # a list of links alone is taken for a menu and left out
    (f"<h2>政府信息公开年报</h2><ul>{''.join(LISTED)}</ul>", "not a list, a notice"),
    (
        f"<h2>政府信息公开年报</h2><table>{''.join(f'<tr><td>{n}</td><td>{line[4:-5]}</td><td>2024-01-30</td></tr>' for n, line in enumerate(LISTED))}</table>",
        "a list that names 9 reports",
    ),
    ("<p>食堂本周供应米饭、面条和时令蔬菜，欢迎品尝。</p>", "no title such as"),
    ("<p>其中申请信息不存在2件，均已答复。</p>", "no title such as"),
    # a news item about a report's figures says nothing of errors
    ("<p>云岭县召开会议，部署网站建设和信息发布工作，要求各单位抓好落实。</p>", "no title such as"),
]


@pytest.mark.parametrize(("body", "says"), PAGES, ids=[says[:40] for _, says in PAGES])
def test_the_reason_names_what_it_is(tmp_path: Path, body: str, says: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(f"<html><body>{body}</body></html>", encoding="utf-8")
    with pytest.raises(NotAReport) as raised:
        require_report(read_document(path))
    assert says in str(raised.value)
    assert str(raised.value).startswith("page.html: ")


def test_a_report_that_speaks_of_errors_is_a_report(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text(
        "云岭县人民政府2018年政府信息公开工作年度报告\n一、概述\n全年主动公开政府信息12条，未收到公开申请。\n"
        "二、存在的问题\n部分链接不存在，页面找不到的情况时有发生，网站维护不够及时。\n",
        encoding="utf-8",
    )
    require_report(read_document(path))
