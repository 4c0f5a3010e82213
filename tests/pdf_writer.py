"""Small PDFs for tests, written byte by byte: text in a Chinese font that is not embedded, and lines.

Coordinates are points from the upper left of an A4 page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 595, 842
# What a user password would have to match: any other 32 bytes make the empty one fail.
_ENCRYPTION = "<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + "41" * 32 + "> /U <" + "42" * 32 + "> >>"


@dataclass
class Canvas:
    """One page as drawing operators."""

    operators: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, size: float = 12) -> Canvas:
        code = text.encode("utf-16-be").hex()
        self.operators.append(f"BT /F {size} Tf 1 0 0 1 {x} {HEIGHT - y - size} Tm <{code}> Tj ET")
        return self

    def line(self, x0: float, y0: float, x1: float, y1: float) -> Canvas:
        self.operators.append(f"0.7 w {x0} {HEIGHT - y0} m {x1} {HEIGHT - y1} l S")
        return self

    def white_box(self, x0: float, y0: float, x1: float, y1: float) -> Canvas:
        self.operators.append(f"1 1 1 rg {x0} {HEIGHT - y1} {x1 - x0} {y1 - y0} re f 0 0 0 rg")
        return self

    def paragraph(self, y: float, lines: Sequence[str], left: float = 80, leading: float = 28) -> Canvas:
        """Lines of body type, the first indented by two characters."""
        for number, line in enumerate(lines):
            self.text(left + (32 if number == 0 else 0), y + number * leading, line, 16)
        return self

    def grid(self, xs: Sequence[float], ys: Sequence[float], missing: Sequence[str] = ()) -> Canvas:
        """Lines of a table; `missing` names inner pieces to leave out: `v{x}:{row}` or `h{y}:{column}`."""
        for column, x in enumerate(xs):
            for row in range(len(ys) - 1):
                if f"v{column}:{row}" not in missing:
                    self.line(x, ys[row], x, ys[row + 1])
        for row, y in enumerate(ys):
            for column in range(len(xs) - 1):
                if f"h{row}:{column}" not in missing:
                    self.line(xs[column], y, xs[column + 1], y)
        return self


def pdf(*pages: Canvas, encrypted: bool = False) -> bytes:
    """The bytes of a PDF with these pages."""
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H "
        "/DescendantFonts [4 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /W [1 95 500] "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> "
        "/FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /Ascent 880 /Descent -120 "
        "/FontBBox [0 -120 1000 880] /ItalicAngle 0 /CapHeight 700 /StemV 80 >> >>",
    ]
    for number, page in enumerate(pages):
        stream = "\n".join(page.operators)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] "
            f"/Resources << /Font << /F 3 0 R >> >> /Contents {6 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    return _file(objects, encrypted)


def _file(objects: Sequence[str], encrypted: bool) -> bytes:
    encrypt = f"/Encrypt {_ENCRYPTION} /ID [<00> <00>]" if encrypted else ""
    return objects_pdf([content.encode("ascii") for content in objects], encrypt)


def objects_pdf(objects: Sequence[bytes], trailer_entries: str = "") -> bytes:
    """A file of these objects, numbered from 1; the first is the catalogue."""
    body = b"%PDF-1.5\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer_entries} >>\n"
        f"startxref\n{len(body)}\n%%EOF\n"
    )
    return body + trailer.encode("ascii")
