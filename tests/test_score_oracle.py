"""Scores against other people's code: a naive second scorer, scikit-learn and statsmodels.

Gold and runs are generated: tables, metadata, prose with repeated categories, text items;
programs that leave out, misread, repeat, invent, take blank for 0, or fail.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped]
from eval_material import FORM_2021, answer, fact, gold_document, record
from sklearn.metrics import precision_recall_fscore_support  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]
from statsmodels.stats.power import TTestPower  # type: ignore[import-untyped]
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped]
from statsmodels.stats.weightstats import DescrStatsW  # type: ignore[import-untyped]

from evals.gold import Gold, GoldDocument, GoldFact
from evals.runs import RunFolder
from evals.score import Scoring, score_run, scores
from evals.stats import (
    PairedRatios,
    benjamini_hochberg,
    holm,
    influence,
    minimum_detectable_effect,
    standard_error,
    wilson,
)
from pipeline.fact import Fact, Record

RUNS = 2_000
VERDICTS = ("correct", "wrong", "omitted", "invented", "correctly_absent")
CATEGORY, PROBLEMS = "proactive.category", "text.problems"
CELLS = [
    *(f"proactive.{item}.decisions" for item in ("licensing", "penalties", "coercion")),
    *(f"remedies.review.{outcome}" for outcome in ("upheld", "corrected", "other", "pending", "total")),
]
STATED = ("proactive.total", "engagement.interviews", "requests.new_received.total", "fees.charged_yuan")
LABELS = ("财政信息", "财政类", "环保信息", "文件")
CATEGORY_VALUES = ({"value": 3}, {"value": 4}, {"value": None, "status": "illegible"})
ITEMS = (("意识", "不强"), ("队伍", "不足"), ("意识", "不足"))


# --- generated gold and runs ------------------------------------------------------------


def made_up_gold(generator: random.Random, name: str) -> GoldDocument:
    def cell() -> Any:
        return generator.choice((0, 0, 0, 1, 2, 13, "_", "/", "?", "无"))

    lines = [
        {"path": path, "value": generator.choice((0, 1, 12)), "raw": "1", "scope": None}
        for path in STATED
        if generator.random() < 0.6
    ]
    items = [{"starts": start, "ends": end} for start, end in generator.sample(ITEMS, generator.randrange(3))]
    lines += [
        {"path": CATEGORY, "raw": "3", "label": label, "scope": None, **generator.choice(CATEGORY_VALUES)}
        for label in generator.sample(LABELS, generator.randrange(4))
    ]
    return gold_document(
        name,
        templates=generator.choice((FORM_2021, FORM_2021 | {"requests": "table2019"})),
        meta={"issuer": f"{name}人民政府", "year": 2022},
        proactive={item: {"decisions": cell()} for item in ("licensing", "penalties", "coercion")},
        remedies={"review": [cell() for _ in range(5)]},
        narrative=lines,
        text={"problems": items},
    )


def made_up_facts(generator: random.Random, document: GoldDocument) -> Iterator[Fact]:
    """What a careless program states about a document."""
    for gold in document.facts:
        if gold.status in ("absent", "illegible") or generator.random() < 0.15:
            continue
        said = answer(gold)
        if generator.random() < 0.2 and gold.starts is None:
            value, status = generator.choice(
                ((0, "value"), (7, "value"), (None, "blank"), (0, "zero_in_words"))
            )
            said = said.model_copy(update={"value": value, "status": status})
        yield said
        if generator.random() < 0.1:
            yield said.model_copy(update=generator.choice(({}, {"value": 99}, {"status": "illegible"})))
    for path in (*STATED, *CELLS, CATEGORY, "complaints.total", "meta.phone"):
        if generator.random() < 0.08:
            source = "table" if path in CELLS else "narrative"
            label = generator.choice(LABELS) if path == CATEGORY else None
            yield fact(path, generator.choice((0, 5)), source=source, label=label)


def made_up(seed: int) -> Scoring:
    generator = random.Random(seed)
    golds = [made_up_gold(generator, f"place_{number}") for number in range(3)]
    records = [
        record(gold, list(made_up_facts(generator, gold)), generator.choice(("ok", "ok", "ok", "failed")))
        for gold in golds
    ]
    kept: list[Record] = [one for one in records if generator.random() < 0.9]
    return score_run(RunFolder(Path("run"), tuple(kept)), Gold(Path("gold"), tuple(golds)))


# --- the second scorer: plain, slow, by the definitions alone ---------------------------


def source(one: Fact) -> str:
    return "metadata" if one.path.startswith("meta.") else one.source


def agrees(gold: GoldFact, said: Fact) -> bool:
    if gold.starts is not None:
        text = str(said.value)
        return text.startswith(gold.starts) and text.endswith(gold.ends or "")
    labels = [(label or "").removesuffix("信息") for label in (gold.label, said.label)]
    return (gold.status, gold.value) == (said.status, said.value) and (
        not gold.label or labels[0] == labels[1]
    )


def likeness(gold: GoldFact, said: Fact) -> float:
    if gold.starts is not None:
        text = str(said.value)
        return (0.0, 0.4, 1.0)[text.startswith(gold.starts) + text.endswith(gold.ends or "")]
    if gold.label is None:
        return 1.0 if gold.value == said.value else 0.4
    one, other = ((label or "").removesuffix("信息") for label in (gold.label, said.label))
    return (gold.value == said.value) / 2 + SequenceMatcher(None, one, other).ratio() / 2


def best_pairs(golds: Sequence[GoldFact], said: Sequence[Fact]) -> dict[int, int]:
    """Exact pairs first; of the rest the best of all ways to pair them."""
    pairs: dict[int, int] = {}
    for i, gold in enumerate(golds):
        free = [j for j, one in enumerate(said) if j not in pairs.values() and agrees(gold, one)]
        if free and gold.starts is None:
            pairs[i] = free[0]
    open_golds = [i for i in range(len(golds)) if i not in pairs]
    open_said: list[int | None] = [j for j in range(len(said)) if j not in pairs.values()]
    padded = open_said + [None] * max(0, len(open_golds) - len(open_said))
    ways = permutations(padded, len(open_golds))

    def worth(way: tuple[int | None, ...]) -> float:
        return sum(likeness(golds[i], said[j]) for i, j in zip(open_golds, way, strict=True) if j is not None)

    best = max(ways, key=worth)
    chosen = [(i, j) for i, j in zip(open_golds, best, strict=True) if j is not None]
    return pairs | {i: j for i, j in chosen if likeness(golds[i], said[j]) >= 0.4}


def naive(document: GoldDocument, facts: Sequence[Fact]) -> Iterator[tuple[str, str, bool, bool]]:
    """(path, verdict, gold is a figure other than zero, the program's is) for every verdict."""
    places = {(gold.path, gold.source) for gold in document.facts} | {(f.path, source(f)) for f in facts}
    for path, place in sorted(places):
        golds = [gold for gold in document.facts if (gold.path, gold.source) == (path, place)]
        said = [f for f in facts if (f.path, source(f)) == (path, place) and f.status != "illegible"]
        pairs = best_pairs(golds, said)
        for i, gold in enumerate(golds):
            if gold.status == "illegible":
                continue
            given = said[pairs[i]] if i in pairs else None
            nothing = given is None or given.status == "blank"
            if gold.status in ("blank", "absent"):
                verdict = "correctly_absent" if nothing else "wrong" if gold.status == "blank" else "invented"
            elif given is None:
                verdict = "omitted"
            else:
                verdict = "correct" if agrees(gold, given) else "wrong"
            yield (
                path,
                verdict,
                is_nonzero(path, gold.value),
                is_nonzero(path, given.value if given else None),
            )
        lost = sum(gold.status == "illegible" and i not in pairs for i, gold in enumerate(golds))
        claimed = [(said[j].value, said[j].status, said[j].label) for j in pairs.values()]
        for j, one in enumerate(said):
            claim = (one.value, one.status, one.label)
            if j not in pairs.values() and one.status != "blank" and claim not in claimed:
                claimed.append(claim)
                if lost:
                    lost -= 1
                else:
                    yield path, "invented", False, is_nonzero(path, one.value)


def is_nonzero(path: str, value: Any) -> bool:
    return not path.startswith(("meta.", "text.")) and isinstance(value, int) and value != 0


def naive_counts(scoring: Scoring) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    counts: Counter[tuple[str, str]] = Counter()
    nonzero: Counter[str] = Counter()
    for document in scoring.gold.documents:
        found = scoring.records[document.doc_id]
        facts = found.facts if found is not None and found.status != "failed" else ()
        for path, verdict, expected, given in naive(document, facts):
            for group in ("overall", path.split(".")[0], document.doc_id):
                counts[group, verdict] += 1
            nonzero["expected"] += expected
            nonzero["given"] += given
            nonzero["correct"] += verdict == "correct" and expected
    return counts, nonzero


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def test_counts_and_rates_of_2000_runs_equal_a_naive_scorer() -> None:
    for seed in range(RUNS):
        scoring = made_up(seed)
        counts, nonzero = naive_counts(scoring)
        found = {"overall": scoring.tally(lambda _: ("overall",))["overall"].total}
        found |= {
            name: tally.total
            for name, tally in scoring.tally(lambda kind: (kind.path.split(".")[0],)).items()
        }
        everything = scoring.tally(lambda _: ("overall",))["overall"].counts
        found |= {name: everything[row] for row, name in enumerate(scoring.documents)}
        for group, columns in found.items():
            expected = [counts[group, verdict] for verdict in VERDICTS]
            assert columns[:5].tolist() == expected, f"run {seed}, {group}"
        total = found["overall"]
        assert total[5:].tolist() == [nonzero[key] for key in ("correct", "expected", "given")], f"run {seed}"
        spelled = Counter(judgement.verdict for judgement in scoring.judgements)
        assert [spelled[verdict] for verdict in VERDICTS] == total[:5].tolist()


@pytest.mark.parametrize("seed", range(40))
def test_rates_equal_scikit_learn(seed: int) -> None:
    """Every verdict as one decision among values; micro-averaged over all values but “nothing there”."""
    scoring = made_up(seed)
    truth, given = [], []
    for number, judgement in enumerate(scoring.judgements):
        verdict = judgement.verdict
        truth.append("none" if verdict in ("invented", "correctly_absent") else f"{number} right")
        given.append(
            {"correct": f"{number} right", "wrong": f"{number} other", "invented": f"{number} other"}.get(
                verdict, "none"
            )
        )
    # Blank in gold and a value given is wrong: gold's “blank” is then a value like others.
    labels = sorted({*truth, *given} - {"none"})
    expected = precision_recall_fscore_support(truth, given, labels=labels, average="micro", zero_division=0)
    overall = scores(scoring)["overall"]
    rates = [overall["precision"] or 0.0, overall["recall"] or 0.0, overall["f1"] or 0.0]
    assert rates == pytest.approx(expected[:3])


# --- intervals and tests ----------------------------------------------------------------


@pytest.mark.parametrize(("successes", "trials"), [(0, 9), (4, 9), (9, 9), (187, 200)])
def test_wilson_equals_statsmodels(successes: int, trials: int) -> None:
    interval = wilson(successes, trials)
    assert interval is not None
    expected = proportion_confint(successes, trials, method="wilson")
    assert (interval.low, interval.high) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(10))
