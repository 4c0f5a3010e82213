"""The card of a `datasets` folder: one configuration a table, and how far its figures can be trusted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.export.made_with import MadeWith
from pipeline.export.table import TableSpec

DEFAULT = "facts"
_HEAD = """\
# Annual disclosure reports (政府信息公开工作年度报告) as data

Every Chinese government body reports each year on how it disclosed information. These tables
hold the figures of such reports, each with the place where it is printed. They were extracted
by a program; what the checks found fault with is in the table `findings`."""
_OF_THE_MACHINE = (
    "",
    "The score is that of the machine's reading. People have corrected figures since: see the table "
    "`corrections`, and `superseded` in `facts`.",
)
_LICENCE = """\
## Licence

None is set here: whoever publishes this folder sets one. The reports are official documents of
state organs, to which copyright does not apply in China (Copyright Law, Article 5); texts of
third parties that a report may quote are not covered by that."""


def card(made: MadeWith, specs: Iterable[TableSpec], counts: Mapping[str, int]) -> str:
    """Markdown with the front matter that `datasets` reads."""
    configs = [
        {"config_name": name, "data_files": f"data/{name}.parquet", "default": name == DEFAULT}
        for name in counts
    ]
    lines = [
        "---",
        # JSON is YAML, and needs no care for quotes.
        f"configs: {json.dumps(configs)}",
        "language: [zh]",
        "pretty_name: Annual disclosure reports of Chinese government bodies",
        "---",
        "",
        _HEAD,
        "",
        "## Tables",
        "",
        *_tables(specs, counts),
        "",
        "An empty value is none of one kind: the column `status` of `facts`, and the columns that end in "
        "`__status`, tell apart what is blank, struck out, illegible, not mentioned, or of a document that "
        "could not be read. `codebook` says what every variable means and how often it is missing.",
        "",
        "## Made with",
        "",
        *(f"- {name}: {_code(content)}" for name, content in made.lines.items()),
        "",
        "## Accuracy",
        "",
        *_accuracy(made.scores),
        *_whose(made),
        "",
        _LICENCE,
    ]
    return "\n".join(lines) + "\n"


def _tables(specs: Iterable[TableSpec], counts: Mapping[str, int]) -> Iterator[str]:
    yield from ("| table | rows | columns | |", "|---|---:|---:|---|")
    for spec in specs:
        yield f"| `{spec.name}` | {counts[spec.name]:,} | {len(spec.columns)} | {spec.meaning} |"


def _code(content: str) -> str:
    return f"`{content.replace('`', ' ')}`"


def _accuracy(scores: Mapping[str, Any] | None) -> Iterator[str]:
    if scores is None:
        yield "Not stated: `gongkai export … --scores FILE` puts the score against hand-annotated gold here."
        return
    documents = scores["documents"]
    yield (
        f"Against {len(documents['scored'])} hand-annotated reports (gold `{scores['gold_hash']}`); "
        f"{len(documents['failed'])} failed, {len(documents['missing'])} missing."
    )
    yield from (
        "",
        "| | precision | recall | F1 | 95 % interval | documents |",
        "|---|---:|---:|---:|---|---:|",
    )
    for name, rates in {"overall": scores["overall"], **scores["by_source"]}.items():
        numbers = " | ".join(_rate(rates.get(key)) for key in ("precision", "recall", "f1"))
        interval = f"{_rate(rates.get('f1_low'))}–{_rate(rates.get('f1_high'))}"
        yield f"| {name} | {numbers} | {interval} | {rates.get('documents', 0)} |"
    for language in ("en", "zh"):
        yield from ("", f"> {scores['statement'][language]}")


def _whose(made: MadeWith) -> tuple[str, ...]:
    """Of a run that people have checked: whether the score is of before."""
    is_of_machine = made.scores is not None and made.scores.get("scored") != "in_force"
    return _OF_THE_MACHINE if made.is_reviewed and is_of_machine else ()


def _rate(value: float | None) -> str:
    return "no data" if value is None else f"{value:.3f}"
