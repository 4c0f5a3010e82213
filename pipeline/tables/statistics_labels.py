"""Row labels of the statistics table: which row, or which rows, a printed label can be.

Some labels stand in several places (被依法纠错数 under reviews and under lawsuits): a
label gives all the rows that it can be, and the section that it stands under decides.
A label that only resembles a known one is not taken for it: rows that places add are
worded much like those of the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from pipeline.statistics import local_rows, statistics_rows
from pipeline.tables.labels import LabelSet, MatchKind, likeness, read_label

DROPPED_THRESHOLD = 0.9  # likeness from which on a label may have lost characters in the middle
SHORTEST_CUT = 4  # characters of a label that was cut off
STRONG_LENGTH = 5  # characters from which on a label says that this is the statistics table

# Headings without a figure → the row or section whose parts stand below them.
_HEADINGS: Mapping[str, str] = {
    "行政复议情况": "行政复议数量",
    "行政诉讼情况": "行政诉讼数量",
    "申请情况": "收到申请数",
    "申请答复情况": "申请答复数",
    "举报投诉情况": "举报投诉数量",
    "收费情况": "依申请公开信息收取的费用",
    "咨询情况": "咨询情况",
}
# Wordings beside the form's own label, by key of the row or label of the section.
_WORDINGS: Mapping[str, tuple[str, ...]] = {
    "主动公开情况": ("主动公开政府信息情况", "主动公开"),
    "回应解读情况": ("回应解读", "解读回应情况"),
    "依申请公开情况": ("依申请公开政府信息情况", "依申请公开"),
    "机构建设和保障经费情况": ("机构建设和保障经费",),
    "政府信息公开会议和培训情况": ("会议和培训情况",),
    "disclosed_total": (
        "主动公开信息数",
        "主动公开文件数",
        "新增主动公开政府信息数",
        "主动公开的政府信息数",
    ),
    "disclosed_cumulative": ("累计主动公开信息数", "历年累计主动公开政府信息数"),
    "disclosed_full_text": ("全文电子化的主动公开文件数", "全文电子化数", "全文电子化的主动公开政府信息数"),
    "normative_documents_disclosed": ("主动公开的规范性文件数", "公开规范性文件数"),
    "normative_documents_issued": ("制发规范性文件数", "制定规范性文件数"),
    "normative_documents_new": ("新增行政规范性文件数", "新增规范性文件数"),
    "disclosed_gazette": ("政府公报公开信息数", "政府公报公开数", "通过政府公报公开政府信息数", "政府公报"),
    "disclosed_website": (
        "政府网站公开信息数",
        "政府网站公开数",
        "通过政府网站公开政府信息数",
        "网站公开政府信息数",
        "网站公开信息数",
        "政府网站",
    ),
    "disclosed_weibo": ("政务微博公开信息数", "政务微博公开数", "通过政务微博公开政府信息数", "政务微博"),
    "disclosed_wechat": ("政务微信公开信息数", "政务微信公开数", "通过政务微信公开政府信息数", "政务微信"),
    "disclosed_other": (
        "其他",
        "其他方式公开信息数",
        "其他方式公开数",
        "通过其他方式公开政府信息数",
        "其他方式",
    ),
    "disclosed_newspaper": ("报刊公开信息数", "通过报刊公开政府信息数"),
    "disclosed_broadcast": ("广播电视公开信息数", "通过广播电视公开政府信息数"),
    "disclosed_notice_board": ("公告栏公开信息数", "通过公告栏公开政府信息数"),
    "responses_total": ("回应公众关注热点或重大舆情次数", "回应公众关注热点和重大舆情数"),
    "press_conferences": (
        "参加或举办新闻发布会次数",
        "参加新闻发布会次数",
        "举办新闻发布会次数",
        "召开新闻发布会次数",
        "新闻发布会总次数",
    ),
    "press_conferences_leader": (
        "主要负责同志参加新闻发布会数",
        "主要负责同志参加次数",
        "主要负责同志参加",
        "主要负责同志",
    ),
    "interviews": ("政府网站在线访谈总次数", "在线访谈次数"),
    "interviews_leader": (
        "主要负责同志参加在线访谈次数",
        "主要负责同志参加次数",
        "主要负责同志参加",
        "主要负责同志",
    ),
    "interpretations": ("政策解读稿件发布篇数", "发布政策解读稿件数", "政策解读稿件数"),
    "weibo_wechat_responses": ("政务微博微信回应事件数", "微博、微信回应事件数"),
    "other_responses": ("其他", "其他方式回应数", "其他方式"),
    "received_total": (
        "收到政府信息公开申请数",
        "收到申请总数",
        "受理申请总数",
        "受理申请数",
        "申请总数",
        "信息公开申请数",
    ),
    "received_online": ("互联网申请数", "网上填表及电子邮件申请数"),
    "received_web": ("网上申请数", "网上填表申请数", "网站申请数"),
    "received_email": ("邮件申请数", "电子邮箱申请数"),
    "received_mail": ("信件申请数", "邮寄申请数"),
    "received_other": ("其他", "其他方式申请数", "其他申请数", "其他方式"),
    "concluded_total": ("办结申请数",),
    "concluded_on_time": ("按期办结数",),
    "answered_total": ("对申请的答复总数", "对申请的答复数", "答复总数"),
    "answered_already_public": ("属于主动公开范围数", "已主动公开数", "已主动公开答复数"),
    "answered_granted": ("同意公开数", "予以公开数"),
    "answered_partially_granted": ("同意部分公开数",),
    "answered_denied": ("不同意公开数", "不予公开数", "不予公开答复数", "否决公开答复数", "否决公开数"),
    "denied_state_secret": ("属于国家秘密",),
    "denied_trade_secret": ("属于商业秘密",),
    "denied_privacy": ("属于个人隐私",),
    "denied_not_government_information": (
        "非《条例》所指政府信息",
        "非《规定》所指政府信息",
        "不属于《条例》所指政府信息",
    ),
    "denied_other_law": ("法律、法规规定的其他情形",),
    "denied_nonexistent": ("申请信息不存在数",),
    "denied_not_held": ("非本机关掌握数",),
    "denied_unclear": ("申请不明确数",),
    "denied_other": ("其它原因", "其他", "其他情形"),
    "answered_not_this_body": ("不属于本机关公开数", "不属于本行政机关公开范围数"),
    "answered_not_held": ("非本部门掌握数",),
    "answered_nonexistent": ("信息不存在数",),
    "answered_unclear": ("申请不明确数",),
    "answered_correction_requested": ("告知做出更改补充数",),
    "answered_other": ("其他情况", "其他", "其他情形"),
    "review_total": ("行政复议案件数", "行政复议件数", "行政复议案件数量"),
    "litigation_total": ("行政诉讼案件数", "行政诉讼件数", "行政诉讼案件数量"),
    "review_upheld": ("维持数", "维持行政行为数"),
    "review_other": ("其他",),
    "litigation_upheld": ("维持具体行政行为数", "维持具体行政行为或驳回原告诉讼请求数", "维持数"),
    "litigation_other": ("其他",),
    "complaints_total": ("举报投诉数", "投诉举报数量"),
    "fees_wan_yuan": ("依申请公开收取的费用", "收取费用总数", "收取费用", "依申请公开政府信息收取的费用"),
    "fees_mailing_yuan": ("邮寄费用",),
    "fees_copying_yuan": ("复制费用",),
    "offices": ("政府信息公开专门机构数", "设立专门机构数"),
    "reading_points": ("设立政府信息公开查阅点数", "设置查阅点数", "政府信息查阅点数"),
    "staff_total": ("政府信息公开工作人员数", "政府信息公开指定专职人员总数"),
    "staff_full_time": ("全职人员数",),
    "staff_civil_servants": ("公务人员数",),
    "budget_wan_yuan": ("处理政府信息公开的专项经费",),
    "spending_wan_yuan": ("处理政府信息公开的实际支出", "实际支出"),
    "dispute_costs_wan_yuan": ("与诉讼有关的总费用", "与行政复议、行政诉讼有关的总费用"),
    "meetings": ("召开政府信息公开工作会议数", "召开工作会议或专题会议数", "召开会议数"),
    "trainings": ("举办培训班数", "举办培训班次数", "培训次数", "培训班次数", "举办培训次数"),
    "trainees": ("接受培训人数", "培训人数", "培训人次", "接受培训人次", "接受培训人次数"),
    "consultations_total": ("咨询总数", "接待咨询人数"),
    "consultations_in_person": ("现场咨询数",),
    "consultations_phone": ("电话咨询数",),
    "website_visits": ("网站专栏访问量", "政府信息公开专栏访问量", "专栏页面访问量"),
}

_LEADER = "主要负责同志"
_WITHIN = re.compile(r"^其中[:：,，、]?")
_CIRCLED = re.compile(r"^[①-⑳⑴-⒇]")
_LEAD = re.compile(
    r"^(?:(?:本|全|当)年度?|年度内?)?(?:(?:因|就|有关|针对|涉及)?政府信息公开(?:类|的)?(?:被)?(?:申请|提起)?)?"
)
# 次数 and 人数 stay: 培训次数 and 培训人数 are two rows.
_TAIL = re.compile(r"总?(?:数量?|件数|条数|篇数|个数)(?<!人数)(?<!次数)$")


@dataclass(frozen=True, slots=True)
class RowLabel:
    """A printed label taken apart.

    `style` is the form of its enumerator (`一、` `(一)` `1.` `(1)` `①`, "" for none),
    `is_within` whether 其中 stands before it, `text` what is compared.
    """

    text: str
    style: str
    is_within: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A row of the table, or a section (`key` None): what stands below it names its `label`."""

    name: str
    key: str | None
    label: str
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowMatch:
    """The nodes that a label can be. `kind` and `confidence` as in LabelSet."""

    nodes: tuple[Node, ...]
    kind: MatchKind
    confidence: float


