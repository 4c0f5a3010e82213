"""ZIP archives that hold one report with its attachments: read as one document, in memory only.

The report is the file with the title of an annual report and sentences under it, else the
one whose name says so, else the longest text. Its attachments follow in the order of their
names. An archive of several reports is refused: they are documents of their own.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pipeline.errors import BrokenFile, DocumentError, UnsupportedFormat
from pipeline.read import names
from pipeline.read.attached import ReadFile, with_attachments
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.package import opened_within, unpacked_size
from pipeline.read.parts import FilePart, Reading, ReadNested, TextPart

MEDIA_TYPE = "application/zip"
_IGNORED = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
_CLIMBS = re.compile(r"^(?:/|[A-Za-z]:)|(?:^|/)\.\.(?:/|$)")
_TITLE_WITHIN = 15
_MIN_SENTENCES = 3
_SAME = 0.6
_NAMED = 10
_ENCRYPTED = 0x1
_UTF8_NAME = 0x800
# What zipfile raises on damaged archives; caught around its calls only.
_FAULTS = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError, KeyError
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    info: zipfile.ZipInfo

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.name)


def read_archive(data: bytes, limits: Limits, read: ReadNested) -> Reading:
    """Parts of the report and its attachments; `read` reads a member.

    Raises UnsupportedFormat (several reports, an archive inside, nothing to read), BrokenFile
    (damaged, password), TooLarge.
    """
    try:
        package = opened_within(data, limits)
    except _FAULTS as error:
        raise BrokenFile(
            "the ZIP archive is damaged or cut off: it cannot be opened. Get it again from its source."
        ) from error
    with package:
        members = list(_members(package))
        refuse_above(len(members), limits.archive_members, "files in the archive")
        documents = [each for each in members if each.path.suffix.lower() in _DOCUMENTS]
        reports = {each.path.stem: each.name for each in documents if names.names_a_report(each.path.stem)}
        _refuse_several(list(reports.values()))
        files, failures = _read_all(package, documents, limits, read)
    report, attachments, repeated = _sorted(files, failures, len(members))
    reading = with_attachments(report.reading, attachments, "inside", limits)
    losses = [f"{name}: not read: {error}" for name, error in failures]
    notes = [*_notes_on(members, documents)]
    notes += [f"{each.file}: not read: the same report as {report.file}" for each in repeated]
    first = FilePart(report.file, report.sha256, "inside")
    return replace(
        reading,
        parts=[first, *reading.parts],
        media_type=MEDIA_TYPE,
        notes=(*reading.notes, *notes),
        losses=(*reading.losses, *losses),
    )


_DOCUMENTS = (names.REPORT_ENDINGS | names.WORKBOOK_ENDINGS | {""}) - {".zip"}


def _members(package: zipfile.ZipFile) -> Iterator[_Member]:
    """What counts of an archive. Raises UnsupportedFormat for an archive in it, BrokenFile for a password."""
    for info in package.infolist():
        member = _Member(_name(info), info)
        base = member.path.name
        is_junk = base.startswith((".", "~$")) or not _IGNORED.isdisjoint(member.name.lower().split("/"))
        if info.is_dir() or is_junk:
            continue
        if member.path.suffix.lower() in names.ARCHIVE_ENDINGS:
            raise UnsupportedFormat(
                f"the ZIP archive holds another archive ({member.name}). Unpack both, and name the folder "
                "or the report in it."
            )
        if info.flag_bits & _ENCRYPTED:
            raise BrokenFile(
                f"the ZIP archive is protected with a password ({member.name} is encrypted). Unpack it with "
                "the password, and name the folder or the report in it."
            )
        yield member


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name: UTF-8 where the archive says so; else zipfile took its bytes for code page 437."""
    name = info.filename
    if not info.flag_bits & _UTF8_NAME:
        try:
            name = names.readable_bytes(name.encode("cp437"))
        except UnicodeEncodeError:
            name = info.filename
    return names.on_one_line(name.replace("\\", "/"))


def _refuse_several(reports: Sequence[str]) -> None:
    """Raise UnsupportedFormat if there is more than one, which the message names."""
    if len(reports) > 1:
        raise UnsupportedFormat(
            f"the ZIP archive holds {len(reports)} reports ({_listed(reports)}), and is read as one "
            "document. Unpack it, and name the folder: each report becomes a document of its own."
        )


