"""Choosing the reader, encodings with right and wrong declarations, refusals."""

from __future__ import annotations

import base64
import gzip
import hashlib
import lzma
import quopri
from pathlib import Path

import pytest

from pipeline.errors import BrokenFile, DocumentError, EmptyFile, TooLarge, UnsupportedFormat
from pipeline.read import Limits, read_document
from pipeline.read.encoding import decode

SENTENCE = "云岭县全年主动公开政府信息1200余条，未收到公开申请。"


def write(tmp_path: Path, data: bytes, name: str = "report.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


ENCODINGS = ["utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_text_without_declaration(tmp_path: Path, encoding: str) -> None:
    data = f"一、概述\n{SENTENCE}\n".encode(encoding)
    assert read_document(write(tmp_path, data)).text == f"一、概述\n{SENTENCE}\n"


DECLARED = [
    # written in, declared as, read as
    ("utf-8", "utf-8", "utf-8"),
    ("gb18030", "gb2312", "gb18030"),
    ("gb18030", "GBK", "gb18030"),
    ("utf-8", "gb2312", "utf-8"),
    ("gb18030", "utf-8", "gb18030"),
    ("gb18030", "iso-8859-1", "gb18030"),
    ("gb18030", "no-such-code", "gb18030"),
    ("gb18030", None, "gb18030"),
    ("utf-8", None, "utf-8"),
    ("big5", "big5", "big5"),
]


@pytest.mark.parametrize(("written", "declared", "read_as"), DECLARED)
def test_page_with_declaration(tmp_path: Path, written: str, declared: str | None, read_as: str) -> None:
    sentence = "本年度共收到申請十二件。" if written == "big5" else SENTENCE
    meta = f"<meta http-equiv=Content-Type content='text/html; charset={declared}'>" if declared else ""
    data = f"<html><head>{meta}</head><body><p>{sentence}</p></body></html>".encode(written)
    document = read_document(write(tmp_path, data, "report.html"))
    assert document.text == sentence + "\n"
    assert decode(data).encoding == read_as
    same = {"utf-8": ["utf-8"], "gb18030": ["gb2312", "gbk"], "big5": ["big5"]}[read_as]
    assert bool(document.notes) == (declared is not None and declared.lower() not in same)


def test_a_few_damaged_bytes_do_not_lose_the_text(tmp_path: Path) -> None:
    for encoding in ("utf-8", "gb18030"):
        data = (SENTENCE * 40).encode(encoding)
        document = read_document(write(tmp_path, data[:-1]))
        assert SENTENCE * 39 in document.text
        assert "damaged" in document.notes[0]


CONTENT = [
    (b"<!DOCTYPE html><p>x", "report.txt", "text/html"),
    ("<div><p>甲</p><p>乙</p></div>".encode(), "report.txt", "text/html"),
    ("# 报告\n\n正文。".encode(), "report.html", "text/markdown"),
    ("网址<http://example.cn>已更新。".encode(), "report.html", "text/plain"),
    ("BM12条，公开。".encode(), "report.txt", "text/plain"),
]


@pytest.mark.parametrize(("data", "name", "media_type"), CONTENT)
def test_the_carrier_is_chosen_by_content(tmp_path: Path, data: bytes, name: str, media_type: str) -> None:
    assert read_document(write(tmp_path, data, name)).media_type == media_type


def test_identity_of_the_document(tmp_path: Path) -> None:
    data = SENTENCE.encode()
    document = read_document(write(tmp_path, data, "云岭县_2031.年报.txt"))
    assert (document.doc_id, document.file) == ("云岭县_2031.年报", "云岭县_2031.年报.txt")
    assert document.sha256 == hashlib.sha256(data).hexdigest()
    assert document.page_count is None


REFUSED = [
    (b"", EmptyFile, "empty"),
    (" \n\t\u3000\r\n".encode(), EmptyFile, "white space"),
    (b"\xef\xbb\xbf\n", EmptyFile, "white space"),
    (
        b"PK\x03\x04" + bytes(26) + b"word/document.xml" + bytes(99),
        BrokenFile,
        "Word document is damaged",
    ),
    (b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml" + bytes(99), BrokenFile, "Excel workbook is damaged"),
    (b"PK\x03\x04" + bytes(99), UnsupportedFormat, "damaged ZIP archive"),
    (b"PK\x05\x06" + bytes(18), UnsupportedFormat, "empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), BrokenFile, "old Word, Excel or WPS"),
    (b"Rar!\x1a\x07\x01\x00" + bytes(99), UnsupportedFormat, "a RAR archive, .* Unpack it"),
    (b"7z\xbc\xaf\x27\x1c" + bytes(99), UnsupportedFormat, "a 7-Zip archive, .* Unpack it"),
    (gzip.compress(b"abc"), UnsupportedFormat, "a gzip archive, .* Unpack it"),
    (lzma.compress(b"abc"), UnsupportedFormat, "an xz archive, .* Unpack it"),
    (
        b"report.doc".ljust(257, b"\x00") + b"ustar\x00" + bytes(250),
        UnsupportedFormat,
        "a tar archive, .* Unpack",
    ),
    (b"\x89PNG\r\n\x1a\n" + bytes(99), BrokenFile, "the picture is damaged"),
    (b"\xff\xd8\xff\xe0" + bytes(99), BrokenFile, "the picture is damaged"),
    (bytes(range(256)) * 20, UnsupportedFormat, "binary data"),
]


@pytest.mark.parametrize(("data", "error", "says"), REFUSED)
def test_refusals_say_what_the_file_is(
    tmp_path: Path, data: bytes, error: type[DocumentError], says: str
) -> None:
    with pytest.raises(error, match=f"^report.dat: .*{says}"):
        read_document(write(tmp_path, data, "report.dat"))


def test_unsupported_names_what_is_read(tmp_path: Path) -> None:
    read = (
        r"text, Markdown, HTML \(\.mht too\), Word and WPS \(\.docx, \.doc, \.wps\), RTF, OpenDocument .* PDF"
    )
    with pytest.raises(UnsupportedFormat, match=read):
        read_document(write(tmp_path, b"PK\x03\x04" + bytes(99)))


PAGE = f"<html><body><h1>一、概述</h1><p>{SENTENCE}</p><img src=http://example.cn/a.png></body></html>"


TRANSFERS = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring, "8bit": bytes}


def saved_page(content: bytes, encoding: str, transfer: str, kind: str = "text/html") -> bytes:
    """A page as browsers save it, with a picture beside it."""
    lines = [
        b"From: <Saved by a browser>",
        b"MIME-Version: 1.0",
        b'Content-Type: multipart/related; boundary="x"',
        b"",
        b"--x",
        f"Content-Type: {kind}; charset={encoding}".encode(),
        f"Content-Transfer-Encoding: {transfer}".encode(),
        b"",
        TRANSFERS[transfer](content),
        b"--x",
        b"Content-Type: image/png",
        b"",
        b"not a picture",
        b"--x--",
        b"",
    ]
    return b"\r\n".join(lines)


@pytest.mark.parametrize("transfer", list(TRANSFERS))
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_saved_web_page_is_read_like_the_page(tmp_path: Path, encoding: str, transfer: str) -> None:
    data = saved_page(PAGE.encode(encoding), encoding, transfer)
    document = read_document(write(tmp_path, data, "report.mht"))
    page = read_document(write(tmp_path, PAGE.encode(encoding), "report.html"))
    assert (document.text, document.media_type) == (page.text, "multipart/related")


def test_a_saved_page_without_a_page_says_so(tmp_path: Path) -> None:
    data = saved_page(b"only text", "utf-8", "8bit", "text/plain")
    with pytest.raises(BrokenFile, match="holds no page"):
        read_document(write(tmp_path, data, "report.mht"))


LIMITS = [
    (Limits(file_bytes=10), "bytes"),
    (Limits(text_characters=10), "characters"),
    (Limits(printed_characters=10), "printed characters"),
]


@pytest.mark.parametrize(("limits", "names"), LIMITS)
def test_limits(tmp_path: Path, limits: Limits, names: str) -> None:
    with pytest.raises(TooLarge, match=f"the limit is 10 {names}"):
        read_document(write(tmp_path, SENTENCE.encode()), limits=limits)


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"missing\.txt: the file cannot be read"):
        read_document(tmp_path / "missing.txt")
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document(tmp_path)


SAMPLES = Path(__file__).parents[1] / "gold" / "samples"


@pytest.mark.parametrize(
    "path", sorted(path for path in SAMPLES.glob("*.*") if path.suffix != ".yaml"), ids=lambda p: p.name
)
def test_sample_reports_are_read(path: Path) -> None:
    document = read_document(path)
    assert "政府信息公开工作年度报告" in document.text.replace(" ", "")
    assert all(document.slice(cell.span) == cell.text for table in document.tables for cell in table.cells)