@cache
def _nodes() -> Mapping[str, Node]:
    """Rows by key, sections by their label, headings by what they are printed as."""
    rows = (*statistics_rows(), *local_rows())
    named = [Node(row.key or row.label, row.key, row.label, row.above) for row in rows]
    headings = [Node(printed, None, label) for printed, label in _HEADINGS.items()]
    return {node.name: node for node in (*named, *headings)}


@cache
def _known() -> Mapping[str, tuple[str, ...]]:
    """Compared text → the names of the nodes that it can be."""
    found: dict[str, list[str]] = {}
    for name, node in _nodes().items():
        own = name if node.name in _HEADINGS else node.label
        for wording in (own, *_WORDINGS.get(name, ())):
            names = found.setdefault(row_label(wording).text, [])
            names += [] if name in names else [name]
    return {text: tuple(names) for text, names in found.items()}


@cache
def _labels() -> LabelSet:
    wordings: dict[str, list[str]] = {}
    for text, names in _known().items():
        wordings.setdefault(_key(names), []).append(text)
    return LabelSet(wordings)


@lru_cache(maxsize=4096)
def row_label(printed: str) -> RowLabel:
    """Take a printed label apart; white space, brackets and words that tell no rows apart are left out."""
    text = "".join(printed.split())
    bare = _WITHIN.sub("", text)
    label = read_label(bare)
    style = "①" if _CIRCLED.match(bare) else _style(label.enumerator)
    core = label.core or label.text
    shortened = _TAIL.sub("", _LEAD.sub("", core))
    return RowLabel(shortened if len(shortened) > 1 else core, style, bare != text)


