"""Lists of figures in prose: closed, open, overlapping, approximate."""

from __future__ import annotations

import pytest
from checks_material import Paper

from pipeline.checks.bounds import Interval
from pipeline.fact import Evidence, Fact

T = "proactive.total"
WEB, WECHAT, WEIBO = (f"proactive.channel.{name}" for name in ("website", "wechat", "weibo"))
PORTAL, SEVERAL = "proactive.channel.service_portal", "proactive.channel.several"
SUBJECT = "proactive.category"
RECEIVED = "requests.new_received.total"
ONLINE, MAIL = "requests.by_channel.online", "requests.by_channel.mail"
ANSWERED, GRANTED, PARTIAL = (
    "requests.answered.total",
    "requests.granted.total",
    "requests.partially_granted.total",
)

HOLDS: list[str] = []
LIST, BOUNDS = ["narrative.closed_list"], ["narrative.bounds"]

CASES = [
    # a closed list makes its whole
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[200条|{WECHAT}]。", HOLDS),
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[150条|{WECHAT}]。", LIST),
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[250条|{WECHAT}]。", LIST),
    (f"共公开[500条|{T}]，包括政策类[310条|{SUBJECT}]、动态类[180条|{SUBJECT}]。", LIST),
    (f"公开[500条|{T}]（其中网站[300条|{WEB}]，微信[100条|{WECHAT}]）。", LIST),
    (f"收到申请[12件|{RECEIVED}]，其中网上[8件|{ONLINE}]，信函[3件|{MAIL}]。", LIST),
    (f"收到申请[12件|{RECEIVED}]，其中网上[8件|{ONLINE}]，信函[4件|{MAIL}]，答复[9件|{ANSWERED}]。", HOLDS),
    (f"答复[12件|{ANSWERED}]，其中予以公开[7件|{GRANTED}]，部分公开[4件|{PARTIAL}]。", LIST),
    (f"收到[5件|{RECEIVED}]，其中网上[5件|{ONLINE}]，信函[没有|{MAIL}|zero]。", HOLDS),
    (
        "复议[5件|remedies.review.total]，其中维持[2件|remedies.review.upheld]，"
        "纠正[1件|remedies.review.corrected]。",
        LIST,
    ),
    # where the list ends
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[200条|{WECHAT}]；微博发布[80条|{WEIBO}]。", HOLDS),
    (f"共公开[500条|{T}]，其中：网站[300条|{WEB}]；微信[200条|{WECHAT}]。", HOLDS),
    (f"共公开[500条|{T}]，其中：网站[300条|{WEB}]；微信[100条|{WECHAT}]。", LIST),
    (f"共公开[500条|{T}]，其中：网站[250条|{WEB}]，微信[150条|{WECHAT}]；微博[100条|{WEIBO}]。", HOLDS),
    (f"共公开[500条|{T}]，其中：网站[300条|{WEB}]，微信[200条|{WECHAT}]；微博另发[90条|{WEIBO}]。", HOLDS),
    (f"共公开[500条|{T}]，其中：网站[300条|{WEB}]，微信[190条|{WECHAT}]；微博[90条|{WEIBO}]。", LIST),
    (f"共公开[500条|{T}]。其中网站[300条|{WEB}]，微信[100条|{WECHAT}]。", LIST),
    (f"共公开[500条|{T}]。其中，网站[300条|{WEB}]，微信[200条|{WECHAT}]。微博[80条|{WEIBO}]。", HOLDS),
    (f"共公开[500条|{T}]。网站[300条|{WEB}]，微信[100条|{WECHAT}]。", HOLDS),
    (f"共公开[500条|{T}]。\n其中网站[300条|{WEB}]，微信[100条|{WECHAT}]。", HOLDS),
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[150条|{WECHAT}]；比上年增加20条。", LIST),
    # an open list stays below its whole
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[150条|{WECHAT}]等。", HOLDS),
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[250条|{WECHAT}]等。", LIST),
    (f"共公开[500条|{T}]，其中主要是网站[300条|{WEB}]，微信[150条|{WECHAT}]。", HOLDS),
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[150条|{WECHAT}]，其余为公告栏。", HOLDS),
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]。", HOLDS),
    (f"共公开[500条|{T}]，其中网站[600条|{WEB}]。", LIST),
    (f"收到[12件|{RECEIVED}]，其中网上[7件|{ONLINE}]，其中企业[3件|requests.new_received.company]。", HOLDS),
    # a figure that was not read may be a missing part; another measure is not added
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[150条|{WECHAT}]，橱窗50条。", HOLDS),
    (f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[90篇|{WECHAT}]。", HOLDS),
    # two divisions of one whole
    (
        f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[200条|{WECHAT}]，"
        f"其中政策类[100条|{SUBJECT}]，动态类[400条|{SUBJECT}]。",
        HOLDS,
    ),
    (
        f"共公开[500条|{T}]，其中政策类[22条|{SUBJECT}]（其中省级[16条|{SUBJECT}]，"
        f"县级[6条|{SUBJECT}]），动态类[478条|{SUBJECT}]。",
        HOLDS,
    ),
    (
        f"共公开[500条|{T}]，其中政策类[22条|{SUBJECT}]（其中省级[16条|{SUBJECT}]，"
        f"县级[9条|{SUBJECT}]），动态类[478条|{SUBJECT}]。",
        LIST,
    ),
    (
        f"共公开[500条|{T}]，其中政策类[22条|{SUBJECT}]，其中省级[16条|{SUBJECT}]，动态类[478条|{SUBJECT}]。",
        HOLDS,
    ),
    (f"新媒体发布[90条|{SEVERAL}]，其中微博[40条|{WEIBO}]，微信[30条|{WECHAT}]。", LIST),
    # overlapping channels: 78 + 7 + 62 − 31 = 116
    (
        f"网站[78条|{WEB}]，服务网[7条|{PORTAL}]，微信[62条|{WECHAT}]，"
        f"有31条信息既在网站又在微信发布，累计共发布[116条|{T}]信息。",
        HOLDS,
    ),
    (
        f"网站[78条|{WEB}]，服务网[7条|{PORTAL}]，微信[62条|{WECHAT}]，"
        f"有31条信息既在网站又在微信发布，累计共发布[126条|{T}]信息。",
        LIST,
    ),
    (f"共公开[450条|{T}]，其中网站[300条|{WEB}]，微信[200条|{WECHAT}]，重复发布50条。", HOLDS),
    (f"共公开[450条|{T}]，其中网站[300条|{WEB}]，微信[200条|{WECHAT}]，同时在网站和微信发布五十条。", HOLDS),
    (
        f"共公开[500条|{T}]，其中网站[300条|{WEB}]，微信[200条|{WECHAT}]。同时通过微博发[60条|{WEIBO}]。",
        HOLDS,
    ),
    # a whole behind its parts
    (f"网站[300条|{WEB}]，微信[200条|{WECHAT}]，合计[510条|{T}]。", LIST),
    (f"网站[300条|{WEB}]，微信[200条|{WECHAT}]，合计[500条|{T}]。", HOLDS),
    (f"网站[300条|{WEB}]，微信[200条|{WECHAT}]，全年公开信息[900条|{T}]。", HOLDS),
    # approximate figures
    (f"共公开[100余条|{T}|at_least]，其中网站[35条|{WEB}]，微信[30余条|{WECHAT}|at_least]。", HOLDS),
    (f"共公开[100余条|{T}|at_least]，其中网站[35条|{WEB}]，微信[30条|{WECHAT}]。", BOUNDS),
    (f"共公开近[100条|{T}|at_most]，其中网站[80条|{WEB}]，微信[30条|{WECHAT}]。", BOUNDS),
    (f"共公开约[100条|{T}|about]，其中网站[80条|{WEB}]，微信[25条|{WECHAT}]。", HOLDS),
    (f"共公开[100条|{T}]，其中网站[80余条|{WEB}|at_least]，微信[30余条|{WECHAT}|at_least]。", BOUNDS),
]


