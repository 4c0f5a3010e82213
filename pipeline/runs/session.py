"""Which model a run asks, and having it ready for the time of the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline.errors import UsageError
from pipeline.extract import Strategy, extract_document
from pipeline.metadata.reading import require_report
from pipeline.model.answers import AnswerStore
from pipeline.model.catalog import DEFAULT_MODEL, MODELS
from pipeline.model.endpoint import SEED, Endpoint, remote_endpoint
from pipeline.model.local_model import LocalModel, ServerOptions, silent_endpoint
from pipeline.model.recorded import RecordedAnswers, recording_sha256
from pipeline.prose.label import label_prompt
from pipeline.read.process import ReadingProcesses
from pipeline.runs.folder import RunFolder
from pipeline.runs.manifest import RunIdentity, prompt_hashes, schema_sha256
from pipeline.runs.progress import byte_progress
from pipeline.runs.run import OpenStages
from pipeline.runs.work import Stages

REMOTE_CONCURRENCY = 8


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What the user asked for. Without `base_url` the model is an embedded one."""

    strategy: Strategy
    model: str | None = None
    base_url: str | None = None
    model_path: Path | None = None
    replay: Path | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether the model runs on this machine, in this program."""
        return self.strategy != "rules" and self.base_url is None

    @property
    def name(self) -> str:
        """The model's name; the embedded default where none was given."""
        return self.model or DEFAULT_MODEL


def check_choice(choice: ModelChoice) -> None:
    """Raise UsageError for options that do not go together or an unknown embedded model."""
    if choice.strategy == "rules":
        given = {
            "--model": choice.model,
            "--base-url": choice.base_url,
            "--model-path": choice.model_path,
            "--replay": choice.replay,
        }
        superfluous = ", ".join(option for option, value in given.items() if value is not None)
        if superfluous:
            raise UsageError(f"--strategy rules asks no model: leave out {superfluous}")
    elif choice.base_url is not None:
        if choice.model is None:
            raise UsageError(f"--base-url needs --model: the name of a model at {choice.base_url}")
        if choice.model_path is not None:
            raise UsageError("--model-path is for the embedded model: leave it or --base-url out")
    elif choice.name not in MODELS:
        raise UsageError(
            f"no embedded model {choice.name!r}: there are {', '.join(MODELS)}. "
            "For another one name its endpoint with --base-url"
        )


def concurrency_of(choice: ModelChoice, wanted: int | None) -> int:
    """Documents at a time. The embedded model answers one question at a time, and rules need no waiting."""
    return (wanted or REMOTE_CONCURRENCY) if choice.base_url is not None else 1


def identity_of(choice: ModelChoice) -> RunIdentity:
    """What the records will depend on."""
    if choice.strategy == "rules":
        return RunIdentity(strategy=choice.strategy, schema_sha256=schema_sha256())
    parameters: dict[str, Any] = {"temperature": 0, "seed": SEED}
    if choice.replay is not None:
        parameters["replay"] = recording_sha256(choice.replay)
    if choice.base_url is None:
        weights = MODELS[choice.name]
        resolved = f"{weights.file_name} sha256:{weights.sha256}"
        label = f"embedded:{choice.name}"
        parameters["context_tokens"] = ServerOptions().context_tokens
    else:
        resolved = choice.name
        label = remote_endpoint(choice.name, choice.base_url, needs_key=choice.replay is None).label
    return RunIdentity(
        strategy=choice.strategy,
        model=choice.name,
        model_resolved=resolved,
        endpoint=label,
        parameters=parameters,
        prompts=prompt_hashes(choice.strategy),
        schema_sha256=schema_sha256(),
    )


def stages_opener(choice: ModelChoice, console: Console) -> OpenStages:
    """For `run_documents`: starts the model when the first document has to be read."""
    return partial(_open_stages, choice, console)


@contextmanager
def _open_stages(choice: ModelChoice, console: Console, folder: RunFolder) -> Iterator[Stages]:
    with ExitStack() as stack:
        client = None
        if choice.strategy != "rules":
            # Loading the client takes seconds, which a run by rules need not spend.
            from pipeline.model.llm import ModelClient

            if choice.replay is None:
                store = stack.enter_context(AnswerStore(folder.answers))
                client = ModelClient(_endpoint(choice, console, stack), store)
            else:
                client = ModelClient(_silent_endpoint(choice), RecordedAnswers(choice.replay))
            stack.callback(client.close)
        extract = partial(extract_document, strategy=choice.strategy, client=client)
        readers = stack.enter_context(ReadingProcesses())
        yield Stages(readers.read, require_report, extract)


def _silent_endpoint(choice: ModelChoice) -> Endpoint:
    """What the keys of recorded answers were made with; nobody is asked there."""
    if choice.base_url is not None:
        return remote_endpoint(choice.name, choice.base_url, needs_key=False)
    return silent_endpoint(choice.name)


def _endpoint(choice: ModelChoice, console: Console, stack: ExitStack) -> Endpoint:
    if choice.base_url is not None:
        return remote_endpoint(choice.name, choice.base_url)
    with byte_progress(console) as show:
        model = stack.enter_context(LocalModel(choice.name, path=choice.model_path, progress=show))
        if choice.strategy == "label":
            model.warm_prefix(label_prompt().messages)
    return model.endpoint
