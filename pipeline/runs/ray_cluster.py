"""The Ray cluster of a run: that of RAY_ADDRESS, or one on this machine for the time of the run.

Ray is kept quiet, tells nobody that it is used, and leaves nothing behind on this machine.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import StartError
from pipeline.runs.temporary import temporary_folder

ADDRESS_VARIABLE = "RAY_ADDRESS"
_CONNECT_SECONDS = 10.0
# Rows between workers are a few bytes: the least that Ray's store of objects can be.
_OBJECT_STORE_BYTES = 100 * 2**20
# What keeps Ray quiet and at home, set before it is loaded.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    # Else a thread that is late begins another cluster.
    "RAY_ENABLE_AUTO_CONNECT": "0",
}


@contextmanager
def cluster(cpus: int | None) -> Iterator[int]:
    """The cluster of RAY_ADDRESS, or one on this machine with `cpus`; how many CPUs it has.

    Raises StartError when Ray is not installed or the cluster cannot be reached.
    """
    require_ray()
    address = os.environ.get(ADDRESS_VARIABLE, "")
    _require_reachable(address)
    with _environment(is_local=not address) as place:
        ray = _loaded()
        options = {} if address else _local_options(cpus, place)
        on_term = signal.getsignal(signal.SIGTERM)
        try:
            with _no_standard_error():
                ray.init(
                    address=address or "local",
                    log_to_driver=False,
                    configure_logging=False,
                    logging_level=logging.ERROR,
                    **options,
                )
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            raise StartError(_unreachable(address, error)) from error
        try:
            # Ray takes the signal for itself: the run stops in order with it.
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, on_term)
            yield int(ray.cluster_resources().get("CPU", 0))
        finally:
            ray.shutdown()


def _local_options(cpus: int | None, place: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "include_dashboard": False,
        "num_cpus": max(cpus or 0, os.cpu_count() or 1),
        "object_store_memory": _OBJECT_STORE_BYTES,
        "_temp_dir": place,
    }
    if sys.platform == "linux":
        # Loopback, whatever networks come and go: Ray puts the machine's own address for 127.0.0.1.
        options["_node_ip_address"] = "127.0.0.2"
    return options


@contextmanager
def _environment(is_local: bool) -> Iterator[str]:
    """Ray's settings for the time of the run; the folder for what a local one writes."""
    before = dict(os.environ)
    settings = dict(_QUIET)
    if is_local:  # it listens on all networks, and without a token anybody could send it work
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _token()}
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    short = Path("/tmp")  # sockets lie there, whose paths must be short
    try:
        with temporary_folder("gk-", short if short.is_dir() else None) as place:
            yield str(place)
    finally:
        for name in settings.keys() - before.keys():
            os.environ.pop(name, None)


@contextmanager
def _no_standard_error() -> Iterator[None]:
    """Ray's core, which is not Python, says there that it has been told to say nothing."""
    before = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


@cache
def _token() -> str:
    """Ray keeps the first one that a process had."""
    return secrets.token_hex(32)


def require_ray() -> None:
    """Raise StartError when Ray is not installed."""
    if find_spec("ray") is None:
        raise StartError("--engine ray needs Ray, which is not installed: pip install 'gongkai[ray]'")


def _loaded() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise StartError(f"Ray cannot be loaded ({error}): pip install 'gongkai[ray]'") from error
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return ray


def _require_reachable(address: str) -> None:
    if "://" in address:
        raise StartError(
            f"{ADDRESS_VARIABLE}={address}: the run folder's disk must be of the cluster. Run the command on "
            "one of its machines, with RAY_ADDRESS=auto or host:port"
        )
    if address in ("", "auto", "local"):
        return
    parts = urlsplit(f"//{address}")
    try:
        port = parts.port or 6379
        with socket.create_connection((parts.hostname or "", port), _CONNECT_SECONDS):
            return
    except (OSError, ValueError) as error:
        raise StartError(_unreachable(address, error)) from error


def _unreachable(address: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
    if not address:
        return f"Ray did not start on this machine: {reason[0]}"
    return (
        f"no Ray cluster at {address} ({reason[0]}). Start one with `ray start --head`, "
        f"or unset {ADDRESS_VARIABLE} to run on this machine"
    )