@pytest.mark.parametrize(("prose", "expected"), CASES)
def test_lists(prose: str, expected: list[str]) -> None:
    assert Paper().prose(prose).breaches() == expected


def test_message_shows_the_reckoning() -> None:
    paper = Paper().prose(f"共公开[160条|{T}]，其中网站[120条|{WEB}]，微信[50条|{WECHAT}]，重复发布5条。")
    (finding,) = paper.check()
    assert finding.message == (
        "narrative.closed_list, 主动公开总数: the parts 120条 + 50条 − 5 = 165 "
        "do not make the 160条 printed for the whole"
    )
    assert (finding.severity, finding.expected, finding.printed) == ("warning", 165, 160)
    assert finding.paths == (T, WEB, WECHAT)


@pytest.mark.parametrize(
    ("raw", "value", "low", "high"),
    [
        ("2.86万条", 28_600, 28_550, 28_650),
        ("3万条", 30_000, 25_000, 35_000),
        ("1.2亿条", 120_000_000, 115_000_000, 125_000_000),
        ("28600条", 28_600, 28_600, 28_600),
    ],
)
def test_figures_in_wan_are_rounded_to_their_last_digit(
    raw: str, value: int, low: float, high: float
) -> None:
    evidence = Evidence(start=0, end=len(raw))
    fact = Fact(
        path="proactive.total", value=value, raw=raw, source="narrative", method="rule", evidence=evidence
    )
    assert Interval.of(fact) == Interval(low, high)
