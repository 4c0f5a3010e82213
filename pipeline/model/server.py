"""The child process that serves the embedded model: llama.cpp's OpenAI-compatible server.

Run as a script by local_model.py. One line of JSON on standard input configures it, so
the key stands neither on the command line nor in the environment; one line of JSON on
standard output says that it listens. It stops when standard input closes, hence also
when the parent dies. llama.cpp's log goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

# Memory for prompts other than the current one, so that two prefixes can take turns.
_PROMPT_CACHE_MIB = 512


def server_parameters(config: dict[str, Any]) -> Any:
    """llama.cpp's parameters from the configuration line."""
    import xllamacpp  # type: ignore[import-untyped]

    parameters = xllamacpp.CommonParams()
    parameters.model.path = config["weights"]
    parameters.model_alias = {config["model"]}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = config["port"]
    parameters.api_keys = [config["api_key"]]
    parameters.n_ctx = config["context_tokens"] * config["slots"]
    parameters.n_parallel = config["slots"]
    parameters.cpuparams.n_threads = config["threads"]
    parameters.cpuparams_batch.n_threads = config["threads"]
    parameters.n_gpu_layers = config["gpu_layers"]
    parameters.cache_prompt = True
    parameters.cache_ram_mib = _PROMPT_CACHE_MIB
    parameters.slot_save_path = os.path.join(config["prefix_folder"], "")
    parameters.sampling.temp = 0.0
    parameters.offline = True
    parameters.ui = False
    return parameters


def main() -> None:
    """Serve until standard input closes."""
    config = json.loads(sys.stdin.readline())
    # What llama.cpp prints to standard output must not get between the lines of JSON.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import xllamacpp

    server = xllamacpp.Server(server_parameters(config))
    ready = {"address": server.listening_address, "version": xllamacpp.__version__}
    print(json.dumps(ready), file=answer, flush=True)
    sys.stdin.read()
    del server


if __name__ == "__main__":
    main()