def test_standard_error_of_f1_is_the_robust_one_of_weighted_least_squares(seed: int) -> None:
    """A ratio of sums is the weighted mean of the documents' ratios; its sandwich error is HC2."""
    generator = np.random.default_rng(seed)
    weights = generator.integers(5, 400, 30).astype(float)
    values = generator.beta(9, 1, 30)
    fitted = sm.WLS(values, np.ones(30), weights=weights).fit(cov_type="HC2")
    error = standard_error(influence(values * weights, weights), weights / weights.sum())
    assert error == pytest.approx(fitted.bse[0])


@pytest.mark.parametrize("seed", range(10))
def test_paired_interval_equals_statsmodels(seed: int) -> None:
    generator = np.random.default_rng(seed)
    a, b = generator.random(12), generator.random(12)
    interval = PairedRatios(a, np.ones(12), b, np.ones(12)).interval()
    assert interval is not None
    expected = DescrStatsW(b - a).tconfint_mean()
    assert (interval.low, interval.high) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(10))
def test_corrections_for_several_tests_equal_statsmodels(seed: int) -> None:
    p_values = np.random.default_rng(seed).beta(0.4, 2, 9).tolist()
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1])
    with_a_gap: list[float | None] = [p_values[0], None, *p_values[1:]]
    assert holm(with_a_gap)[1] is None
    assert [p for p in holm(with_a_gap) if p is not None] == pytest.approx(holm(p_values))


@pytest.mark.parametrize("documents", [8, 20, 100])
def test_detectable_effect_has_the_power_it_states(documents: int) -> None:
    deviation = 0.1
    effect = minimum_detectable_effect(deviation / math.sqrt(documents), documents - 1)
    assert effect is not None
    power = TTestPower().power(effect_size=effect / deviation, nobs=documents, alpha=0.05)
    assert power == pytest.approx(0.8, abs=0.02)
