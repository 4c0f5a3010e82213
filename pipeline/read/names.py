"""Names of files: what their endings promise, and names from archives as text."""

from __future__ import annotations

import re

from pipeline.read.characters import collapse, plain_newlines

# Endings under which reports are published and that are read; content decides what a file is.
REPORT_ENDINGS = frozenset(
    ".txt .md .markdown .html .htm .xhtml .shtml .jsp .aspx .php .mht .mhtml .pdf "
    ".docx .docm .dotx .doc .dot .wps .wpt .rtf .odt .zip".split()
)
# Workbooks are read as well, but seldom are the report: in a folder only as attachments, or named outright.
WORKBOOK_ENDINGS = frozenset(".xlsx .xlsm .xls .et .ods".split())
ARCHIVE_ENDINGS = frozenset(".zip .rar .7z .gz .tgz .tar .bz2 .xz".split())
_BRACKETS = re.compile(r"[()（）【】\[\]]")
_TITLE = re.compile("(?:信息|政务)公开.{0,12}(?:报告|年报|总结)")
_NO_REPORT = re.compile("附件|附表|统计表|情况表|汇总表|一览表|目录|指南|通知|说明|解读|附[:：]")


def readable_bytes(raw: bytes) -> str:
    """A file name as text. Bytes that are no UTF-8 are read as GB18030, as in archives made on
    Chinese Windows, or else written `\\xb1`.
    """
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")


def readable_name(name: str) -> str:
    """A name as the file system gives it, whose bytes need not be UTF-8, as text."""
    return readable_bytes(name.encode("utf-8", "surrogateescape"))


def natural_order(name: str) -> list[tuple[int, str]]:
    """A key to sort names by: 附件2 before 附件10, and 附件 before both."""
    pieces = re.split(r"(\d+)", _BRACKETS.sub("", name))
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces]


def on_one_line(name: str) -> str:
    """A file name as it may stand in a text: without line ends and invisible characters."""
    return collapse(plain_newlines(name)) or "?"


def names_a_report(text: str) -> bool:
    """Whether a file name or a line is that of an annual report, and not of something attached to one."""
    return len(text) <= 80 and _TITLE.search(text) is not None and _NO_REPORT.search(text) is None
