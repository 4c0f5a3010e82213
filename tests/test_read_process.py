"""Reading in processes that can be stopped: hangs, crashes and memory end one document, not the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.document import Document
from pipeline.errors import BrokenFile, EmptyFile, TookTooLong, TooLarge
from pipeline.read import DEFAULT_LIMITS, process
from pipeline.read.limits import Limits
from pipeline.read.process import ReaderFault, ReadingProcesses

TEXT = "示例县人民政府2018年政府信息公开工作年度报告\n一、概述\n本年度主动公开信息12条。\n"


def read_or_misbehave(path: Path, parts: Sequence[Path], limits: Limits) -> Document:
    """Stands in for the reader in the child: what the file is called is what happens."""
    match path.stem:
        case "hang":
            time.sleep(600)
        case "killed":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "greedy":
            bytearray(2 * limits.memory_bytes)
        case "converts":
            home = Path(tempfile.gettempdir()) / "gongkai-conversion"
            home.mkdir()
            office = subprocess.Popen(["sleep", "600"], start_new_session=True)
            (home / "group").write_text(str(office.pid))
            (path.parent / "office").write_text(f"{office.pid} {home}")
            time.sleep(600)
        case "fault":
            raise ZeroDivisionError("a fault of the program")
    return read(path, parts, limits)


read = process.read_document_with_parts


def misbehaving(connection: object, limits: Limits, folder: str) -> None:
    process.read_document_with_parts = read_or_misbehave  # type: ignore[assignment]
    _serve(connection, limits, folder)  # type: ignore[arg-type]


_serve = process._serve


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReadingProcesses]:
    monkeypatch.setattr(process, "_serve", misbehaving)
    with ReadingProcesses(replace(DEFAULT_LIMITS, seconds=2)) as processes:
        yield processes


def named(folder: Path, stem: str) -> Path:
    path = folder / f"{stem}.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("stem", "error", "says"),
    [
        ("hang", TookTooLong, "hang.txt: reading took more than 2 seconds"),
        ("killed", BrokenFile, "killed.txt: the file brought its reading process down (SIGSEGV)"),
        ("greedy", TooLarge, "greedy.txt: reading needs more than 1,024 MiB of memory"),
        ("fault", ReaderFault, "ZeroDivisionError: a fault of the program"),
    ],
)
def test_a_file_that_misbehaves_fails_and_the_next_is_read(
    readers: ReadingProcesses, tmp_path: Path, stem: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as raised:
        readers.read(named(tmp_path, stem))
    assert says in str(raised.value)
    if stem == "fault":
        assert "read_or_misbehave" in "".join(raised.value.__notes__)
    assert readers.read(named(tmp_path, "good")).text == TEXT


def test_the_document_is_the_same_as_read_here(readers: ReadingProcesses, tmp_path: Path) -> None:
    path = named(tmp_path, "good")
    assert readers.read(path) == read(path, ())


def test_errors_of_a_document_keep_their_kind(readers: ReadingProcesses, tmp_path: Path) -> None:
    path = tmp_path / "nothing.txt"
    path.write_bytes(b"")
    with pytest.raises(EmptyFile, match=r"nothing\.txt"):
        readers.read(path)


def test_a_hang_in_one_thread_does_not_hold_up_another(readers: ReadingProcesses, tmp_path: Path) -> None:
    def hang() -> None:
        with pytest.raises(TookTooLong):
            readers.read(named(tmp_path, "hang"))

    hanging = threading.Thread(target=hang)
    hanging.start()
    assert readers.read(named(tmp_path, "good")).text == TEXT
    assert hanging.is_alive()
    hanging.join()


def is_running(pid: int) -> bool:
    """Whether a process lives: it is there, and no zombie that nobody has asked after."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def wait_for(what: Callable[[], bool]) -> bool:
    """Whether something comes true within some seconds."""
    return any(what() or time.sleep(0.1) for _ in range(100))


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")


@needs_proc
def test_what_a_stopped_process_began_is_ended_and_removed(readers: ReadingProcesses, tmp_path: Path) -> None:
    with pytest.raises(TookTooLong):
        readers.read(named(tmp_path, "converts"))
    pid, home = (tmp_path / "office").read_text().split(" ", 1)
    assert wait_for(lambda: not is_running(int(pid)))
    assert not Path(home).exists()


PARENT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from pipeline.read import process
import test_read_process
if __name__ == "__main__":
    process._serve = test_read_process.misbehaving
    with process.ReadingProcesses() as readers:
        readers.read(Path({path!r}))
"""


@needs_proc
def test_a_reading_process_does_not_outlive_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    path = named(tmp_path, "converts")
    script.write_text(PARENT.format(tests=str(Path(__file__).parent), path=str(path)))
    parent = subprocess.Popen([sys.executable, str(script)])
    assert wait_for(lambda: (tmp_path / "office").exists() and (tmp_path / "office").read_text() != "")
    parent.kill()
    parent.wait()
    pid, home = (tmp_path / "office").read_text().split(" ", 1)
    assert wait_for(lambda: not is_running(int(pid)))
    assert wait_for(lambda: not Path(home).exists())


def test_an_idle_process_that_died_is_no_fault_of_the_next_file(
    readers: ReadingProcesses, tmp_path: Path
) -> None:
    path = named(tmp_path, "good")
    readers.read(path)
    (idle,) = readers._idle
    assert idle._process.pid is not None
    os.kill(idle._process.pid, signal.SIGKILL)
    idle._process.join()
    assert readers.read(path).text == TEXT
