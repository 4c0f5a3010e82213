"""Identity of the review and litigation table (chapter 四): four outcomes make the total."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.findings import Identity, added, labels, shown
from pipeline.checks.operands import Reading, equal, number, total
from pipeline.fact import Finding
from pipeline.schema import OUTCOMES, REMEDY_BLOCKS


def check(reading: Reading) -> Iterator[Finding]:
    """`remedies.total` for each of the three blocks."""
    for block in REMEDY_BLOCKS:
        operands = reading.cells(f"remedies.{block}.{outcome}" for outcome in OUTCOMES)
        if operands is None:
            continue
        *parts, whole = operands
        if equal(total(parts), number(whole)):
            continue
        yield Identity("remedies.total", "error", block).broken(
            reading,
            operands,
            where=labels(whole.path)[0],
            message=f"{added(parts)} = {total(parts)} by result, but 总计 prints {shown(whole)}",
            expected=total(parts),
            printed=number(whole),
        )