def _style(enumerator: str) -> str:
    """The form of an enumerator without its number: (三) → (一), 12. → 1."""
    return re.sub(r"[一二三四五六七八九十]+", "一", re.sub(r"\d+", "1", enumerator))


@lru_cache(maxsize=4096)
def match_row(printed: str) -> RowMatch | None:
    """The rows that a printed label can be, None for a label that none has."""
    text = row_label(printed).text
    if not text:
        return None
    if text in _known():
        return _match(_known()[text], "exact", 1.0)
    has_end = read_label(printed).core.endswith(("数", "数量"))
    damaged = {_key(names) for known, names in _known().items() if _is_damaged(text, known, has_end=has_end)}
    found = _labels().match(text, damaged) if damaged else None
    return None if found is None else _match(found.key.split(" "), found.kind, found.confidence)


def _key(names: Iterable[str]) -> str:
    return " ".join(names)


def _match(names: Iterable[str], kind: MatchKind, confidence: float) -> RowMatch:
    return RowMatch(tuple(_nodes()[name] for name in names), kind, confidence)


def _is_damaged(text: str, known: str, *, has_end: bool) -> bool:
    """Whether `text` is `known` cut off at an end, or with characters lost in the middle; never with more.

    `has_end` tells that its last word is printed: nothing was cut off behind it.
    """
    if len(text) >= len(known):
        return False
    if known.startswith(text):
        return len(text) >= SHORTEST_CUT and not has_end
    if known.endswith(text):
        # 参加新闻发布会次数 is no remnant of 主要负责同志参加新闻发布会次数.
        return len(text) >= SHORTEST_CUT and not known.startswith(_LEADER)
    rest = iter(known)
    return all(char in rest for char in text) and likeness(text, known) >= DROPPED_THRESHOLD


@lru_cache(maxsize=4096)
def is_strong(printed: str) -> bool:
    """Whether a label alone speaks for the statistics table: printed in full and long, or with its 数."""
    text, core = row_label(printed).text, read_label(printed).core
    if all(_nodes()[name].key is None for name in _known().get(text, ())):
        return False
    return len(text) >= STRONG_LENGTH or (len(core) > 3 and core.endswith(("数", "数量")))
