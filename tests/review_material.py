"""Runs and files for the tests of the review server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "gold" / "samples"


def extracted(folder: Path, *sources: Path) -> Path:
    """`sources` extracted by rules into `folder/run`."""
    run = folder / "run"
    command = "from evals.cli import main; main()"
    subprocess.run(
        [
            sys.executable,
            "-c",
            command,
            "extract",
            *map(str, sources),
            "--out",
            str(run),
            "--strategy",
            "rules",
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    return run


def write_pdf(path: Path, pages: int) -> None:
    """A PDF with a line of text on each page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = range(1, pages + 1)
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in numbers)
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< >>",
    ]
    for number in numbers:
        drawn = f"BT /F1 12 Tf 72 720 Td (Office {number} had {number} requests in the year.) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {4 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
    content, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n{each}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
    end += f"<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF\n"
    path.write_bytes(content + end.encode())
