"""Amounts in prose: fees charged, waived, budgets; tariffs and other money are none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.prose import cues
from pipeline.prose.clauses import Clause
from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel

_TARIFF = re.compile(
    r"每(?:页|证|份|张|件|次|人|本)|标准|工本费|诉讼[^，。；]{0,6}费用|投资|挽回|罚款|罚没|补贴|补助"
)


_TABLE_MONEY = (
    (re.compile(r"行政事业性收费"), "proactive.administrative_fees.amount_wan_yuan"),
    (re.compile(r"采购[^，。；]{0,4}金额|采购金额"), "proactive.procurement.amount_yuan"),
    (re.compile(r"采购"), None),
)


def label_money(mention: Mention, clauses: Sequence[Clause], earlier: Sequence[RuleLabel]) -> RuleLabel:
    """The field of an amount, by the nearest clause that says what was paid."""
    if _TARIFF.search(clauses[0].text):
        return RuleLabel(mention, None, "strong")
    for pattern, path in _TABLE_MONEY:
        if pattern.search(clauses[0].text):
            return RuleLabel(mention, path, "strong")
    for clause in clauses:
        found = [
            (match.end(), path)
            for path in (
                "fees.processing_fee_yuan",
                "fees.waived_yuan",
                "fees.charged_yuan",
                "capacity.budget_wan_yuan",
            )
            for cue in cues.BEFORE
            if cue.path == path
            for match in cue.pattern.finditer(clause.text)
        ]
        if found:
            path = max(found)[1]
            if "信息处理费" in clause.text:
                path = "fees.processing_fee_yuan"
            if clause.distance and any(label.path == path for label in earlier):
                return RuleLabel(mention, None, "weak")
            return RuleLabel(mention, path, "strong" if clause.distance == 0 else "weak")
    return RuleLabel(mention, None, "weak")
