"""LibreOffice as a converter: old office formats become .docx or .xlsx, which are read here.

Every conversion has a profile and a folder of its own, deleted afterwards. In that profile
macros are off, links are never updated, and everything that could open an address is taken
out: `BlockUntrustedRefererLinks` alone still lets pictures of .doc, .xls and .ods files be
fetched (LibreOffice 7.4). The program is ended after a time limit, and by the system where
it takes too much memory or writes too much.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pipeline.config import LIBREOFFICE_VARIABLE
from pipeline.errors import BrokenFile, DocumentError, TookTooLong, UnsupportedFormat
from pipeline.read.limits import Limits, refuse_above

Target = Literal["docx", "xlsx"]

_FILTERS: dict[Target, str] = {"docx": "docx:MS Word 2007 XML", "xlsx": "xlsx:Calc MS Excel 2007 XML"}
_NAMES = ("soffice", "libreoffice", "soffice.com")
_PLACES = (
    "/Applications/LibreOffice.app/Contents/MacOS",
    "/usr/lib/libreoffice/program",
    "/usr/lib64/libreoffice/program",
    "/opt/libreoffice/program",
)
_WINDOWS_FOLDERS = ("ProgramFiles", "ProgramW6432", "ProgramFiles(x86)")
_OPTIONS = "--headless --nologo --nodefault --norestore --nolockcheck --nofirststartwizard".split()

_SETTINGS = (
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    # Never: Writer counts it as 0 (its schema says otherwise), Calc as 1.
    ("Office.Writer/Content/Update", "Link", "0"),
    ("Office.Calc/Content/Update", "Link", "1"),
)
# What opens http, https, WebDAV, FTP, CMIS, and by GIO any other address.
_NET_PROVIDERS = tuple(f"Provider{number}" for number in "3 4 4a 6 12 12a 12b 43 999".split())
_PROVIDERS = "/org.openoffice.ucb.Configuration/ContentProviders/Local/SecondaryKeys/Office/ProviderData"
# The program sees nothing else of the environment: no keys, no proxies, no session.
_KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "WINDIR")
# Headless, and names of files in UTF-8 whatever the language of the system.
_SET_VARIABLES = {"SAL_USE_VCLPLUGIN": "svp", "LC_ALL": "C.UTF-8"}
# $1 KiB of memory, $2 half KiB a file, $3 seconds of computing; what a system lacks is passed over.
_LIMITED = (
    "ulimit -v $1 2>/dev/null || :; ulimit -f $2 2>/dev/null || :; ulimit -t $3 2>/dev/null || :; "
    'shift 3; exec "$@"'
)
# A conversion keeps a core busy; more at a time in a process only make each slower and memory scarce.
_AT_A_TIME = threading.BoundedSemaphore(2)
# In the folder of a conversion: the process group of the program.
_GROUP = "group"
_INSTALL = (
    "Install LibreOffice (libreoffice.org; Debian and Ubuntu: apt install libreoffice-writer-nogui "
    f"libreoffice-calc-nogui), or name its program in {LIBREOFFICE_VARIABLE}"
)


def find_libreoffice() -> str | None:
    """The program: named by `GONGKAI_LIBREOFFICE` (file or folder), on the path, or in a usual place."""
    named = os.environ.get(LIBREOFFICE_VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_dir():
            return shutil.which(str(path))
        return _program([str(path), str(path / "program"), str(path / "Contents" / "MacOS")])
    return _program([None]) or _program([*_PLACES, *_windows_places()])


def _program(folders: Sequence[str | None]) -> str | None:
    found = (shutil.which(name, path=folder) for folder in folders for name in _NAMES)
    return next((program for program in found if program), None)


def _windows_places() -> Iterator[str]:
    for name in _WINDOWS_FOLDERS:
        folder = os.environ.get(name)
        if folder:
            yield os.path.join(folder, "LibreOffice", "program")


def convert(data: bytes, ending: str, target: Target, what: str, limits: Limits) -> bytes:
    """The file as .docx or .xlsx. `ending` is that of its format, `what` names it in messages.

    Raises UnsupportedFormat without LibreOffice, TookTooLong, TooLarge, and BrokenFile where
    LibreOffice cannot open the file.
    """
    program = find_libreoffice()
    if program is None:
        raise UnsupportedFormat(_not_found(what))
    with _AT_A_TIME, tempfile.TemporaryDirectory(prefix="gongkai-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        source, written = home / f"report{ending}", home / "out" / f"report.{target}"
        try:
            source.write_bytes(data)
            _write_profile(home / "profile")
            said = _run(_command(program, home, source, target, limits), home, limits.conversion_seconds)
            if not written.is_file():
                raise BrokenFile(_not_opened(what, target, said))
            refuse_above(written.stat().st_size, limits.file_bytes, "bytes when converted")
            return written.read_bytes()
        except OSError as error:
            raise DocumentError(
                f"{what} cannot be converted: {program} or its folder {folder} cannot be used "
                f"({error.strerror or error})."
            ) from error


def _not_found(what: str) -> str:
    named = os.environ.get(LIBREOFFICE_VARIABLE)
    where = f"{LIBREOFFICE_VARIABLE} names {named}, where it is not" if named else "it was not found"
    return f"the file is {what}, which is read with the help of LibreOffice, and {where}. {_INSTALL}."


def _not_opened(what: str, target: Target, said: str) -> str:
    part = "Writer" if target == "docx" else "Calc"
    reason = f" (it said: {said})" if said else ""
    return (
        f"LibreOffice cannot open the file as {what}{reason}. It may be damaged, protected with a password "
        f"or need too much memory, or LibreOffice {part} is not installed. Open it, and save it as .{target}."
    )


def _command(program: str, home: Path, source: Path, target: Target, limits: Limits) -> list[str]:
    command = [program, f"-env:UserInstallation={(home / 'profile').as_uri()}", *_OPTIONS]
    command += ["--convert-to", _FILTERS[target], "--outdir", str(home / "out"), str(source)]
    if os.name != "posix":
        return command
    memory, written = limits.conversion_memory_bytes // 1024, limits.expanded_bytes // 512
    bounds = map(str, (memory, written, math.ceil(limits.conversion_seconds)))
    return ["/bin/sh", "-c", _LIMITED, "sh", *bounds, *command]


def _write_profile(profile: Path) -> None:
    items = [
        f'<item oor:path="/org.openoffice.{path}"><prop oor:name="{name}" oor:op="fuse">'
        f"<value>{value}</value></prop></item>"
        for path, name, value in _SETTINGS
    ]
    items += [
        f'<item oor:path="{_PROVIDERS}"><node oor:name="{name}" oor:op="remove"/></item>'
        for name in _NET_PROVIDERS
    ]
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<oor:items xmlns:oor="http://openoffice.org/2001/registry">{"".join(items)}</oor:items>\n',
        encoding="utf-8",
    )


def _run(command: Sequence[str], home: Path, seconds: float) -> str:
    """Run to the end; what the program complained of. Raises TookTooLong, and then nothing of it runs on."""
    kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT_VARIABLES}
    folders = dict.fromkeys(("HOME", "TMPDIR", "TMP", "TEMP", "APPDATA", "USERPROFILE"), str(home))
    # Into a file: a pipe that nobody empties would make the program wait.
    with (home / "said").open("w+b") as said:
        process = subprocess.Popen(
            command,
            cwd=home,
            env={**kept, **folders, **_SET_VARIABLES},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            (home / _GROUP).write_text(str(process.pid), encoding="ascii")
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TookTooLong(
                f"LibreOffice was stopped after {seconds:g} seconds: a report takes it two or three. "
                "Open the file, and save the report alone as .docx or .xlsx."
            ) from None
        finally:
            _end(process)
        said.seek(0)
        lines = said.read(4000).decode("utf-8", "replace").splitlines()
    return "; ".join(line for line in lines if line.strip() and "javaldx" not in line)[:200]


def end_conversions(folder: Path) -> None:
    """End what conversions still run in `folder`, where a process was killed that had begun them."""
    for group in folder.glob(f"*/{_GROUP}"):
        with suppress(OSError, ValueError):
            if sys.platform != "win32":
                os.killpg(int(group.read_text(encoding="ascii")), signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program with all that it started: its launcher leaves the office itself behind."""
    if sys.platform == "win32":
        if process.poll() is None:
            kill = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
            subprocess.run(kill, check=False, capture_output=True)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
