"""What may be written in a paper: a score and a comparison as a sentence, English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evals.difference import SIGNIFICANT, Difference
from evals.runs import Made


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement in both languages."""

    en: str
    zh: str


def score_statement(scores: Mapping[str, Any], made: Made) -> Sentence:
    """How the figures were extracted and how well, for the methods section of a paper."""
    overall, prose, tables = scores["overall"], scores["prose"], scores["tables"]
    count, gold = scores["gold"]["documents"], scores["gold_hash"][:12]
    if overall["f1"] is None:
        return Sentence("No data: there is no fact to score.", "无数据：没有可评分的事实。")
    failed = len(scores["documents"]["failed"]) + len(scores["documents"]["missing"])
    exact = f"{overall['exact_documents_count']}/{count}"
    by_whom = _by_whom(scores["gold"], count)
    en = (
        f"The figures were extracted {made.en}; against {by_whom.en} (gold {gold}) F1 over all facts, "
        f"metadata and text items among them, is {_rate(overall, 'f1', '95 % interval ')}; of figures in "
        f"prose {_rate(prose)}, of figures other than zero {_rate(overall, 'nonzero_f1')}, of table cells "
        f"{_rate(tables)}; {exact} documents without an error, {failed} failed or missing."
    )
    zh = (
        f"数据{made.zh}提取；与 {by_whom.zh}（标注 {gold}）相比，"
        f"全部事实（含元数据与文字项）F1 为 {_rate(overall, 'f1', '95 % 区间 ')}；"
        f"正文数字 {_rate(prose)}，非零数字 {_rate(overall, 'nonzero_f1')}，"
        f"表格单元 {_rate(tables)}；{exact} 份全对，{failed} 份失败或缺失。"
    )
    return Sentence(en, zh)


def _by_whom(gold: Mapping[str, Any], count: int) -> Sentence:
    """Who annotated: not by hand what a program filled in, nor finished what is a draft."""
    doubts_en, doubts_zh = [], []
    if gold["prefilled"]:
        doubts_en.append(f"{len(gold['prefilled'])} of them prefilled by a program")
        doubts_zh.append(f"其中 {len(gold['prefilled'])} 份由程序预填")
    if gold["unfinished"]:
        doubts_en.append(f"{len(gold['unfinished'])} of them unfinished")
        doubts_zh.append(f"其中 {len(gold['unfinished'])} 份未完成")
    if not doubts_en:
        return Sentence(f"{count} hand-annotated reports", f"{count} 份人工标注的报告")
    return Sentence(f"{count} reports, {', '.join(doubts_en)}", f"{count} 份报告（{'，'.join(doubts_zh)}）")


def _rate(rates: Mapping[str, Any], key: str = "f1", before: str = "") -> str:
    value, low, high = rates[key], rates[f"{key}_low"], rates[f"{key}_high"]
    if value is None:
        return "–"
    return f"{value:.3f}" if low is None else f"{value:.3f} ({before}{low:.3f}–{high:.3f})"


def conclusion(
    a: str, b: str, overall: Difference, documents: int, *, differs: bool, comparisons: int = 1
) -> Sentence:
    """Which of two runs is better, and whether that can be claimed.

    `differs` tells whether any fact got another verdict, `comparisons` how many runs are
    compared with `a`: the corrected p then decides.
    """
    if overall.difference is None or overall.p is None:
        return Sentence(
            f"{a} and {b} cannot be compared: there is no score for one of them.",
            f"{a} 与 {b} 无法比较：其中之一没有得分。",
        )
    if overall.difference == 0 and not differs:
        return Sentence(
            f"{a} and {b} have the same verdict on every fact of {documents} documents.",
            f"{a} 与 {b} 在 {documents} 份文件的每一项上判定相同。",
        )
    measured = _measured(overall, documents, comparisons)
    p = overall.p if overall.p_adjusted is None else overall.p_adjusted
    if p < SIGNIFICANT:
        better, worse = (b, a) if overall.difference > 0 else (a, b)
        return Sentence(
            f"{better} is better than {worse} ({a}, {b}: {measured.en}).",
            f"{better} 优于 {worse}（{a}、{b}：{measured.zh}）。",
        )
    effect = overall.minimum_detectable_effect
    power = Sentence("", "")
    if effect is not None and overall.p_adjusted is None:
        power = Sentence(
            f" Four times in five these documents show a difference of {effect:.3f}.",
            f"这些文件五次中有四次能显示 {effect:.3f} 的差异。",
        )
    return Sentence(
        f"No difference between {a} and {b} can be shown ({measured.en}).{power.en}",
        f"不能表明 {a} 与 {b} 有差异（{measured.zh}）。{power.zh}",
    )


def _measured(overall: Difference, documents: int, comparisons: int) -> Sentence:
    """Both F1, their difference, its interval and p."""
    scores = f"{overall.f1_a:.3f}", f"{overall.f1_b:.3f}"
    en = [f"difference {overall.difference:+.3f}"]
    zh = [f"差 {overall.difference:+.3f}"]
    if overall.low is not None:
        en.append(f"95 % {overall.low:+.3f} to {overall.high:+.3f}")
        zh.append(f"95 % 区间 {overall.low:+.3f} 至 {overall.high:+.3f}")
    en.append(f"p = {overall.p:.3g}")
    zh.append(f"p = {overall.p:.3g}")
    if overall.p_adjusted is not None:
        en.append(f"corrected for {comparisons} comparisons {overall.p_adjusted:.3g}")
        zh.append(f"按 {comparisons} 次比较校正后 {overall.p_adjusted:.3g}")
    return Sentence(
        f"F1 {' and '.join(scores)} on {documents} documents; {', '.join(en)}",
        f"{documents} 份文件上 F1 {' 与 '.join(scores)}；{'，'.join(zh)}",
    )
