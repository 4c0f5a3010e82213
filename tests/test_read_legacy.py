"""Old and open office formats: the same facts as from the report, nothing fetched, and an end in time."""

from __future__ import annotations

import http.server
import os
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from carriers import SAMPLES, facts_of
from excel_writer import as_excel
from office import needs_office, saved_as
from ole_writer import ole
from open_document import odf
from word_writer import RUN, as_word, chinese_list, grid, numbered, paragraph, text_box, word, xml

from pipeline.config import LIBREOFFICE_VARIABLE
from pipeline.document import Document
from pipeline.errors import BrokenFile, DocumentError, TookTooLong, TooLarge, UnsupportedFormat
from pipeline.read import Limits, read_document

SENTENCE = "全年公开12条。"


def read(tmp_path: Path, data: bytes, name: str, limits: Limits | None = None) -> Document:
    path = tmp_path / name
    path.write_bytes(data)
    return read_document(path, limits=limits or Limits())


# --- the same facts ----------------------------------------------------------------------

REPORTS = ("qilan_2022", "jichuan_2019")
CARRIERS = [
    # saved as, named, read from, media type
    ("doc", "doc", "docx", "application/msword"),
    ("doc", "wps", "docx", "application/msword"),
    ("rtf", "rtf", "docx", "application/rtf"),
    ("odt", "odt", "docx", "application/vnd.oasis.opendocument.text"),
    ("xls", "xls", "xlsx", "application/vnd.ms-excel"),
    ("xls", "et", "xlsx", "application/vnd.ms-excel"),
    ("ods", "ods", "xlsx", "application/vnd.oasis.opendocument.spreadsheet"),
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    """Ending → report → file, and the same for the document of `printed`."""
    folder = tmp_path_factory.mktemp("saved")
    documents, workbooks = [folder / "printed.docx"], []
    documents[0].write_bytes(printed())
    for name in REPORTS:
        report = read_document(SAMPLES / f"{name}.html")
        documents.append(as_word(report, folder / f"{name}.docx"))
        workbooks.append(as_excel(report, folder / f"{name}.xlsx"))
    files = {ending: saved_as(ending, documents, folder) for ending in ("doc", "rtf", "odt")}
    return files | {ending: saved_as(ending, workbooks, folder) for ending in ("xls", "ods")}


@needs_office
@pytest.mark.parametrize(("number", "carrier"), list(enumerate(CARRIERS)), ids=[c[1] for c in CARRIERS])
def test_the_same_facts_as_from_the_report(
    saved: dict[str, dict[str, Path]], tmp_path: Path, number: int, carrier: tuple[str, ...]
) -> None:
    saved_ending, ending, _, media_type = carrier
    name = REPORTS[number % len(REPORTS)]
    document = read(tmp_path, saved[saved_ending][name].read_bytes(), f"{name}.{ending}")
    original = read_document(SAMPLES / f"{name}.html")
    assert facts_of(document) == facts_of(original)
    assert (document.media_type, document.file) == (media_type, f"{name}.{ending}")


def printed() -> bytes:
    """What a conversion may lose: list numbers, merged cells, vertical text, text boxes, reviews."""
    vertical = "<w:tcPr><w:vMerge w:val='restart'/><w:textDirection w:val='tbRlV'/></w:tcPr>"
    cells = [(vertical, "办理"), ("", "予以公开"), ("", "3")]
    below = [("<w:tcPr><w:vMerge/></w:tcPr>", ""), ("", "部分公开"), ("", "1")]
    rows = "".join(
        "<w:tr>" + "".join(f"<w:tc>{p}<w:p>{RUN.format(text)}</w:p></w:tc>" for p, text in row) + "</w:tr>"
        for row in (cells, below)
    )
    columns = (
        "<w:tblPr/><w:tblGrid><w:gridCol w:w='900'/><w:gridCol w:w='2000'/><w:gridCol w:w='900'/></w:tblGrid>"
    )
    deleted = "<w:del w:id='2' w:author='a'><w:r><w:delText>99条</w:delText></w:r></w:del>"
    hidden = "<w:r><w:rPr><w:vanish/></w:rPr><w:t>77条</w:t></w:r>"
    return word(
        chinese_list,
        xml(numbered(0, "总体情况")),
        xml(numbered(1, "主动公开")),
        xml(numbered(0, "存在问题")),
        xml(f"<w:p>{RUN.format('全年公开')}{deleted}{hidden}{RUN.format('12条。')}</w:p>"),
        xml(f"<w:tbl>{columns}{rows}</w:tbl>"),
        paragraph("两张表之间。"),
        grid([["申请人", "", "总计"], ["自然人", "企业", ""]], [(0, 0, 0, 1), (0, 2, 1, 2)]),
        text_box([["规章", "5"], ["许可", "7"]]),
        paragraph("结束。"),
    )


@needs_office
@pytest.mark.parametrize("ending", ["doc", "odt"])
def test_what_is_printed_is_read(saved: dict[str, dict[str, Path]], ending: str) -> None:
    document = read_document(saved[ending]["printed"])
    lines = document.text.split("\n")
    assert lines[:4] == ["一、总体情况", "（一）主动公开", "二、存在问题", SENTENCE]
    tables = [[(c.text, c.row_span, c.column_span) for c in table.cells] for table in document.tables]
    assert tables == [
        [("办理", 2, 1), ("予以公开", 1, 1), ("3", 1, 1), ("部分公开", 1, 1), ("1", 1, 1)],
        [("申请人", 1, 2), ("总计", 2, 1), ("自然人", 1, 1), ("企业", 1, 1)],
        [("规章", 1, 1), ("5", 1, 1), ("许可", 1, 1), ("7", 1, 1)],
    ]


WORD_2003 = (
    '<?xml version="1.0" encoding="UTF-8"?><?mso-application progid="Word.Document"?>'
    '<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"><w:body>'
    f"<w:p><w:r><w:t>{SENTENCE}</w:t></w:r></w:p></w:body></w:wordDocument>"
)
EXCEL_2003 = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="a"><Table><Row>'
    '<Cell><Data ss:Type="String">规章</Data></Cell><Cell><Data ss:Type="Number">3</Data></Cell></Row><Row>'
    '<Cell><Data ss:Type="String">文件</Data></Cell><Cell><Data ss:Type="Number">5</Data></Cell></Row>'
    "</Table></Worksheet></Workbook>"
)
RTF = (
    b"{\\rtf1\\ansi\\ansicpg936 "
    + "".join(f"\\'{byte:02x}" for byte in SENTENCE.encode("gbk")).encode()
    + b"}"
)
HAND_WRITTEN = [
    ("a.rtf", RTF, f"{SENTENCE}\n"),
    ("a.doc", WORD_2003.encode(), f"{SENTENCE}\n"),
    ("a.xls", EXCEL_2003.encode(), "规章\t3\n文件\t5\n"),
]


