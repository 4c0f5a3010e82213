"""What a panel is made of: places as of a year, records with their issuers, versions of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.fact import Record, RecordStatus
from pipeline.panel.stored import Review, StoredRecord
from pipeline.runs.corrected import Changed, changed

Role = Literal["chosen", "duplicate", "superseded", "other_carrier", "failed"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A place as of a year, of GB/T 2260 or as a report prints it.

    `unit_id` stays the same through renaming, recoding and upgrading (县 → 市 → 区): the latest
    code known of the same place. Names and codes are as of the year. `successors` are the
    `unit_id`s of places that it was merged or split into later.

    A place that GB/T 2260 does not have goes by what is printed: `unit_id` is the printed code, or
    `name:青岚县` where there is none; `code` is then empty, and `level` None where the name does
    not tell it (青岚市).
    """

    unit_id: str
    code: str
    name: str
    level: Literal["province", "prefecture", "county"] | None
    province: str | None = None
    province_code: str | None = None
    prefecture: str | None = None
    prefecture_code: str | None = None
    county: str | None = None
    county_code: str | None = None
    successors: tuple[str, ...] = ()


class _Held:
    """A record, or its place in a run: then it is read whenever it is asked for."""

    def __get__(self, source: Source | None, owner: type[Source]) -> Record:
        if source is None:
            raise AttributeError("record")  # a field without a default
        held = source.held
        return held.load() if isinstance(held, StoredRecord) else held

    def __set__(self, source: Source, record: Record | StoredRecord) -> None:
        source.__dict__["record"] = record


@dataclass(frozen=True)
class Source:
    """A record of a run, with what a panel must know of it.

    `run` is the run's label. `issuer` is as printed, `body` the issuer without its place
    (人民政府, 教育局, 石桥镇人民政府): what stays when a place is renamed. `reporter_id` is
    `{unit_id}:{body}`, None where place or issuer is not known; that of a national body is
    `national:{body}`, without a unit. `place_by_hint`: nothing printed tells the place, and `unit` is
    the one that `sources.csv` names.

    `record` has the facts in force, a person's before the machine's. It reads a stored record anew
    unless it was among the last ones: take it once and keep it while a source is worked on, no
    longer. `doc_id`, `sha256` and `status` cost nothing; `status` is that of the written record.
    """

    run: str
    record: _Held = _Held()
    year: int | None = None
    unit: Unit | None = None
    issuer: str | None = None
    body: str | None = None
    issuer_type: str | None = None
    level: str | None = None
    reporter_id: str | None = None
    place_by_hint: bool = False

    @property
    def held(self) -> Record | StoredRecord:
        """The record or its place, unread."""
        held: Record | StoredRecord = self.__dict__["record"]
        return held

    @property
    def written(self) -> Record:
        """The record as it was written: the machine's facts alone."""
        return self.held.load_written() if isinstance(self.held, StoredRecord) else self.held

    @property
    def review(self) -> Review | None:
        """What people said of its figures in short; None where nobody said anything. It costs nothing."""
        return self.held.review if isinstance(self.held, StoredRecord) else None

    @property
    def changed(self) -> Changed:
        """The machine's facts with what people said of them."""
        if isinstance(self.held, StoredRecord):
            return self.held.load_changed()
        return changed(self.held, ())

    @property
    def doc_id(self) -> str:
        """The record's name."""
        return self.held.doc_id

    @property
    def sha256(self) -> str:
        """Hash of the document's bytes."""
        return self.held.sha256

    @property
    def status(self) -> RecordStatus:
        """`ok`, `flagged` or `failed`."""
        return self.held.status


@dataclass(frozen=True, slots=True)
class Version:
    """One of several documents with the same report; `of` is the `doc_id` of the chosen one."""

    source: Source
    role: Role
    of: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PanelRow:
    """An issuer in a year: the report that counts, and all its versions, the chosen one among them."""

    reporter_id: str
    year: int
    chosen: Source
    versions: tuple[Version, ...]
