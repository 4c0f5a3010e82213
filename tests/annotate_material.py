"""Runs for the annotation mode, and an annotator at the keyboard who knows what a sample says.

The records of these runs hold what no document prints: whatever of it is seen came from the machine.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from evals.gold_file import GoldFile, GoldItem, GoldStatement
from evals.occurrences import SearchText
from evals.review.annotation.values import line_value_shown
from pipeline import read as reading
from pipeline.fact import Evidence, Fact, Finding, Record, Templates
from pipeline.runs.record import RecordFile, write_text

SAMPLES = Path(__file__).parents[1] / "gold" / "samples"
MACHINE_VALUE = 90817263
MACHINE_SURENESS = 0.48151623
MACHINE_WORDS = "the machine's own words"


def machine_run(folder: Path, documents: Sequence[Path]) -> Path:
    """A run over `documents` whose facts, findings and forms are made up."""
    folder.mkdir(parents=True)
    file = RecordFile(folder)
    for document in documents:
        sha256 = hashlib.sha256(document.read_bytes()).hexdigest()
        file.append(_record(document, sha256))
        write_text(folder, sha256, text_of(document))
    file.close()
    return folder


def text_of(document: Path) -> str:
    """The canonical text of a document."""
    return reading.read_document(document).text


def _record(document: Path, sha256: str) -> Record:
    fact = Fact(
        path="proactive.total",
        value=MACHINE_VALUE,
        raw=MACHINE_WORDS,
        source="narrative",
        method="rule",
        evidence=Evidence(start=20, end=24),
        confidence=MACHINE_SURENESS,
    )
    finding = Finding(rule="requests.balance", severity="error", message=MACHINE_WORDS, paths=(fact.path,))
    forms = Templates(document="stat2014", proactive="stat2014", requests="stat2014", remedies="stat2014")
    return Record(
        doc_id=document.stem,
        file=document.name,
        sha256=sha256,
        media_type="text/plain",
        templates=forms,
        status="flagged",
        facts=(fact,),
        findings=(finding,),
    )


def until(page: Page, script: str, arg: object = None) -> None:
    """Wait until `script` is true. The pages forbid `eval`, by which Playwright's own waiting asks again."""
    end = time.monotonic() + 15
    while not page.evaluate(script, arg):
        assert time.monotonic() < end, f"{script} ({arg!r}); the focus is on {page.evaluate(FOCUS)}"
        page.wait_for_timeout(15)


FOCUS = "document.activeElement.id"


