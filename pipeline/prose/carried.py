"""What a figure takes over from those before it: sums, remainders, lists in step, documents spoken of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.prose.categories import PART
from pipeline.prose.clauses import Clause
from pipeline.prose.cue_choice import fits
from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel

_CHANNEL = "proactive.channel."
_RESPECTIVELY = re.compile(
    r"(?P<items>[^，。；：]+(?:[、和及与][^，。；：]+)+?)(?:[两二三四五六七八九]+[种类项个][\u4e00-\u9fff]{0,4})?(?:，)?(?:分别|依次)"
    r"[\u4e00-\u9fff]{0,4}[0-9]"
)


def in_step(
    clauses: list[Clause], before: str, mention: Mention, earlier: Sequence[RuleLabel]
) -> list[Clause]:
    """`网络、信函分别收到 62 件、40 件`: the n-th figure belongs to the n-th thing named."""
    text = mention.sentence.marked
    if "分别" not in text and "依次" not in text:
        return clauses  # the pattern is slow where neither word stands
    match = next((m for m in _RESPECTIVELY.finditer(text) if m.end() - 1 <= len(before)), None)
    if match is None:
        return clauses
    first = match.end() - 1
    offset = mention.sentence.span.start
    number = sum(first <= label.mention.span.start - offset for label in earlier)
    items = re.split(r"[、和及与]", match["items"])
    if number >= len(items) or re.search(r"[，；。]", text[first : len(before)]):
        return clauses
    return [Clause(items[number], 0), *clauses[1:]]


_SUM = re.compile(
    r"^(?:以上|上述|两者|三者|两项|三项|各项|总共|累计|一共)*(?:合计|共计|总计|共|总共)(?:为|达|有)?$"
)


def label_sum(mention: Mention, own: str, earlier: Sequence[RuleLabel]) -> RuleLabel | None:
    """`合计 N` behind figures of the sentence: their common field, or the field of their whole."""
    paths = {label.path for label in earlier if label.path is not None}
    if not _SUM.match(own.strip()) or not paths:
        return None
    if len(paths) == 1:
        path = paths.pop()
        return RuleLabel(mention, path, "strong") if fits(path, mention) else None
    if all(path.startswith(_CHANNEL) for path in paths):
        has_site = bool(paths & {f"{_CHANNEL}website", f"{_CHANNEL}disclosure_platform"})
        return RuleLabel(mention, "proactive.total" if has_site else f"{_CHANNEL}several", "weak")
    if all(path.startswith(("requests.by_channel", "requests.new_received.")) for path in paths):
        return RuleLabel(mention, "requests.new_received.total", "weak")
    return RuleLabel(mention, None, "weak")


# What is said of documents right behind those that were issued: `制发 9 件，公开 8 件，废止 2 件`.
_SAID_OF_DOCUMENTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "disclosed",
        re.compile(
            r"^(?:其中)?(?:在网站)?(?:面?向社会)?(?:已|均|全部|对外|主动|网上)*(?:公开|发布|公布)(?:了|的)?(?:却)?有?$"
        ),
    ),
    (
        "repealed",
        re.compile(r"^(?:其中|并|宣布|全年|清理|集中清理)?(?:废止|失效|宣布失效|废止或失效)(?:了|的)?$"),
    ),
    (
        "in_force",
        re.compile(
            r"^(?:其中|年末|年底|目前|至年底|截至年底)?(?:现行|继续)?有效(?:的)?$|^(?:截至|至|到)[^，。；]{0,8}(?:末|底)(?:现行|继续)?有效(?:的)?$"
        ),
    ),
)


def said_of_documents(clause: Clause, earlier: Sequence[RuleLabel]) -> str | None:
    """The field of `公开 N 件` right behind documents that were issued."""
    if clause.distance or not earlier:
        return None
    last = next((label.path for label in reversed(earlier) if label.path is not None), "")
    match = re.match(r"(proactive\.(?:normative_documents|regulations))\.", last)
    if match is None:
        return None
    said = clause.text.strip(" ，、和及（）")
    return next(
        (f"{match[1]}.{column}" for column, pattern in _SAID_OF_DOCUMENTS if pattern.match(said)), None
    )


_ACTS = {"许可": "licensing", "处罚": "penalties", "强制": "coercion"}


def decision_carried_on(clause: Clause, earlier: Sequence[RuleLabel]) -> str | None:
    """`行政处罚决定 212 件，行政强制 19 件`: the second act is counted in decisions too."""
    match = re.match(r"^[，、；]?行政(许可|处罚|强制)(?:决定|措施)?$", clause.text.strip())
    if match is None or not earlier or not (earlier[-1].path or "").endswith(".decisions"):
        return None
    return f"proactive.{_ACTS[match[1]]}.decisions"


_OTHERS = re.compile(r"^(?:其他|其它|其余)(?:申请人?|方式|形式|渠道|组织)?$")


def label_others(mention: Mention, clause: Clause, earlier: Sequence[RuleLabel]) -> RuleLabel | None:
    """`其他 N 件` at the end of a list: the remainder of what the list divides."""
    if clause.distance or not earlier or not _OTHERS.match(clause.text.strip("，、；和及 ")):
        return None
    before = earlier[-1].path or ""
    for prefix, path in (
        ("requests.by_channel.", "requests.by_channel.other"),
        ("requests.new_received.", "requests.new_received.other_organisation"),
        (_CHANNEL, "proactive.channel.other"),
    ):
        if before.startswith(prefix) and before != "requests.new_received.total":
            return RuleLabel(mention, path, "strong")
    return RuleLabel(mention, None, "strong") if before == "proactive.category" else None


def is_part_of(clause: Clause, path: str | None, earlier: Sequence[RuleLabel]) -> bool:
    """`解读 12 篇，其中图解 4 篇`: a part of the figure before it, no value of the field."""
    if path is None or path == "proactive.total" or clause.distance or not PART.match(clause.text):
        return False
    return bool(earlier) and earlier[-1].path == path
