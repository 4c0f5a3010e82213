"""A temporary folder that does not outlive its process, even one that is killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# Waits until nobody holds the other end of its input; what the process had started ends meanwhile.
# In the background, as nobody's child: a worker of Ray that is ended takes its children with it.
_JANITOR = """
exec 3<&0
{ cat <&3; test -d "$1" || exit; sleep 2; rm -rf "$1"; sleep 2; rm -rf "$1"; } > /dev/null 2>&1 &
"""


@contextmanager
def temporary_folder(prefix: str, inside: Path | None = None) -> Iterator[Path]:
    """A new folder, `inside` another one; removed at the end of the block or of the process."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=inside))
    alive = _watched(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if alive is not None:
            alive.close()


def _watched(folder: Path) -> IO[bytes] | None:
    """What the janitor takes for a sign of life while it is open; None where there is no shell."""
    if os.name != "posix":
        return None
    command = ["/bin/sh", "-c", _JANITOR, "sh", str(folder)]
    # In a session of its own, so that no signal for the process reaches it.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as starting:
        alive, starting.stdin = starting.stdin, None
    return alive
