"""Published items by subject: `其中政策法规类 32 条` is a category with its label."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.prose.clauses import MARKS, Clause
from pipeline.prose.cues import Topic
from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel

# Opens a part of what was said before it.
PART = re.compile(r"^[，、；]?(?:其中|含|包括|包含|内含)")
_CATEGORY_UNITS = ("条", "件", "篇", "项", "份", "条次", "则", "个", None)
_LIST_HEAD = re.compile(
    r"^(?:和|及|以及|、|其中|包括|包含|涉及|分别(?:是|为)|具体(?:为|是)|含|有|还有|另有|内容|主要|按类别分|"
    r"全年|本年度?|共|共计|并|还|也|在|了|：|\d{4}年度?|\s)+"
)
_LIST_TAIL = re.compile(r"(?:共计|共|合计|总计|计|分别|为|有|达到?|数量|数|各|公开|发布|了|\s|：)+$")
_LAST_VERB = re.compile(
    r".*(?:主动公开|公开了?|发布了?|公布了?|更新了?|推送了?|编发|上传|刊载|登载|收录|制作|张贴|播发|播出|刊发|刊登|登出|推出|贴出)(?!.*(?:公开|发布|公布))(?!工作|目录|指南|年度|条例|制度|平台|专栏)"
)
_SUBJECT = re.compile(
    r"(?:类|信息|文件|公告|公示|动态|方面|情况|数据|报告|报表|计划|规划|指南|目录|通知|结果|法规|政策|材料|总结|概况|职能|领域"
    r"|资料|解读|新闻|案例|稿件|标准|内容|公文|预决算|处罚|许可|事项|招投标|执法|提案|建议|监测|资金|补贴|审批)$"
)
_GENERAL = re.compile(
    r"^(?:我|全|本)?(?:市|县|区|镇|局|办|厅|委|乡|州|省|街道)?(?:各类|各种|各项|全部|相关|有关|本级|多种|应公开|的)*"
    r"(?:政府|政务|公开|公共|部门|动态)*(?:信息|文件|内容|资料|情况|图文|稿件|消息|节目|推文|作品|短文|短消息)*(?:公开)?(?:信息)?(?:总)?$"
)


# Ends of labels that name who publishes, or what is done, and no subject.
_NO_SUBJECT = re.compile(
    r"(?:部门|委办局|街镇|乡镇|街道|县区|单位|各镇|以下|采用|留言|回复|来信)$|微博|微信|公众号|抖音|^(?:增加|增长|由|提供|另|其余|今年|去年|按照|合计|以上|多|把|将|向|对)"
)


def category_label(clause: str) -> str:
    """The subject named in a clause of a list, without list words and verbs.

    >>> category_label("其中政府文件类")
    '政府文件类'
    """
    label = _LIST_TAIL.sub("", clause.strip())
    verb = _LAST_VERB.match(label)
    if verb is not None and verb.end() < len(label):
        label = label[verb.end() :]
    return _LIST_HEAD.sub("", label)


def category_of(mention: Mention) -> str | None:
    """The subject named in the words right before a figure, None if there are none."""
    offset = mention.span.start - mention.sentence.span.start
    own = MARKS.split(mention.sentence.marked[:offset])[-1]
    return category_label(re.split(r"[0-9０-９]+ ?(?:余|多)?[条件篇项份]", own)[-1]) or None


_SITES = tuple(f"proactive.channel.{name}" for name in ("website", "disclosure_platform", "wechat", "weibo"))
_MAKING = re.compile("制作|撰写|制发|制定|出台|印发|废止|现行有效")


def as_category(
    mention: Mention, clause: Clause, path: str | None, topic: Topic | None, earlier: Sequence[RuleLabel]
) -> RuleLabel | None:
    """A category if the clause names a subject in a list of published items."""
    if clause.distance or mention.unit not in _CATEGORY_UNITS:
        return None
    label = category_label(clause.text)
    in_list, opened = _in_category_list(earlier), opens_list(mention, clause, earlier)
    if re.search(r"[0-9]", label) or _NO_SUBJECT.search(label):
        return None
    if not label or len(label) > 24 or (_GENERAL.match(label) and not (opened and len(label) > 2)):
        return None
    if (
        path == "engagement.interpretations"
        and PART.match(clause.text)
        and all(e.path != path for e in earlier)
    ):
        return RuleLabel(mention, "proactive.category", "weak", label)
    if path in _SITES and _names_subject_behind_verb(clause.text, label):
        return RuleLabel(mention, "proactive.category", "weak", label)
    named_otherwise = path is not None and path != "proactive.total"
    if named_otherwise and not (in_list and _may_be_category(path) and not _MAKING.search(clause.text)):
        return None
    if in_list or (opened and _SUBJECT.search(label)):
        return RuleLabel(mention, "proactive.category", "strong", label)
    is_subject = _SUBJECT.search(label) is not None or (
        path is None and mention.unit in ("条", "条次") and not PART.match(clause.text)
    )
    if is_subject and (topic == "proactive" or path == "proactive.total" or label.endswith(("类", "类信息"))):
        return RuleLabel(mention, "proactive.category", "weak", label)
    return None


def _names_subject_behind_verb(clause: str, label: str) -> bool:
    """`在网站公开财政信息` names a subject, `在网站公开各类信息` and `网站信息` do not."""
    tail = _LIST_TAIL.sub("", clause.strip())
    if label in (
        "稿件",
        "文件",
        "新闻",
        "公告",
        "材料",
        "资料",
        "动态",
        "作品",
        "图文",
        "图文信息",
        "消息",
        "节目",
        "推文",
        "短消息",
    ):
        return False
    return (
        tail.endswith(label)
        and len(label) < len(tail)
        and _LAST_VERB.match(tail) is not None
        and bool(_SUBJECT.search(label))
    )


def _may_be_category(path: str | None) -> bool:
    """Fields whose names also stand as subjects in lists of published items."""
    return path is not None and path.startswith(
        (
            "proactive.n",
            "proactive.r",
            "engagement.i",
            "fees",
            "complaints",
            "capacity",
            "remedies",
            "proactive.channel.web",
            "proactive.penalties",
            "proactive.licensing",
            "proactive.coercion",
            "proactive.procurement",
        )
    )


def opens_list(mention: Mention, clause: Clause, earlier: Sequence[RuleLabel]) -> bool:
    """Whether the clause goes on with, or opens behind a total, a list of published items."""
    if _in_category_list(earlier):
        return True
    if mention.unit not in ("条", "条次", "篇", "则"):
        return False
    own_start = mention.span.start - mention.sentence.span.start - len(clause.text)
    if re.search(r"(?:其中|包括)[：:，,]\s*$", mention.sentence.text[: max(own_start, 0)]):
        return True
    last = earlier[-1].path or "" if earlier else ""
    return bool(PART.match(clause.text)) and last.startswith(("proactive.total", "proactive.channel"))


def _in_category_list(earlier: Sequence[RuleLabel]) -> bool:
    """Whether the figure before it in the sentence was a category."""
    figures = [label for label in earlier if label.mention.kind == "figure"]
    return bool(figures) and figures[-1].path == "proactive.category"