@needs_office
@pytest.mark.parametrize(
    ("name", "data", "text"), HAND_WRITTEN, ids=["rtf", "Word 2003 XML", "Excel 2003 XML"]
)
def test_files_of_other_programs_in_a_folder_with_a_chinese_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, text: str
) -> None:
    folder = tmp_path / "临时 文件"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert read(tmp_path, data, name).text == text


# --- nothing is fetched ------------------------------------------------------------------


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine and the addresses that were asked of it."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_any(self) -> None:
            seen.append(self.path)
            self.send_response(404)
            self.end_headers()

        do_GET = do_HEAD = do_OPTIONS = do_PROPFIND = do_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def picture(address: str) -> str:
    return (
        "<draw:frame text:anchor-type='as-char' svg:width='2cm' svg:height='2cm'><draw:image "
        f"xlink:href='{address}' xlink:type='simple' xlink:show='embed' xlink:actuate='onLoad'/></draw:frame>"
    )


def section(name: str, address: str) -> str:
    source = f"<text:section-source xlink:href='{address}' xlink:type='simple'/>"
    return f"<text:section text:name='{name}'>{source}<text:p>空</text:p></text:section>"


def linked_text(server: str, secret: Path) -> bytes:
    sections = section("a", f"{server}/section.odt") + section("b", secret.as_uri())
    whole = f"<draw:frame><draw:object xlink:href='{server}/object.odt' xlink:type='simple'/></draw:frame>"
    return odf(
        "text",
        f"<text:p>{SENTENCE}</text:p><text:p>{picture(f'{server}/a.png')}{whole}</text:p>{sections}",
    )


