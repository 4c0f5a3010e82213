"""What wording settles: mentions labelled by cue words alone (`--strategy rules`).

Each figure gets the field that the nearest clause before it names, or the noun
behind it. `strength` tells how plainly: `strong` where the figure's own clause
says it, `weak` where it was carried from an earlier clause, so that a model may
be asked about the weak ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.prose import cues
from pipeline.prose.carried import (
    decision_carried_on,
    in_step,
    is_part_of,
    label_others,
    label_sum,
    said_of_documents,
)
from pipeline.prose.categories import as_category, opens_list
from pipeline.prose.clauses import Clause, clauses_before, topic_of
from pipeline.prose.cue_choice import best_cue, label_by_noun_behind
from pipeline.prose.cues import Topic
from pipeline.prose.denials import label_denial
from pipeline.prose.mentions import Mention
from pipeline.prose.money import label_money
from pipeline.prose.narrowing import ANSWERED, LETTERS, PRINTED_IN, counts_issues, narrowed
from pipeline.prose.rule_label import RuleLabel
from pipeline.prose.stock import OVER_THE_YEARS, SHARE, STOCK_FIELDS, is_cumulative

_CHANNEL = "proactive.channel."


def label_by_rules(mentions: Sequence[Mention], year: int | None = None) -> tuple[RuleLabel, ...]:
    """The label of every mention, in order; a denial gives one label for each object it denies."""
    labels: list[RuleLabel] = []
    for index, mention in enumerate(mentions):
        if mention.kind == "zero":
            labels.extend(label_denial(mention))
            continue
        earlier = _of_sentence(labels, mention)
        behind = mentions[index + 1] if index + 1 < len(mentions) else None
        following = behind if behind and behind.sentence == mention.sentence else None
        labels.append(_label_figure(mention, earlier, following, year))
    return tuple(_with_total(labels))


def _of_sentence(labels: Sequence[RuleLabel], mention: Mention) -> list[RuleLabel]:
    """The labels of the sentence so far: they are the last ones, as mentions come in order of place."""
    first = len(labels)
    while first and labels[first - 1].mention.sentence == mention.sentence:
        first -= 1
    return list(labels[first:])


def _with_total(labels: list[RuleLabel]) -> list[RuleLabel]:
    """A bureau's total may name its trade: `全年公开警务信息 2310 条` where no other total is printed."""
    if any(label.path == "proactive.total" for label in labels):
        return labels
    for index, label in enumerate(labels):
        if (
            label.path != "proactive.category"
            or label.strength == "strong"
            or not (label.label or "").endswith("信息")
        ):
            continue
        before = label.mention.sentence.text[: label.mention.span.start - label.mention.sentence.span.start]
        if re.search(r"(?:全年|年度?|共)[^，。；]{0,16}公开[^，。；]*$", before):
            return [*labels[:index], replace(label, path="proactive.total", label=None), *labels[index + 1 :]]
    return labels


def _label_figure(
    mention: Mention, earlier: Sequence[RuleLabel], following: Mention | None, year: int | None
) -> RuleLabel:
    text = mention.sentence.marked
    start = mention.span.start - mention.sentence.span.start
    end = mention.span.end - mention.sentence.span.start
    stop = len(text) if following is None else following.span.start - mention.sentence.span.start
    before, after = text[:start], text[end:stop]
    clauses = clauses_before(before, [_local_span(label.mention) for label in earlier])
    clauses = in_step(clauses, before, mention, earlier)
    own = clauses[0].text
    topic = topic_of(mention, mention.sentence.marked_before + before)
    if (
        _is_plan(mention)
        or cues.NOT_THIS_YEAR.search(own)
        or _other_year(own, year)
        or cues.NOT_DISCLOSURE.search(text)
    ):
        return RuleLabel(mention, None, "strong")
    summed = label_sum(mention, own, earlier)
    if summed is not None:
        return summed
    if mention.unit in ("元", "万元"):
        return label_money(mention, clauses, earlier)
    attribute = label_by_noun_behind(mention, after, topic)
    if attribute is not None:
        return attribute
    if SHARE.match(own) and earlier and earlier[-1].path == "proactive.cumulative_total":
        return RuleLabel(mention, "proactive.total", "strong")
    label = _label_by_clauses(mention, clauses, topic, earlier, _predicate(text[end:stop]))
    if label.path not in STOCK_FIELDS and OVER_THE_YEARS.search(own):
        return replace(
            label,
            path=None if label.path != "proactive.category" else "proactive.cumulative_total",
            label=None,
        )
    if label.path in ("proactive.total", "proactive.category") and is_cumulative(before, text[end:]):
        return replace(label, path="proactive.cumulative_total", label=None)
    if label.path == "proactive.cumulative_total" and topic not in (None, "proactive"):
        return replace(label, path=None)
    return label


def _local_span(mention: Mention) -> tuple[int, int]:
    offset = mention.sentence.span.start
    return mention.span.start - offset, mention.span.end - offset