class Annotator:
    """Types what a gold file says into the form of its document: keys alone, no pointer, no script.

    The page is asked where the focus is and what is shown there: that is what a person sees.
    """

    def __init__(self, page: Page, text: str) -> None:
        self.page = page
        self.keys = page.keyboard
        self.text = SearchText(text)

    def annotate(self, gold: GoldFile) -> None:
        """Everything, from the empty form to the last key."""
        self.forms(gold)
        self.metadata(gold)
        self.tables(gold)
        self.prose(gold.narrative)
        self.items("text.problems", gold.text.problems)
        self.items("text.improvements", gold.text.improvements)
        self.to_part("k-notes")
        self.keys.type("typed by keyboard")

    def forms(self, gold: GoldFile) -> None:
        self.to_part("k-templates.document")
        self.keys.type(gold.templates.document or "")
        self.keys.press("Tab")
        self.page.wait_for_selector("#form-head[data-journal='2']", state="attached")
        for name in ("proactive", "requests", "remedies"):
            wanted = getattr(gold.templates, name)
            if wanted and wanted != gold.templates.document:
                self.keys.type(wanted)
            self.keys.press("Tab")

    def metadata(self, gold: GoldFile) -> None:
        assert self.focused == "k-meta.issuer"
        for key in type(gold.meta).model_fields:
            assert self.focused == f"k-meta.{key}"
            value = getattr(gold.meta, key)
            self.keys.type("x" if value is None else str(value))
            self.keys.press("Tab")

    def tables(self, gold: GoldFile) -> None:
        for item, columns in gold.proactive.items():
            self.cells([(f"proactive.{item}.{column}", entry) for column, entry in columns.items()])
        for group, table in (("requests", gold.requests), ("remedies", gold.remedies)):
            for number, entries in enumerate(table.values()):
                if number == 0:
                    self.to_part(f"k-{group}.{next(iter(table))}.", is_prefix=True)
                if set(entries) == {0}:
                    self.keys.type("0")
                    self.keys.press("Shift+Enter")
                else:
                    self.cells([("", entry) for entry in entries])

    def cells(self, cells: Sequence[tuple[str, Any]]) -> None:
        for key, entry in cells:
            if key and self.focused != f"k-{key}":
                self.to_part(f"k-{key}")
            self.keys.type(str(entry))
            self.keys.press("Tab")

    def prose(self, lines: Sequence[GoldStatement]) -> None:
        self.to_part("", of="part-prose")
        for number, line in enumerate(lines):
            self.keys.press("Enter" if number == 0 else "Control+Enter")
            self.wait_for_new("raw")
            self.line(line)

    def line(self, line: GoldStatement) -> None:
        places = self.text.find(line.raw)
        wanted = self.text.find(line.raw, line.near)[0]
        self.keys.type(line.raw)
        for _ in range(places.index(wanted)):
            self.keys.press("ArrowDown")
        self.keys.press("Enter")
        # The list offers what has this in its path, the field of this name first.
        _, _, rest = line.path.partition(".")
        self.keys.type(rest if "." in rest else line.path)
        self.keys.press("Enter")
        self.wait_for_field("value")
        # What the path counts is shown once it is saved; then so is the value that the print has.
        until(
            self.page, "document.activeElement.closest('li').querySelector('.sense').innerText.trim() !== ''"
        )
        value = line_value_shown(line.model_dump())
        if self.shown != value:
            self.keys.press("Control+a")
            self.keys.type(value)
        self.keys.press("Tab")
        if self.shown != line.bound:
            self.keys.type(line.bound)
        self.keys.press("Tab")
        if self.shown != (line.scope or ""):
            self.keys.press("Home")
            if line.scope is not None:
                self.keys.type(line.scope)
        if line.label is not None:
            self.keys.press("Tab")
            self.keys.type(line.label)

    def items(self, name: str, items: Sequence[GoldItem]) -> None:
        self.to_part("", of=f"part-{name}")
        for number, item in enumerate(items):
            self.keys.press("Enter" if number == 0 else "Control+Enter")
            self.wait_for_new("starts")
            self.keys.type(item.starts)
            self.keys.press("Enter")
            self.wait_for_field("ends")
            self.keys.press("Control+a")
            self.keys.type(item.ends)

    def finish(self) -> None:
        self.keys.press("Control+Shift+Enter")
        self.page.wait_for_selector("#problems h2")

    def to_part(self, wanted: str, *, of: str = "", is_prefix: bool = False) -> None:
        """Go on by parts of the form until the focus is where it is wanted."""
        for _ in range(12):
            part = self.page.evaluate(
                "document.activeElement.closest('.part')?.getAttribute('aria-labelledby') ?? ''"
            )
            is_there = self.focused.startswith(wanted) if is_prefix else self.focused == wanted
            if (part == of) if of else is_there:
                return
            self.keys.press("Control+ArrowDown")
        raise AssertionError(f"the keys do not lead to {wanted or of}; the focus is on {self.focused}")

    def wait_for_new(self, field: str) -> None:
        """Until an empty field of a new line has the focus."""
        until(
            self.page,
            "field => document.activeElement.dataset.field === field && document.activeElement.value === ''"
            " && document.activeElement.closest('li').parentElement.lastElementChild"
            " === document.activeElement.closest('li')",
            field,
        )

    def wait_for_field(self, field: str) -> None:
        """Until the focus is in the field."""
        until(self.page, "field => document.activeElement.dataset.field === field", field)

    @property
    def focused(self) -> str:
        """The ID of what has the focus."""
        return str(self.page.evaluate(FOCUS))

    @property
    def shown(self) -> str:
        """What stands in the field that has the focus."""
        return str(self.page.evaluate("document.activeElement.value"))
