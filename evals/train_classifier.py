"""Train the classifier of figures in prose on annotated reports.

    python -m evals.train_classifier gold/dev gold/samples

Needs scikit-learn (a development dependency). Only figures count, denials are left to
the rules. Never train on gold that is meant to measure.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evals.gold import GoldDocument, load_gold
from evals.occurrences import SearchText, overlap
from pipeline.document import Span
from pipeline.metadata.reading import read_metadata
from pipeline.prose.classifier import NO_FIELD, WEIGHTS_FILE
from pipeline.prose.features import features_of
from pipeline.prose.mentions import find_mentions
from pipeline.prose.rules import label_by_rules
from pipeline.read import read_document

# Weights nearer to zero than this change no answer; without them the file is a tenth as large.
SMALLEST_WEIGHT = 0.06
REGULARISATION = 1.0


def training_rows(folder: Path) -> Iterator[tuple[dict[str, float], str]]:
    """Features of every figure of the reports in `folder`, with the field that gold gives it."""
    for gold in load_gold(folder).documents:
        yield from _rows_of(gold, folder / gold.file.file)


def _rows_of(gold: GoldDocument, path: Path) -> Iterator[tuple[dict[str, float], str]]:
    document = read_document(path)
    text = SearchText(document.text)
    stated = [
        (span, fact.path)
        for fact in gold.facts
        if fact.source == "narrative" and fact.raw is not None
        for span in text.find(fact.raw, fact.near)[:1]
    ]
    years = (fact.value for fact in read_metadata(document).facts if fact.path == "meta.year")
    year = next((value for value in years if isinstance(value, int)), None)
    previous: str | None = None
    for label in label_by_rules(find_mentions(document), year):
        if label.mention.kind == "figure":
            yield features_of(label, previous), _field(label.mention.span, label.path, stated)
            previous = label.path


def _field(span: Span, said: str | None, stated: list[tuple[Span, str]]) -> str:
    """Gold's field at a place; of two in one print the rule's where it is one of them."""
    paths = sorted({path for place, path in stated if overlap(place, span)})
    if said in paths:
        return said
    return paths[0] if paths else NO_FIELD


def train(folders: list[Path], target: Path) -> str:
    """Train on all folders and write the weights; a sentence on what came of it."""
    from sklearn.feature_extraction import DictVectorizer  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    rows = [row for folder in folders for row in training_rows(folder)]
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform([features for features, _ in rows])
    model = LogisticRegression(C=REGULARISATION, max_iter=400)
    model.fit(matrix, [field for _, field in rows])
    names = vectorizer.get_feature_names_out()
    weights = np.where(np.abs(model.coef_.T) < SMALLEST_WEIGHT, 0, model.coef_.T)
    kept = np.flatnonzero(np.abs(weights).sum(axis=1))
    places = [np.flatnonzero(weights[row]) for row in kept]
    np.savez_compressed(
        target,
        names=np.array("\n".join(names[kept])),
        fields=np.array("\n".join(str(field) for field in model.classes_)),
        bounds=np.cumsum([0, *(len(place) for place in places)]).astype(np.int32),
        columns=np.concatenate(places).astype(np.int16),
        values=np.concatenate([weights[row][place] for row, place in zip(kept, places, strict=True)]).astype(
            np.float16
        ),
        intercepts=model.intercept_.astype(np.float32),
    )
    size = target.stat().st_size
    return f"{len(rows)} figures, {len(model.classes_)} fields, {len(kept)} features, {size:,} bytes"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, help="folders of gold with the reports beside it")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="file for the weights")
    options = parser.parse_args()
    print(train(options.folders, options.out))


if __name__ == "__main__":
    main()
