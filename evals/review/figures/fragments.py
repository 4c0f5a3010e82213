"""Two states of a document → fragments of the parts of its page that differ, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from evals.review.figures.document import DocumentView
from evals.review.figures.views import Grid
from evals.review.render import fragment, lang_of
from evals.review.typed import shown
from evals.review.words import words
from pipeline.runs.reviews import ReviewEvent


@dataclass(frozen=True)
class ChangedParts:
    """Two states of a document, and the parts of the page in which they differ."""

    request: Request
    before: DocumentView
    after: DocumentView

    def fragments(self) -> Iterator[dict[str, str]]:
        """A fragment a cell; a whole group where it has other rows now, all where there are other groups."""
        yield self._fragment("findings", "figures_findings.html", view=self.after)
        yield self._fragment("progress", "figures_progress.html", view=self.after)
        if [each.key for each in self.before.sections] != [each.key for each in self.after.sections]:
            yield self._fragment("sections", "figures_sections.html", view=self.after)
            return
        for old, new in zip(self.before.sections, self.after.sections, strict=True):
            old_slots = [row.slot for grid in old.grids for row in grid.rows]
            new_slots = [row.slot for grid in new.grids for row in grid.rows]
            if old_slots != new_slots:
                yield self._fragment(f"section:{new.key}", "figures_section.html", section=new)
                continue
            for grid in new.grids:
                yield from self._changed(grid)

    def _changed(self, grid: Grid) -> Iterator[dict[str, str]]:
        """Cells of a table of the forms; of a list whole rows, which say more of a figure."""
        for row in grid.rows:
            changed = [place for place in row.cells if place != self.before.places.get(place.slot)]
            if changed and grid.is_list:
                yield self._fragment(row.slot, "figures_row.html", row=row, form=grid.form)
                continue
            for place in changed:
                yield self._fragment(place.slot, "figures_place.html", place=place, form=grid.form)

    def _fragment(self, name: str, template: str, **context: Any) -> dict[str, str]:
        return {"id": name, "html": fragment(self.request, template, **context)}

    @property
    def findings_gone(self) -> int:
        """How many findings hold no longer."""
        now = [each.finding for each in self.after.findings]
        return sum(each.finding not in now for each in self.before.findings)

    def said(self, events: Sequence[ReviewEvent]) -> str:
        """For the live region: what was done, and what became of the findings."""
        t = words(lang_of(self.request))
        counts = self.after.counts
        parts = []
        if len(events) == 1:
            figure = self.after.figures.get(events[0].target.key)
            value = "" if figure is None else shown(figure.fact)
            parts.append(t(f"review.said_{events[0].action}", value=value))
        elif events:
            parts.append(t("review.said_several", n=len(events)))
        before = [each.finding for each in self.before.findings]
        new = sum(each.finding not in before for each in self.after.findings)
        if self.findings_gone:
            parts.append(t("review.said_gone", n=self.findings_gone))
        if new:
            parts.append(t("review.said_new", n=new))
        if events:
            parts.append(t("review.said_progress", checked=counts.checked, total=counts.total))
        return " ".join(parts)
