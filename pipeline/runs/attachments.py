"""Which files of a folder are attachments of a report beside them, and no documents of their own.

A file is one only where its name says whose it is, so that no report is ever swallowed:

- `X_附件1.xls`, `X-附件.doc`, `X（附表）.docx`, `X_attachment.xlsx` beside `X.html`;
- everything in a folder `X_附件/`, `X附件/` or `X_attachments/` beside it;
- what `sources.csv` names as a part of it (source_list.py);
- Word, Excel and PDF files in `X_files/` or `X.files/`, where browsers and WPS put what they
  save with a page. The pages in such a folder are frames of that page, and are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.read.names import REPORT_ENDINGS, WORKBOOK_ENDINGS, natural_order

_SAID = re.compile("附件|附表|attachments?|annex|appendix", re.I)
_BETWEEN = " \u3000_.·~（([【—–－-"
_SAVED_FOLDER = re.compile(r"[_.]files$", re.I)
_PAGES = frozenset(".txt .md .markdown .html .htm .xhtml .shtml .jsp .aspx .php .mht .mhtml".split())
ATTACHMENT_ENDINGS = REPORT_ENDINGS | WORKBOOK_ENDINGS


@dataclass(frozen=True, slots=True)
class Grouped:
    """Reports with the files attached to each, in natural order, and frames of saved pages."""

    attached: dict[Path, tuple[Path, ...]]
    frames: frozenset[Path]


def group(paths: Sequence[Path], said: Mapping[Path, Path]) -> Grouped:
    """Find the attachments among files. Of several reports that a name fits, the longest name counts.

    `said` has the report of files that `sources.csv` names as parts; it goes before names.
    Reports of one name in several formats (`X.html`, `X.pdf`) all have the attachment.
    """
    reports = _by_place(path for path in paths if path.suffix.lower() in REPORT_ENDINGS)
    attached: dict[Path, list[Path]] = {}
    frames: set[Path] = set()
    for path in paths:
        owners = [said[path]] if path in said else _roots(path, reports)
        if owners and _SAVED_FOLDER.search(path.parent.name) and path.suffix.lower() in _PAGES:
            frames.add(path)
            continue
        for owner in owners:
            attached.setdefault(owner, []).append(path)
    ordered = {owner: tuple(sorted(found, key=_in_order)) for owner, found in attached.items()}
    return Grouped(ordered, frozenset(frames))


def _in_order(path: Path) -> tuple[Path, list[tuple[int, str]]]:
    """By folder, then 附件 before 附件2 before 附件10: of two tables the first one counts."""
    return path.parent, natural_order(path.stem)


def _by_place(paths: Iterable[Path]) -> dict[Path, dict[str, list[Path]]]:
    """Folder → stem → files."""
    places: dict[Path, dict[str, list[Path]]] = {}
    for path in paths:
        places.setdefault(path.parent, {}).setdefault(path.stem, []).append(path)
    return places


def _roots(path: Path, reports: dict[Path, dict[str, list[Path]]]) -> list[Path]:
    """Whose attachment a file is; an attachment has none of its own: X_附件_附件1 is one of X."""
    return [root for owner in _owners(path, reports) for root in _roots(owner, reports) or [owner]]


def _owners(path: Path, reports: dict[Path, dict[str, list[Path]]]) -> list[Path]:
    if path.suffix.lower() not in ATTACHMENT_ENDINGS:
        return []
    beside, above = reports.get(path.parent, {}), reports.get(path.parent.parent, {})
    folder = path.parent.name
    found = [beside[stem] for stem in _stems(path.stem) if stem in beside]
    found += [above[stem] for stem in _folder_stems(folder) if stem in above]
    return found[0] if found else []


def _stems(name: str) -> Iterator[str]:
    """What a name may go on from with the word attachment, longest first: `X_附件1` → `X_`, `X`."""
    for said in reversed(list(_SAID.finditer(name))):
        end = said.start()
        while end:
            yield name[:end]
            if name[end - 1] not in _BETWEEN:
                break
            end -= 1


def _folder_stems(name: str) -> Iterator[str]:
    said = list(_SAID.finditer(name))
    if said and said[-1].end() == len(name):
        yield from _stems(name)
    saved = _SAVED_FOLDER.search(name)
    if saved:
        yield name[: saved.start()]


def beside_named(named: Sequence[Path], known: Collection[Path]) -> list[Path]:
    """Files beside those named outright, and in folders that begin like their names: perhaps attachments.

    What is `known` is left out.
    """
    found: list[Path] = []
    for folder in dict.fromkeys(path.parent for path in named):
        stems = tuple(path.stem for path in named if path.parent == folder)
        for entry in _entries(folder):
            if entry.is_dir() and entry.name.startswith(stems):
                found.extend(_entries(entry))
            else:
                found.append(entry)
    taken = set(known)
    return [path for path in found if path not in taken and path.is_file()]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
