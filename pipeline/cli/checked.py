"""What `gongkai check` found, for the terminal."""

from __future__ import annotations

from rich.console import Console

from pipeline.panel.across import RULES, Across
from pipeline.panel.check_runs import RunsChecked
from pipeline.runs.outcome import print_checked, print_rules
from pipeline.runs.summary import RuleCount, Summary
from pipeline.terminal import say

_SHOWN = 10


def print_runs_checked(console: Console, result: RunsChecked) -> None:
    """Findings within the documents of each run, then those across all of them."""
    for run, checked in result.runs:
        if len(result.runs) > 1:
            say(console, f"{run}:", "bold")
        print_checked(console, checked, run)
    print_across(console, result)


def print_across(console: Console, result: RunsChecked) -> None:
    """Findings across by rule, how much could be assessed, and which documents stayed outside."""
    if not result.rows:
        say(console, "across: no document with an issuer, a place and a year")
        return
    print_rules(console, _by_rule(result.across))
    roles = sorted((role, count) for role, count in result.versions.items() if role != "chosen")
    versions = ", ".join(f"{count} {role.replace('_', ' ')}" for role, count in roles)
    say(console, f"across: {result.rows} reports by issuer and year{f' ({versions})' if versions else ''}")
    assessed, left = result.across.assessed, result.across.not_assessable
    for rule in RULES:
        if rule in assessed or rule in left:
            count = sum(each.finding.rule == rule for each in result.across.findings)
            say(
                console,
                f"{rule}: {assessed.get(rule, 0)} assessed, {count} do not hold; "
                f"{left.get(rule, 0)} not assessable",
            )
    for each in result.unplaced[:_SHOWN]:
        say(console, f"outside: {each.source.doc_id}: {each.reason}", "dim")
    if len(result.unplaced) > _SHOWN:
        say(console, f"outside: {len(result.unplaced) - _SHOWN} others", "dim")
    say(console, f"written: {result.written}")


def _by_rule(across: Across) -> list[RuleCount]:
    summary = Summary()
    for each in across.findings:
        key = (each.finding.rule, each.finding.severity)
        summary.rules.setdefault(key, RuleCount(*key)).add(each.doc_id, each.finding)
    return summary.by_severity()