_PLANS = re.compile(r"改进|存在的?(?:主要)?(?:问题|不足)|下一?步|(?:工作)?打算|整改")


def _is_plan(mention: Mention) -> bool:
    """Figures of the chapter on problems and plans are no results of the year."""
    return any(_PLANS.search(heading) for heading in mention.sentence.headings)


def _other_year(own: str, year: int | None) -> bool:
    match = re.search(r"((?:19|20)\d{2})年(?!.*(?:以来|至今|结转|累计))", own)
    return (
        year is not None
        and match is not None
        and int(match[1]) != year
        and not re.search("结转|转[入至到]?", own)
    )


_SHORT_SUBJECT = re.compile(
    r"^[，、；]?(?:全年|本年度?|年内|[0-9]{4}年度?|其中|其余|另|另外|又|还|却|也|的|共|则|只|仅|均|都|已|已经|有|是|为|还有|另有|各|计|）|\s)*$"
)


def _predicate(after: str) -> str:
    """What a figure that opens its clause is said to be: `904 条发布在网站`."""
    piece = re.split(r"[，；：（。、]", after.strip(), maxsplit=1)[0]
    return "" if piece.startswith("占") else piece[:24]


def _label_predicate(
    mention: Mention, path: str | None, predicate: str, earlier: Sequence[RuleLabel]
) -> RuleLabel:
    """`其中 28 件已公开` right behind documents speaks of those documents."""
    last = next((label.path for label in reversed(earlier) if label.path is not None), "")
    match = re.match(r"(proactive\.(?:normative_documents|regulations))\.", last)
    if match is not None:
        is_disclosed = (
            re.match(r"(?:已|均|全部|都)*(?:主动|对外|在[^，]{0,8})?(?:公开|发布|公布)", predicate)
            is not None
        )
        return RuleLabel(mention, f"{match[1]}.disclosed" if is_disclosed else None, "strong")
    if path == "proactive.total" and re.search("该|此|其中", predicate):
        return RuleLabel(mention, None, "weak")
    return RuleLabel(mention, narrowed(path, predicate, earlier), "strong")


def _label_by_clauses(
    mention: Mention,
    clauses: Sequence[Clause],
    topic: Topic | None,
    earlier: Sequence[RuleLabel],
    predicate: str,
) -> RuleLabel:
    if re.search(r"(?:制定|制发|出台)(?:了|的)?$", clauses[0].text) and "规范性文件" in "".join(
        c.text for c in clauses[1:3]
    ):
        return RuleLabel(mention, "proactive.normative_documents.issued", "strong")
    if PRINTED_IN.search(clauses[0].text) and re.search("公报|政报", "".join(c.text for c in clauses[1:3])):
        return RuleLabel(mention, f"{_CHANNEL}gazette", "strong")
    if ANSWERED.match(clauses[0].text) and LETTERS.search("".join(clause.text for clause in clauses[1:3])):
        return RuleLabel(mention, "engagement.concern_responses", "strong")
    carried = said_of_documents(clauses[0], earlier)
    if carried is not None:
        return RuleLabel(mention, carried, "strong")
    decision = decision_carried_on(clauses[0], earlier)
    if decision is not None:
        return RuleLabel(mention, decision, "strong")
    remainder = label_others(mention, clauses[0], earlier)
    if remainder is not None:
        return remainder
    for clause in clauses[:4]:
        other = _last_end(cues.OTHER_WORK, clause.text)
        if clause.distance == 0 and opens_list(mention, clause, earlier):
            other = -1
        found = best_cue(mention, clause.text, topic)
        if found is not None and found[1] > other:
            if found[0].path is None:
                return RuleLabel(mention, None, "strong" if clause.distance == 0 else "weak")
            category = as_category(mention, clause, found[0].path, topic, earlier)
            if category is not None:
                return category
            if clause.distance and any(label.path == found[0].path for label in earlier):
                return RuleLabel(mention, None, "weak")
            if is_part_of(clause, found[0].path, earlier) or counts_issues(
                mention, found[0].path, clause.text
            ):
                return RuleLabel(mention, None, "weak")
            path = narrowed(found[0].path, clause.text, earlier)
            return RuleLabel(mention, path, "strong" if clause.distance == 0 else "weak")
        if other >= 0:
            return RuleLabel(mention, None, "strong" if clause.distance == 0 else "weak")
        if clause.distance == 0:
            category = as_category(mention, clause, None, topic, earlier)
            if category is not None:
                return category
            said = best_cue(mention, predicate, topic) if _SHORT_SUBJECT.match(clause.text) else None
            if said is not None and _last_end(cues.OTHER_WORK, predicate) < 0:
                return _label_predicate(mention, said[0].path, predicate, earlier)
    return RuleLabel(mention, None, "none")


def _last_end(pattern: re.Pattern[str], text: str) -> int:
    return max((match.end() for match in pattern.finditer(text)), default=-1)
