"""Reading runs nothing, fetches nothing and expands nothing that a file refers to."""

# ruff: noqa: E501 - markup stays on one line

from __future__ import annotations

import re
import socket
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NoReturn

import pytest
from carrier_matrix import compared
from made_reports import make_report
from report_carriers import TEXT_CARRIERS

from pipeline.errors import DocumentError
from pipeline.extraction import extract_document
from pipeline.read import read_document

REPORT = make_report("table2021", 21)
ADDRESS = "http://127.0.0.1:9/fetched"
SECRET = "不该出现的内容"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("reading opened a network connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def changed(package: bytes, member: str, change: Callable[[str], str]) -> bytes:
    """An office package with one member changed, or added where it was not there."""
    written = BytesIO()
    with zipfile.ZipFile(BytesIO(package)) as old, zipfile.ZipFile(written, "w") as new:
        names = old.namelist()
        for name in names:
            content = old.read(name)
            new.writestr(name, change(content.decode()) if name == member else content)
        if member not in names:
            new.writestr(member, change(""))
    return written.getvalue()


def with_relation(rels: str) -> str:
    kinds = ("image", "attachedTemplate", "oleObject", "frame", "externalLinkPath")
    added = "".join(
        f'<Relationship Id="rIdX{kind}" Target="{ADDRESS}" TargetMode="External" '
        f'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}"/>'
        for kind in kinds
    )
    return rels.replace("</Relationships>", f"{added}</Relationships>")


def with_page_elements(page: str) -> str:
    elements = (
        f'<script src="{ADDRESS}.js">document.write("{SECRET}")</script><img src="{ADDRESS}.png" onerror="x()">'
        f'<iframe src="{ADDRESS}.html"></iframe><object data="{ADDRESS}"></object><embed src="{ADDRESS}">'
        f'<link rel=stylesheet href="{ADDRESS}.css"><base href="{ADDRESS}/"><video src="{ADDRESS}"></video>'
        f'<meta http-equiv=refresh content="0;url={ADDRESS}"><svg><image href="{ADDRESS}"/></svg>'
        f'<img src="file:///etc/passwd"><img src="../../../../etc/passwd"><a href="{ADDRESS}" ping="{ADDRESS}"></a>'
    )
    return re.sub(r"(?i)(<body[^>]*>)", lambda tag: tag[1] + elements, page, count=1)


def text_of(carrier: str) -> str:
    return TEXT_CARRIERS[carrier].write(REPORT).decode()


WORD, EXCEL = TEXT_CARRIERS["Word"].write(REPORT), TEXT_CARRIERS["Excel"].write(REPORT)
REFERRING = {
    "page.html": lambda: with_page_elements(text_of("page, modern")).encode(),
    "saved.html": lambda: with_page_elements(text_of("page, Word")).encode(),
    "list.md": lambda: (text_of("markdown") + f"\n\n![x]({ADDRESS}.png) <img src='{ADDRESS}'>").encode(),
    "word.docx": lambda: changed(WORD, "word/_rels/document.xml.rels", with_relation),
    "excel.xlsx": lambda: changed(EXCEL, "xl/_rels/workbook.xml.rels", with_relation),
}


@pytest.mark.parametrize("name", REFERRING)
def test_what_a_file_refers_to_is_not_fetched(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(REFERRING[name]())
    document = read_document(path)
    outcome = compared(REPORT, extract_document(document, "rules", None))
    assert (outcome.exact, outcome.invented) == (outcome.expected, ()), outcome
    assert SECRET not in document.text


def entities(xml: str) -> str:
    """A document type with an entity that refers to a file, and ones that grow to gigabytes."""
    grow = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE x [<!ENTITY e0 "{SECRET}"><!ENTITY file SYSTEM "file:///etc/passwd">{grow}]>'
    head, _, rest = xml.partition("?>")
    used = re.sub(r"(<(?:w:t|t)(?: [^>]*)?>)", r"\1&e9;&file;", rest)
    return f"{head}?>{doctype}{used}"


ENTITIES = {
    "word.docx": lambda: changed(WORD, "word/document.xml", entities),
    "excel.xlsx": lambda: changed(EXCEL, "xl/sharedStrings.xml", entities),
}


@pytest.mark.parametrize("name", ENTITIES)
def test_entities_are_not_expanded(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(ENTITIES[name]())
    try:
        text = read_document(path).text
    except DocumentError:
        return
    assert SECRET not in text
    assert "root:" not in text
