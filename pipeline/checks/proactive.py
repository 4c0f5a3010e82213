"""Sanity of the proactive-disclosure tables (chapter 二)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pipeline.checks.findings import Identity, labels, shown
from pipeline.checks.operands import Reading, number
from pipeline.fact import Finding

RULE_ITEMS = ("regulations", "normative_documents")

FEE_CEILING_WAN_YUAN: Mapping[str, int] = MappingProxyType(
    {
        "national": 50_000_000,
        "province": 10_000_000,
        "prefecture": 2_000_000,
        "county": 500_000,
        "township": 20_000,
    }
)
"""Most that a body of the level can plausibly collect in administrative fees a year, in 万元.

行政事业性收费 of the whole country are about 4,000 亿元 a year (40,000,000 万元) in the
national budget accounts of 2020–2022. The levels below are estimates with a wide
margin: an amount above them is most likely 元 under the heading 万元. A small
amount in the wrong unit stays below the ceiling and is not found.
"""

LEVEL_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "national": "a national body",
        "province": "a province",
        "prefecture": "a prefecture",
        "county": "a county",
        "township": "a township",
    }
)


def check(reading: Reading) -> Iterator[Finding]:
    """`proactive.disclosed_le_total` (2019) and `proactive.fee_unit` (2021)."""
    for item in RULE_ITEMS:
        yield from _disclosed_le_total(reading, item)
    yield from _fee_unit(reading)


def _disclosed_le_total(reading: Reading, item: str) -> Iterator[Finding]:
    operands = reading.cells((f"proactive.{item}.disclosed", f"proactive.{item}.disclosed_total"))
    if operands is None:
        return
    disclosed, in_all = operands
    if number(disclosed) > number(in_all):
        yield Identity("proactive.disclosed_le_total", "warning", item).broken(
            reading,
            operands,
            where=labels(disclosed.path)[0],
            message=f"{shown(disclosed)} disclosed this year, but only {shown(in_all)} in all",
            expected=number(disclosed),
            printed=number(in_all),
        )


def _fee_unit(reading: Reading) -> Iterator[Finding]:
    fee = reading.cell("proactive.administrative_fees.amount_wan_yuan")
    level = reading.meta("meta.level")
    ceiling = FEE_CEILING_WAN_YUAN.get(str(level.value)) if level is not None else None
    if fee is None or level is None or ceiling is None or number(fee) <= ceiling:
        return
    yield Identity("proactive.fee_unit", "warning", "administrative_fees").broken(
        reading,
        [fee],
        where=labels(fee.path)[0],
        message=(
            f"{shown(fee)} 万元 is more than {ceiling} 万元, the most that is plausible for "
            f"{LEVEL_NAMES[str(level.value)]}; perhaps printed in 元"
        ),
        expected=ceiling,
        printed=number(fee),
    )
