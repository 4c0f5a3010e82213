"""Fields made more exact, or refused, by what stands beside their cue."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel

_CHANNEL = "proactive.channel."
_OTHER_COMPLAINTS = re.compile(
    r"1[0-9]{4}|(?:消费|服务态度|水质|水费|价格|市政|城管|城市管理|环保|物业|行政|干部)[^，。；]{0,8}(?:举报|投诉|意见)|(?:举报|投诉)案件"
)
PRINTED_IN = re.compile(
    r"(?:刊登|刊载|登载|刊发|收录|登出)(?:[\u4e00-\u9fff]{0,10}(?:文件|信息|公文))?(?:共)?$"
)
ANSWERED = re.compile(r"^[，、]?(?:已|均|共)?(?:回复|回应|答复|办复)(?:了)?$")
LETTERS = re.compile(r"留言|信箱|来信|网民|提问")
_BROADCAST_ONLY = re.compile(r"^[^，。；微网报]*$")
_ACCOUNTS = tuple(f"{_CHANNEL}{name}" for name in ("website", "weibo", "wechat", "other_new_media"))
_NEW_MEDIA_ONLY = re.compile(
    r"^(?!.*(?:微博|微信|公众号|网站|报|电视|广播|栏|屏)).*(?:头条|抖音|快手|视频号)"
)
_SITES_ONLY = re.compile(r"^(?!.*(?:微|报|电视|广播|公众|头条|媒体|抖音|客户端|栏|屏)).*网站.*网站")
_KINDS_OF_LAWSUIT = re.compile(r"remedies\.(litigation_direct|litigation_after_review)\.")


def narrowed(path: str | None, clause: str, earlier: Sequence[RuleLabel]) -> str | None:
    """A field made more exact by what stands around it.

    Television and radio together are one channel; an outcome right behind lawsuits of
    one kind is of that kind.
    """
    if path == f"{_CHANNEL}several" and _NEW_MEDIA_ONLY.match(clause):
        return f"{_CHANNEL}other_new_media"
    if path == f"{_CHANNEL}several" and _SITES_ONLY.match(clause):
        return f"{_CHANNEL}website"
    if path == f"{_CHANNEL}several" and re.search("电视|广播|电台", clause) and _BROADCAST_ONLY.match(clause):
        return f"{_CHANNEL}broadcast"
    if path == "complaints.total" and _OTHER_COMPLAINTS.search(clause):
        return None
    if path == "requests.new_received.total" and clause.strip("，、 ") == "依申请公开" and earlier:
        return None if earlier[-1].path == "proactive.total" else path
    kind = _KINDS_OF_LAWSUIT.match(earlier[-1].path or "") if earlier else None
    if kind is not None and path is not None and re.match(r"remedies\.litigation\.(?!total)", path):
        return path.replace("litigation", kind[1], 1)
    return path


def counts_issues(mention: Mention, path: str | None, clause: str) -> bool:
    """Issues of a gazette or paper (6 期) are no items published in it, accounts (95 个) no posts."""
    if path in _ACCOUNTS and mention.unit in ("个", "家") and not re.search("视频|作品|图文|图解", clause):
        return True
    return mention.unit in ("期", "版", "册") and path in (f"{_CHANNEL}gazette", f"{_CHANNEL}newspaper")
