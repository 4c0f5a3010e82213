"""How long scoring takes, beside a plain implementation and stickler-eval on the same objects.

    python -m evals.benchmarks.scoring                 # 1,000 documents with 302 facts each
    python -m evals.benchmarks.scoring --documents 100 --errors 0.2

Everything is made up: documents of 6,000 characters with the tables of 2021 and a
statistics table, a program that is wrong in some facts. CPU time of one process, the best of several rounds;
the last line runs `gongkai eval` on files, report included. stickler-eval is compared where
it is installed (`pip install stickler-eval`); it is no dependency of the project.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evals.gold import Gold, GoldDocument
from evals.gold_file import GoldFile
from evals.metrics import metrics
from evals.runs import RunFolder
from evals.score import score_run, scores
from pipeline.fact import Evidence, Fact, Record, Templates
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, request_rows

FORM = "table2021"
LEAVES = 302
ITEMS = {
    **dict.fromkeys(("regulations", "normative_documents"), ("issued", "repealed", "in_force")),
    **dict.fromkeys(("licensing", "penalties", "coercion"), ("decisions",)),
}
GROUPS = ("overall", "source", "group", "template", "path")


@dataclass(frozen=True)
class Material:
    """Gold, the run that is scored against it, and both as plain leaves for stickler-eval."""

    gold: Gold
    run: RunFolder


def figure(generator: random.Random) -> int:
    """A cell: mostly 0, as in real reports."""
    return generator.choice((0, 0, 0, 0, 0, 0, 1, 2, 5, 38))


def gold_content(number: int, generator: random.Random) -> dict[str, Any]:
    """A gold file with 302 facts."""
    doc_id = f"made_up_{number:05}"
    content: dict[str, Any] = {
        "doc_id": doc_id,
        "file": f"{doc_id}.txt",
        "sha256": f"{number:064x}",
        "status": "adjudicated",
        "annotators": ["generator"],
        "templates": dict.fromkeys(("document", "proactive", "requests", "remedies"), FORM),
        "meta": {"issuer": f"第{number}县人民政府"},
        "proactive": {
            item: {column: figure(generator) for column in columns} for item, columns in ITEMS.items()
        },
        "requests": {row.key: [figure(generator) for _ in APPLICANTS] for row in request_rows(FORM)},
        "remedies": {block: [figure(generator) for _ in OUTCOMES] for block in REMEDY_BLOCKS},
    }
    cells = sum(len(row) for part in ("proactive", "requests", "remedies") for row in content[part].values())
    content["statistics"] = {f"key_{key:03}": figure(generator) for key in range(LEAVES - cells - 1)}
    return content


def made_up(documents: int, errors: float, seed: int = 1) -> Material:
    """Gold of `documents` documents and a run with this share of wrong facts."""
    generator = random.Random(seed)
    golds, records = [], []
    for number in range(documents):
        content = gold_content(number, generator)
        content["templates"] = Templates(**content["templates"])
        gold = GoldDocument(GoldFile.model_validate(content), Path(f"{content['doc_id']}.yaml"))
        golds.append(gold)
        records.append(_record(gold, errors, generator))
    return Material(Gold(Path("gold"), tuple(golds)), RunFolder(Path("run"), tuple(records)))


def _record(gold: GoldDocument, errors: float, generator: random.Random) -> Record:
    facts = [
        Fact(
            path=fact.path,
            value=99 if generator.random() < errors and not isinstance(fact.value, str) else fact.value,
            raw=str(fact.value),
            source=fact.source,
            method="rule",
            evidence=Evidence(start=0, end=0),
        )
        for fact in gold.facts
    ]
    return Record.model_validate(
        {
            "doc_id": gold.doc_id,
            "file": gold.file.file,
            "sha256": gold.file.sha256,
            "media_type": "text/plain",
            "templates": gold.file.templates,
            "status": "ok",
            "error": None,
            "facts": tuple(facts),
        }
    )


def ours(material: Material) -> int:
    """Verdicts and counts by every group; the number of correct facts."""
    cube = score_run(material.run, material.gold).cube
    found = [
        cube.tally(groups)
        for groups in (
            lambda _: ("overall",),
            lambda kind: (kind.source,),
            lambda kind: (kind.path.partition(".")[0],),
            lambda kind: (kind.template,),
            lambda kind: (kind.path,),
        )
    ]
    return metrics(found[0]["overall"], with_bootstrap=False).correct


def naive(material: Material) -> int:
    """The same in the plainest way: a dictionary a document, a counter a group."""
    counts: dict[str, Counter[tuple[str, str, str]]] = {group: Counter() for group in GROUPS}
    for document, record in zip(material.gold.documents, material.run.records, strict=True):
        said = {(fact.path, fact.source): fact for fact in record.facts}
        for gold in document.facts:
            fact = said.pop((gold.path, gold.source), None)
            if fact is None:
                verdict = "omitted"
            else:
                verdict = "correct" if (fact.value, fact.status) == (gold.value, gold.status) else "wrong"
            names = ("all", gold.source, gold.path.split(".")[0], gold.template, gold.path)
            for group, name in zip(GROUPS, names, strict=True):
                counts[group][document.doc_id, name, verdict] += 1
        counts["overall"][document.doc_id, "all", "invented"] += len(said)
    return sum(number for (_, _, verdict), number in counts["overall"].items() if verdict == "correct")


def stickler(material: Material) -> Callable[[], int] | None:
    """stickler-eval over the same values as nested models, with its confusion matrix; None without it."""
    try:
        from stickler import ComparableField, StructuredModel  # type: ignore[import-not-found]
        from stickler.comparators import NumericComparator  # type: ignore[import-not-found]
    except ImportError:
        return None
    from pydantic import create_model

    def model(name: str, tree: dict[str, Any]) -> Any:
        fields: dict[str, Any] = {}
        for key, value in tree.items():
            if isinstance(value, dict):
                fields[key] = (model(f"{name}_{key}", value), ComparableField())
            else:
                comparator = NumericComparator()
                fields[key] = (
                    int | None,
                    ComparableField(comparator=comparator, threshold=1.0, default=None),
                )
        return create_model(name, __base__=StructuredModel, **fields)

    golds = [_tree((f.path, f.value) for f in document.facts) for document in material.gold.documents]
    given = [_tree((f.path, f.value) for f in record.facts) for record in material.run.records]
    form = model("Report", golds[0])
    pairs = [(form(**gold), form(**said)) for gold, said in zip(golds, given, strict=True)]

    def compare_all() -> int:
        right = 0
        for gold, said in pairs:
            found = gold.compare_with(said, include_confusion_matrix=True)
            overall = found["confusion_matrix"]["aggregate"]
            right += overall["tp"] + overall["tn"]
        return int(right)

    return compare_all


def _tree(leaves: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    """Paths as nested dictionaries; texts as numbers, which are compared faster."""
    tree: dict[str, Any] = {}
    for path, value in leaves:
        *parents, leaf = path.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = value if isinstance(value, int) else 0
    return tree


def cpu_seconds(work: Callable[[], int], rounds: int) -> tuple[float, int]:
    """The least CPU time of `rounds`, and what the work returned."""
    best, result = float("inf"), 0
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        result = work()
        best = min(best, time.process_time() - began)
    return best, result


def command(documents: int, errors: float) -> str:
    """`gongkai eval` on files: CPU seconds, memory and the size of the report."""
    material = made_up(documents, errors)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(material, root)
        code = "from evals.cli import main; main()"
        arguments = ["eval", str(root / "run"), "--gold", str(root / "gold"), "--out", str(root / "out")]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        report = (root / "out" / "report.html").stat().st_size / 1e6
    return f"{seconds:.1f} s CPU, {after.ru_maxrss / 1024:.0f} MiB at most, report.html {report:.1f} MB"


def _write(material: Material, root: Path) -> None:
    texts = root / "run" / "text"
    texts.mkdir(parents=True)
    (root / "gold").mkdir()
    for document in material.gold.documents:
        content = document.file.model_dump(mode="json", exclude_unset=True)
        path = root / "gold" / f"{document.doc_id}.yaml"
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with (root / "run" / "records.jsonl").open("w", encoding="utf-8") as lines:
        for record in material.run.records:
            (texts / f"{record.sha256}.txt").write_text("公开申请数量" * 1_000, encoding="utf-8")
            lines.write(json.dumps(record.model_dump(mode="json"), ensure_ascii=False) + "\n")


def _line(what: str, seconds: float, documents: int, reference: float) -> None:
    print(f"{what:34}{seconds / documents * 1e3:8.3f} ms a document, {seconds / reference:5.1f} times")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--errors", type=float, default=0.03, help="share of wrong facts")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    material = made_up(given.documents, given.errors)
    facts = sum(len(document.facts) for document in material.gold.documents)
    print(f"{given.documents} documents, {facts} facts; CPU time, best of {given.rounds}\n")
    ours(material)  # gold is expanded once, however many runs are scored against it
    measured, correct = cpu_seconds(lambda: ours(material), given.rounds)
    _line("verdicts and counts", measured, given.documents, measured)
    plain, same = cpu_seconds(lambda: naive(material), given.rounds)
    _line("the plain implementation", plain, given.documents, measured)
    if same != correct:
        raise SystemExit(f"the two count differently: {correct} and {same} correct")
    other = stickler(material)
    if other is None:
        print("stickler-eval is not installed: not compared")
    else:
        theirs, _ = cpu_seconds(other, 1)
        _line("stickler-eval", theirs, given.documents, measured)
    whole, _ = cpu_seconds(lambda: len(scores(score_run(material.run, material.gold))), 1)
    _line("scores.json with all intervals", whole, given.documents, measured)
    print(f"gongkai eval, from files to report: {command(given.documents, given.errors)}")


if __name__ == "__main__":
    main()
