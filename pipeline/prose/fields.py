"""The fields that prose can state: a short Chinese label for each, and fitting measure words.

The labels are the closed set from which a model chooses; the measure words say
which labels a printed figure can carry at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

OTHER = "无关"

_ITEMS = (
    "条",
    "条次",
    "件",
    "件次",
    "份",
    "篇",
    "篇次",
    "期",
    "次",
    "则",
    "项",
    "个",
    "部",
    "批",
    "版",
    "幅",
    "段",
    "张",
    None,
)
_COUNTED_ITEMS = ("条", "条次", "件", "件次", "份", "篇", "篇次", "则", "项", "个", "部", "批", None)
_CASES = (
    "件",
    "件次",
    "起",
    "宗",
    "例",
    "份",
    "条",
    "次",
    "人次",
    "项",
    "个",
    "封",
    "批",
    "条次",
    "人",
    None,
)
_EVENTS = (
    "次",
    "批",
    "班",
    "场",
    "期",
    "场次",
    "个",
    "期次",
    "件",
    "条",
    "篇",
    "起",
    "例",
    "则",
    "宗",
    "条次",
    "件次",
    None,
)
_PEOPLE = ("人", "名", "位", None)
_PLACES = ("个", "处", "家", None)
_MONEY = ("元", "万元", None)


@dataclass(frozen=True, slots=True)
class ProseField:
    """A field that prose can state; `units` are measure words it can be counted in."""

    path: str
    label: str
    units: tuple[str | None, ...]


_OUTCOME_LABELS = {
    "total": "",
    "upheld": "维持",
    "corrected": "纠正",
    "other": "其他结果",
    "pending": "未审结",
}
_BLOCKS = {
    "review": "行政复议",
    "litigation": "行政诉讼",
    "litigation_direct": "直接起诉",
    "litigation_after_review": "复议后起诉",
}
_ROWS = {
    "new_received": "收到申请",
    "carried_in": "上年结转",
    "granted": "予以公开",
    "partially_granted": "部分公开",
    "denied_state_secret": "不公开-国家秘密",
    "denied_law_prohibits": "不公开-法律禁止",
    "denied_security_stability": "不公开-三安全一稳定",
    "denied_third_party": "不公开-第三方权益",
    "denied_internal_affairs": "不公开-内部事务",
    "denied_deliberative": "不公开-过程性信息",
    "denied_enforcement_file": "不公开-执法案卷",
    "denied_administrative_query": "不公开-行政查询",
    "unavailable_not_held": "不掌握或不存在",
    "unavailable_must_be_created": "需另行制作",
    "unavailable_unclear": "申请内容不明确",
    "unprocessed_petition": "不处理-信访举报",
    "unprocessed_repeat": "不处理-重复申请",
    "unprocessed_publication": "不处理-公开出版物",
    "unprocessed_mass": "不处理-大量反复",
    "unprocessed_confirmation": "不处理-重新出具",
    "other_outcome": "其他处理",
    "other_not_corrected": "其他处理-逾期不补正",
    "other_fee_unpaid": "其他处理-逾期不缴费",
    "other_misc": "其他处理-其他",
    "concluded": "办结申请",
    "carried_out": "结转下年",
    "answered": "答复申请",
}
_APPLICANTS = {
    "natural_person": "自然人申请",
    "company": "企业申请",
    "research": "科研机构申请",
    "nonprofit": "公益组织申请",
    "legal_service": "法律机构申请",
    "other_organisation": "其他组织申请",
}
_SIMPLE: tuple[tuple[str, str, tuple[str | None, ...]], ...] = (
    ("proactive.total", "公开总数", _COUNTED_ITEMS),
    ("proactive.cumulative_total", "历年累计", _COUNTED_ITEMS),
    ("proactive.channel.website", "政府网站", _ITEMS),
    ("proactive.channel.disclosure_platform", "信息公开平台", _ITEMS),
    ("proactive.channel.service_portal", "政务服务网", _ITEMS),
    ("proactive.channel.weibo", "微博", _ITEMS),
    ("proactive.channel.wechat", "微信", _ITEMS),
    ("proactive.channel.other_new_media", "其他新媒体", _ITEMS),
    ("proactive.channel.gazette", "政府公报", _ITEMS),
    ("proactive.channel.newspaper", "报刊", _ITEMS),
    ("proactive.channel.broadcast", "广播电视", _ITEMS),
    ("proactive.channel.notice_board", "公告栏", _ITEMS),
    ("proactive.channel.several", "多个渠道", _ITEMS),
    ("proactive.channel.other", "其他渠道", _ITEMS),
    ("proactive.category", "分类信息", _COUNTED_ITEMS),
    ("proactive.regulations.issued", "规章制发", _ITEMS),
    ("proactive.regulations.disclosed", "规章公开", _ITEMS),
    ("proactive.regulations.repealed", "规章废止", _ITEMS),
    ("proactive.regulations.in_force", "规章有效", _ITEMS),
    ("proactive.normative_documents.issued", "规范性文件制发", _ITEMS),
    ("proactive.normative_documents.disclosed", "规范性文件公开", _ITEMS),
    ("proactive.normative_documents.repealed", "规范性文件废止", _ITEMS),
    ("proactive.normative_documents.in_force", "规范性文件有效", _ITEMS),
    ("proactive.licensing.decisions", "行政许可决定", _CASES),
    ("proactive.penalties.decisions", "行政处罚决定", _CASES),
    ("proactive.coercion.decisions", "行政强制决定", _CASES),
    ("proactive.administrative_fees.amount_wan_yuan", "行政事业性收费", _MONEY),
    ("proactive.procurement.items", "集中采购项目", _CASES),
    ("proactive.procurement.amount_yuan", "采购金额", _MONEY),
    ("engagement.interpretations", "政策解读", _ITEMS),
    ("engagement.press_conferences", "新闻发布会", _EVENTS),
    ("engagement.interviews", "在线访谈", _EVENTS),
    ("engagement.concern_responses", "回应关切", _EVENTS),
    ("requests.by_channel.in_person", "当面申请", _CASES),
    ("requests.by_channel.fax", "传真申请", _CASES),
    ("requests.by_channel.online", "网上申请", _CASES),
    ("requests.by_channel.mail", "信函申请", _CASES),
    ("requests.by_channel.other", "其他方式申请", _CASES),
    ("fees.charged_yuan", "收取费用", _MONEY),
    ("fees.waived_yuan", "减免费用", _MONEY),
    ("fees.processing_fee_yuan", "信息处理费", _MONEY),
    ("complaints.total", "举报投诉", _CASES),
    ("capacity.staff_full_time", "专职人员", _PEOPLE),
    ("capacity.staff_part_time", "兼职人员", _PEOPLE),
    ("capacity.offices", "专门机构", _PLACES),
    ("capacity.reading_points", "查阅点", _PLACES),
    ("capacity.budget_wan_yuan", "专项经费", _MONEY),
    ("capacity.meetings", "工作会议", _EVENTS),
    ("capacity.trainings", "培训", _EVENTS),
    ("capacity.trainees", "培训人次", ("人次", "人", "名", "人员", None)),
)


@cache
def prose_fields() -> dict[str, ProseField]:
    """Every field that prose can state, by path."""
    fields = [ProseField(*row) for row in _SIMPLE]
    fields += [ProseField(f"requests.{row}.total", label, _CASES) for row, label in _ROWS.items()]
    fields += [
        ProseField(f"requests.new_received.{key}", label, _CASES) for key, label in _APPLICANTS.items()
    ]
    for block, name in _BLOCKS.items():
        for outcome, label in _OUTCOME_LABELS.items():
            fields.append(ProseField(f"remedies.{block}.{outcome}", f"{name}{label}", _CASES))
    return {field.path: field for field in fields}


@cache
def path_of_label() -> dict[str, str]:
    """Path by the label that a model answers with."""
    return {field.label: field.path for field in prose_fields().values()}
