"""The recogniser and the detector: PP-OCRv6 small, run by onnxruntime in this process.

The weights lie in the `rapidocr` package (Apache-2.0); nothing is fetched. A process has
one of each, made when first needed and used by all its threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.read.scan_ink import Extent
from pipeline.read.scan_picture import Levels

RECOGNISER = "PP-OCRv6_rec_small.onnx"
DETECTOR = "PP-OCRv6_det_small.onnx"
_HEIGHT = 48  # pixels of a line that the recogniser was trained on
_STEP = 8  # pixels of width for one place of its answer
_NARROWEST, _WIDEST = 32, 3200
# Long lines are squeezed: that costs less and is read as well, down to 0.7 of their width; below
# that, equal digits side by side (223100) become one.
_UNSQUEEZED, _SQUEEZE = 288, 0.75
_BATCH_WIDTH = 1600  # pixels of all crops of a batch
_THREADS = 1
_lock = threading.Lock()
_detecting = threading.Lock()


@dataclass(frozen=True, slots=True)
class Character:
    """A recognised character: how sure it is (0..1), and where it stands as shares of the crop's width."""

    text: str
    confidence: float
    start: float
    end: float


Line = tuple[Character, ...]


def recognise(crops: Sequence[Levels]) -> list[Line]:
    """The characters of each crop, which holds one line of dark print on white paper."""
    scaled = [_scaled(crop) for crop in crops]
    read: dict[int, Line] = {}
    for batch in _batches([crop.shape[1] for crop in scaled]):
        width = max(scaled[index].shape[1] for index in batch)
        answers = _recogniser().answers([scaled[index] for index in batch], width)
        for index, answer in zip(batch, answers, strict=True):
            read[index] = _decoded(answer, width / scaled[index].shape[1])
    return [read[index] for index in range(len(crops))]


def _scaled(crop: Levels) -> Levels:
    height, width = crop.shape
    full = width * _HEIGHT / height
    new_width = min(max(_NARROWEST, round(max(min(full, _UNSQUEEZED), _SQUEEZE * full))), _WIDEST)
    way = cv2.INTER_AREA if height > _HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (new_width, _HEIGHT), interpolation=way), dtype=np.uint8)


def _batches(widths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of crops of like width, so many that a batch is worth its overhead."""
    batch: list[int] = []
    for index in sorted(range(len(widths)), key=lambda index: widths[index]):
        if batch and (len(batch) + 1) * widths[index] > _BATCH_WIDTH:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _decoded(answer: NDArray[np.float32], stretch: float) -> Line:
    """Greedy CTC: one character a run of equal best places; 0 is no character."""
    best = answer.argmax(axis=1)
    sure = answer.max(axis=1)
    signs = _recogniser().signs
    line: list[Character] = []
    for place, sign in enumerate(best):
        if sign == 0:
            continue
        if place and best[place - 1] == sign:
            last = line[-1]
            confidence = max(last.confidence, float(sure[place]))
            line[-1] = Character(last.text, confidence, last.start, stretch * (place + 1) / len(best))
            continue
        start, end = (stretch * each / len(best) for each in (place, place + 1))
        line.append(Character(signs[sign], float(sure[place]), start, end))
    return tuple(line)


class _Recogniser:
    """The network that reads a line, and the characters that it knows."""

    def __init__(self) -> None:
        self._session = _session(RECOGNISER)
        self._input = self._session.get_inputs()[0].name
        known = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self.signs = ["", *known, " "]

    def answers(self, crops: Sequence[Levels], width: int) -> NDArray[np.float32]:
        """Probabilities (crop, place, character) of crops of equal height, padded with paper."""
        width = -(-width // _STEP) * _STEP
        batch = np.ones((len(crops), 3, _HEIGHT, width), np.float32)
        for number, crop in enumerate(crops):
            batch[number, :, :, : crop.shape[1]] = crop.astype(np.float32) / 127.5 - 1
        answers = self._session.run(None, {self._input: batch})[0]
        return np.asarray(answers, dtype=np.float32)


def _session(name: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = _THREADS
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(_weights(name)), options, providers=["CPUExecutionProvider"])


def _weights(name: str) -> Path:
    return Path(str(files("rapidocr"))) / "models" / name


def detect(levels: Levels) -> list[Extent]:
    """The boxes around lines of text, or pieces of lines, in a picture."""
    colours = cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR)
    with _detecting:
        found = _detector()(colours, use_det=True, use_cls=False, use_rec=False)
    boxes = [] if found.boxes is None else found.boxes
    return [
        Extent(*(int(each) for each in (box[:, 0].min(), box[:, 1].min(), box[:, 0].max(), box[:, 1].max())))
        for box in boxes
    ]


@lru_cache(maxsize=1)
def _detector() -> Any:
    """The detector with its post-processing; a path to the weights keeps it from fetching any."""
    from rapidocr import RapidOCR  # imported with the first picture: it takes half a second

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.max_side_len": 4000,
            "Det.model_path": str(_weights(DETECTOR)),
            "Det.limit_side_len": 32,
            "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": _THREADS,
        }
    )


@lru_cache(maxsize=1)
def _made_recogniser() -> _Recogniser:
    return _Recogniser()


def _recogniser() -> _Recogniser:
    with _lock:
        return _made_recogniser()