def formula(text: str) -> str:
    return f"<table:table-cell table:formula='of:={text}'/>"


def linked_sheet(server: str, secret: Path) -> bytes:
    cells = "<table:table-cell office:value-type='string'><text:p>规章</text:p></table:table-cell>"
    cells += formula(f"WEBSERVICE(&quot;{server}/web&quot;)") + formula(f"&apos;{server}/b.ods&apos;#$a.A1")
    cells += formula(f"WEBSERVICE(&quot;{secret.as_uri()}&quot;)")
    cells += formula(f"DDE(&quot;soffice&quot;;&quot;{server}/dde.ods&quot;;&quot;a.A1&quot;)")
    cells += f"<table:table-cell>{picture(f'{server}/c.png')}</table:table-cell>"
    filter_name = "table:filter-name='Text - txt - csv (StarCalc)'"
    other = "".join(
        f"<table:table table:name='{name}'><table:table-source xlink:href='{address}' {more}/>"
        "<table:table-row><table:table-cell/></table:table-row></table:table>"
        for name, address, more in (("b", f"{server}/d.ods", ""), ("c", secret.as_uri(), filter_name))
    )
    sheet = f"<table:table table:name='a'><table:table-row>{cells}</table:table-row></table:table>"
    return odf("spreadsheet", sheet + other)


def linked_rtf(server: str, secret: Path) -> bytes:
    def field(what: str) -> str:
        return f"{{\\field{{\\*\\fldinst {what}}}{{\\fldrslt x}}}}\\par "

    pictures = field(f'INCLUDEPICTURE "{server}/e.png" \\\\d') + field(f'INCLUDETEXT "{server}/f.docx"')
    template = f"{{\\*\\template {server}/g.dotx}}"
    return f"{{\\rtf1\\ansi{template}12\\par {pictures}{field(f'INCLUDETEXT {secret}')}}}".encode()