def _listed(found: Sequence[str]) -> str:
    more = f" and {len(found) - _NAMED} others" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def _read_all(
    package: zipfile.ZipFile, members: Sequence[_Member], limits: Limits, read: ReadNested
) -> tuple[list[ReadFile], list[tuple[str, DocumentError]]]:
    """The members that can be read, in the order of their names, and why the others cannot.

    What packages inside of the archive unpack to counts towards the same limit as the archive.
    """
    left = limits.expanded_bytes - sum(member.file_size for member in package.infolist())
    files: list[ReadFile] = []
    failures: list[tuple[str, DocumentError]] = []
    for member in sorted(members, key=lambda each: names.natural_order(each.name)):
        try:
            data = _content(package, member, limits)
            reading = read(data, replace(limits, expanded_bytes=left))
            left -= unpacked_size(data)
        except DocumentError as error:
            failures.append((member.name, error))
        else:
            files.append(ReadFile(member.name, hashlib.sha256(data).hexdigest(), reading))
    return files, failures


def _content(package: zipfile.ZipFile, member: _Member, limits: Limits) -> bytes:
    refuse_above(member.info.file_size, limits.file_bytes, "bytes")
    try:
        return package.read(member.info)
    except _FAULTS as error:
        raise BrokenFile(f"damaged in the archive ({error}). Get it again from its source.") from error


def _sorted(
    files: Sequence[ReadFile], failures: Sequence[tuple[str, DocumentError]], count: int
) -> tuple[ReadFile, list[ReadFile], list[ReadFile]]:
    """The report, its attachments, and the same report in other formats. Raises UnsupportedFormat."""
    if not files:
        raise _nothing_read(failures, count)
    whole = [each for each in files if _is_whole(each.reading)]
    named = [each for each in files if names.names_a_report(PurePosixPath(each.file).stem)]
    best = whole or named
    report = max(best or files, key=lambda each: (bool(best) and each.cell_count, each.prose_length))
    others = [each for each in files if each is not report]
    repeated = [each for each in others if _is_same(each.reading, report.reading)]
    _refuse_several([report.file, *(each.file for each in whole if each in others and each not in repeated)])
    return report, [each for each in others if each not in repeated], repeated


def _nothing_read(failures: Sequence[tuple[str, DocumentError]], count: int) -> DocumentError:
    if len(failures) == 1:
        name, error = failures[0]
        return type(error)(f"in the ZIP archive, {name}: {error}")
    if failures:
        what = "; ".join(f"{name}: {error}" for name, error in failures[:3])
        return UnsupportedFormat(f"the ZIP archive holds no file that can be read. {what}")
    return UnsupportedFormat(
        f"the ZIP archive holds no document ({count} other files). Unpack it, and name the report in it."
    )


def _is_whole(reading: Reading) -> bool:
    """Whether a text is a report of its own: its title, and sentences."""
    texts = [re.sub(r"\s", "", part.text) for part in reading.parts if isinstance(part, TextPart)]
    has_title = any(names.names_a_report(text) for text in texts[:_TITLE_WITHIN] if "。" not in text)
    return has_title and sum(text.count("。") for text in texts) >= _MIN_SENTENCES


def _is_same(one: Reading, other: Reading) -> bool:
    """Whether two texts are one report in two formats: most sentences of the shorter stand in the longer."""
    first, second = _sentences(one), _sentences(other)
    return len(first & second) > _SAME * min(len(first), len(second))


def _sentences(reading: Reading) -> set[str]:
    text = "\n".join(part.text for part in reading.parts if isinstance(part, TextPart))
    return {re.sub(r"\s", "", sentence) for sentence in text.split("。")[:-1]}


def _notes_on(members: Sequence[_Member], documents: Sequence[_Member]) -> Iterator[str]:
    others = [each.name for each in members if each not in documents]
    if others:
        yield f"in the archive, but not read: {_listed(others)}"
    outside = [each.name for each in members if _CLIMBS.search(each.name)]
    if outside:
        yield f"names that lead out of the archive, read in memory and never unpacked: {_listed(outside)}"
