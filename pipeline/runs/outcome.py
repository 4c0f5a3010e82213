"""How a run or a check ended, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.fact import Usage
from pipeline.model.ledger import LedgerTotals
from pipeline.runs.progress import duration, money
from pipeline.runs.recheck import CHECK, CheckResult, finding_pairs
from pipeline.runs.run import RunOutcome
from pipeline.runs.sources import Input, Skipped
from pipeline.runs.summary import RuleCount, Summary
from pipeline.terminal import plain, say

_SKIPPED_SHOWN = 10
_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def print_skipped(console: Console, skipped: Sequence[Skipped]) -> None:
    """What of the folders is not read, and why."""
    if not skipped:
        return
    by_reason: dict[str, list[str]] = {}
    for item in skipped:
        by_reason.setdefault(item.reason, []).append(item.file)
    for reason, files in by_reason.items():
        more = f" and {len(files) - _SKIPPED_SHOWN} others" if len(files) > _SKIPPED_SHOWN else ""
        say(console, f"skipped, {reason}: {', '.join(files[:_SKIPPED_SHOWN])}{more}", "dim")


def print_attached(console: Console, inputs: Sequence[Input]) -> None:
    """Which files are read as attachments of others."""
    attached = [(each.file, document.file) for document in inputs for each in document.attachments]
    for file, report in attached[:_SKIPPED_SHOWN]:
        say(console, f"attached: {file} is read with {report}", "dim")
    if len(attached) > _SKIPPED_SHOWN:
        say(console, f"attached: {len(attached) - _SKIPPED_SHOWN} others", "dim")


def print_outcome(console: Console, outcome: RunOutcome) -> None:
    """Totals of the run, findings by rule, failures by name, and how to go on."""
    summary = outcome.summary
    console.print(_totals(summary, outcome.spent, outcome.seconds))
    print_rules(console, summary.by_severity())
    for failure in summary.failures:
        say(console, f"failed: {failure.doc_id} [{failure.code}] {failure.reason}", "red")
    if outcome.stopped is not None:
        say(console, f"stopped: {outcome.stopped}", "bold")
        say(
            console,
            f"{outcome.remaining} documents have no record yet. What is done is kept in {outcome.folder}: "
            "the same command goes on from there.",
            "bold",
        )
    elif summary.failures:
        say(console, "Failed documents are done again with --retry-failed.")
    say(console, f"records: {outcome.folder / 'records.jsonl'}")


def _totals(summary: Summary, spent: LedgerTotals | None, seconds: float) -> Table:
    table = Table.grid(padding=(0, 2))
    statuses = ", ".join(f"{summary.statuses[name]} {name}" for name in ("ok", "flagged", "failed"))
    by_source = ", ".join(f"{count} {source}" for source, count in sorted(summary.facts.items()))
    usage = summary.usage
    rows = {
        "documents": f"{summary.documents}: {statuses}",
        "facts": f"{sum(summary.facts.values())}: {by_source}" if summary.facts else "0",
        "findings": _counts_by_severity(summary.rules.values()),
        "model": _tokens(usage) if usage.requests or (spent is not None and spent.requests) else "not asked",
        "time": duration(seconds),
    }
    if spent is not None and spent.requests:
        rows["this time"] = _spent(spent)
    for name, value in rows.items():
        table.add_row(plain(name, "dim"), plain(value))
    return table


def _tokens(usage: Usage) -> str:
    return (
        f"{usage.requests} requests, {usage.input_tokens:,} tokens read "
        f"({usage.cached_tokens:,} from the cache), {usage.output_tokens:,} written"
    )


def _spent(spent: LedgerTotals) -> str:
    """What was asked and paid in this session, answers that were stored already left out."""
    failed = f" ({spent.failed} without an answer)" if spent.failed else ""
    cost = "" if spent.cost_usd is None else f", {money(spent.cost_usd)}"
    tokens = f"{spent.input_tokens:,} tokens read, {spent.output_tokens:,} written"
    return f"{spent.requests} requests{failed}, {tokens}{cost}"


def _counts_by_severity(rules: Iterable[RuleCount]) -> str:
    counts = {"error": 0, "warning": 0, "note": 0}
    for rule in rules:
        counts[rule.severity] += rule.count
    return ", ".join(f"{count} {severity}s" for severity, count in counts.items())


def print_rules(console: Console, rules: Sequence[RuleCount]) -> None:
    """Findings by rule with the first messages of each."""
    if not rules:
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("rule", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("n", justify="right")
    table.add_column("the first of them", overflow="fold")
    for rule in rules:
        severity = plain(rule.severity, _STYLES[rule.severity])
        table.add_row(plain(rule.rule), severity, plain(rule.count), _first(rule))
    console.print(table)


def _first(rule: RuleCount) -> Text:
    # The rule stands in the row already.
    beginning = (f"{rule.rule}, ", f"{rule.rule}: ")
    messages = [(doc_id, " ".join(message.split())) for doc_id, message in rule.messages]
    lines = [
        plain(f"{doc_id}: {message[len(beginning[0]) :] if message.startswith(beginning) else message}")
        for doc_id, message in messages
    ]
    return Text("\n").join(lines)


def print_checked(console: Console, result: CheckResult, run: Path) -> None:
    """What `gongkai check` found."""
    summary = Summary()
    for doc_id, finding in finding_pairs(result):
        key = (finding.rule, finding.severity)
        summary.rules.setdefault(key, RuleCount(*key)).add(doc_id, finding)
    print_rules(console, summary.by_severity())
    new = sum(len(item.new) for item in result.checked)
    counts = _counts_by_severity(summary.rules.values())
    say(console, f"{len(result.checked)} documents checked: {counts}; {new} of them are not in the records")
    for doc_id, reason in result.unchecked:
        say(console, f"not checked: {doc_id}: {reason}")
    if result.review is not None:
        say(console, f"review: {result.review.sentence}")
        for orphan in result.review.orphaned:
            event = orphan.event
            about = f"{event.doc_id}, {event.target.path}, {event.action} by {event.annotator}"
            say(console, f"not applied: change {event.number} ({about}): {orphan.why}")
    say(console, f"written: {run / CHECK}")