@needs_office
def test_nothing_is_fetched_and_no_file_beside_is_read(tmp_path: Path, asked: tuple[str, list[str]]) -> None:
    server, seen = asked
    secret = tmp_path / "secret.txt"
    secret.write_text("机密文件共999条", encoding="utf-8")
    # LibreOffice as it comes fetches for the first two; the fields of the third it leaves alone by itself.
    files = {
        "a.odt": linked_text(server, secret),
        "b.ods": linked_sheet(server, secret),
        "c.rtf": linked_rtf(server, secret),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    old = saved_as("doc", [tmp_path / "a.odt"], tmp_path) | saved_as("xls", [tmp_path / "b.ods"], tmp_path)
    assert seen, "LibreOffice as it comes fetches what these files link to"
    seen.clear()
    for path in (*(tmp_path / name for name in files), *old.values()):
        assert "机密" not in read_document(path).text, path.name
        assert seen == [], path.name


# --- limits ------------------------------------------------------------------------------


@needs_office
def test_a_sheet_of_a_thousand_million_cells_is_refused(tmp_path: Path) -> None:
    row = (
        "<table:table-row table:number-rows-repeated='1048576'><table:table-cell office:value-type='float' "
        "office:value='3' table:number-columns-repeated='1024'/></table:table-row>"
    )
    data = odf("spreadsheet", f"<table:table table:name='a'>{row}</table:table>")
    with pytest.raises(
        BrokenFile, match=r"cannot open the file as an OpenDocument spreadsheet.*too much memory"
    ):
        read(tmp_path, data, "a.ods", Limits(conversion_memory_bytes=700_000_000))


def test_a_package_that_unpacks_to_too_much_is_not_converted(tmp_path: Path) -> None:
    data = odf("text", "<text:p>0</text:p>" * 100_000)
    with pytest.raises(TooLarge, match="bytes when unpacked"):
        read(tmp_path, data, "a.odt", Limits(expanded_bytes=1_000_000))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of LibreOffice; a test writes what it does."""
    path = tmp_path / "bin" / "soffice"
    path.parent.mkdir()
    path.touch(mode=0o700)
    monkeypatch.setenv(LIBREOFFICE_VARIABLE, str(path.parent))
    return path


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for LibreOffice")
def test_what_takes_too_long_is_stopped_with_all_that_it_started(tmp_path: Path, program: Path) -> None:
    child = tmp_path / "child"
    program.write_text(f"#!/bin/sh\nsleep 60 &\necho $! > {child}\nwait\n", encoding="utf-8")
    with pytest.raises(TookTooLong, match="stopped after 1 second") as stopped:
        read(tmp_path, RTF, "a.rtf", Limits(conversion_seconds=1))
    assert stopped.value.code == "timeout"
    assert has_ended(int(child.read_text()))


def has_ended(pid: int) -> bool:
    """A killed process may be listed a moment longer, until it is taken off the list."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return Path(f"/proc/{pid}/stat").is_file() and ") Z " in Path(f"/proc/{pid}/stat").read_text()


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for LibreOffice")
def test_the_program_is_told_no_keys_and_has_a_folder_of_its_own(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONGKAI_API_KEY", "a-key")
    told = tmp_path / "told"
    program.write_text(f'#!/bin/sh\nenv > {told}\necho "$@" >> {told}\n', encoding="utf-8")
    with pytest.raises(BrokenFile, match="cannot open the file as a Rich Text document"):
        read(tmp_path, RTF, "a.rtf")
    said = told.read_text()
    (home,) = {line.partition("=")[2] for line in said.splitlines() if line.startswith("HOME=")}
    assert "a-key" not in said
    assert f"-env:UserInstallation=file://{home}/profile" in said
    assert not Path(home).exists()


@pytest.mark.parametrize(
    "data", [RTF, odf("text", ""), odf("spreadsheet", ""), ole({"WordDocument": b"\xec\xa5"})]
)
def test_without_libreoffice_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setenv(LIBREOFFICE_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(
        UnsupportedFormat, match=rf"{LIBREOFFICE_VARIABLE} names .*none.* Install LibreOffice"
    ):
        read(tmp_path, data, "a.doc")


# --- passwords, damage, other kinds ------------------------------------------------------

FIB = struct.pack("<6H", 0xA5EC, 0xC1, 0, 0, 0, 0)
PROTECTED_FIB = struct.pack("<6H", 0xA5EC, 0xC1, 0, 0, 0, 0x0100)
PROTECTED_SHEET = struct.pack("<4H", 0x0809, 0, 0x002F, 0)
REFUSED: list[tuple[str, bytes, type[DocumentError], str]] = [
    ("Word with a password", ole({"WordDocument": PROTECTED_FIB}), BrokenFile, "protected with a password"),
    ("new formats with one", ole({"EncryptionInfo": b"", "EncryptedPackage": b""}), BrokenFile, "password"),
    ("ODT with one", odf("text", "", "<manifest:encryption-data/>"), BrokenFile, "protected with a password"),
    ("slides", ole({"PowerPoint Document": b""}), UnsupportedFormat, "a presentation"),
    ("a message", ole({"__properties_version1.0": b""}), UnsupportedFormat, "an Outlook message"),
    ("another kind", ole({"Contents": b"x"}), UnsupportedFormat, "an OLE file of no known kind"),
    ("half a file", ole({"WordDocument": FIB})[:700], BrokenFile, "damaged or cut off"),
    ("half a package", odf("text", "")[:300], UnsupportedFormat, "a damaged ZIP archive"),
    ("a drawing", odf("graphics", ""), UnsupportedFormat, "neither text nor spreadsheet"),
]


@pytest.mark.parametrize(
    ("data", "error", "says"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refusals_say_what_the_file_is(
    tmp_path: Path, data: bytes, error: type[DocumentError], says: str
) -> None:
    with pytest.raises(error, match=f"^a.doc: .*{says}"):
        read(tmp_path, data, "a.doc")


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for LibreOffice")
def test_a_workbook_that_only_a_password_opens(tmp_path: Path, program: Path) -> None:
    program.write_text("#!/bin/sh\necho Error: source file could not be loaded >&2\n", encoding="utf-8")
    with pytest.raises(BrokenFile, match="protected with a password"):
        read(tmp_path, ole({"Workbook": PROTECTED_SHEET}), "a.xls")
    with pytest.raises(BrokenFile, match="source file could not be loaded"):
        read(tmp_path, ole({"Workbook": struct.pack("<4H", 0x0809, 0, 0x000A, 0)}), "a.xls")
