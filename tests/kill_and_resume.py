"""A run that is killed with -9 again and again: what is asked twice, what is lost, what stands twice.

    python tests/kill_and_resume.py [--documents 600] [--kills 20] [--in-flight 64] [--seed 1]

First one run that is killed so many times, then so many fresh runs that are killed once, each
then finished. A question may be asked twice only if it was in flight at a kill: it had arrived at
the server, and its answer was not on disk. Then one document is added: only its questions go out.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from asking_reports import (
    QUESTIONS_A_DOCUMENT,
    answers_on_disk,
    command,
    environment,
    extract,
    facts,
    records,
    write_report,
    write_reports,
)
from fake_server import ServerProcess, fake_server_process

LATENCY_MS = 200


@dataclass
class Killed:
    """One kill: questions that had arrived, answers on disk."""

    arrived: int
    answered: int

    @property
    def in_flight(self) -> int:
        """Questions whose answers the kill may have cost."""
        return self.arrived - self.answered


def kill_once(reports: Path, run: Path, server: ServerProcess, answers: int, in_flight: int) -> Killed | None:
    """Start the run and kill it when so many more answers are on disk; None if it had ended before."""
    wanted = answers_on_disk(run) + answers
    process = subprocess.Popen(
        command(reports, run, server.base_url, "--concurrency", str(in_flight)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    while answers_on_disk(run) < wanted:
        if process.poll() is not None:
            return None
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.3)  # what had been sent arrives
    return Killed(len(server.stats()["questions"]), answers_on_disk(run))


def time_of(reports: Path, run: Path, server: ServerProcess, in_flight: int) -> float:
    """Seconds of an undisturbed run."""
    began = time.monotonic()
    done = extract(reports, run, server.base_url, "--concurrency", str(in_flight))
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


def finish(reports: Path, run: Path, server: ServerProcess, in_flight: int, undisturbed: Path) -> int:
    """Finish a run that was killed; how many requests were for questions that had been asked before."""
    done = extract(reports, run, server.base_url, "--concurrency", str(in_flight))
    assert done.returncode == 0, done.stderr
    assert facts(run) == facts(undisturbed), "a record was lost or differs"
    stats = server.stats()
    return int(stats["requests"]) - len(stats["questions"])


def many_kills(work: Path, kills: int, in_flight: int, questions: int, chance: random.Random) -> None:
    """One run, killed again and again while it still has something to do."""
    run, bounds = work / "many", list[int]()
    with fake_server_process(latency_ms=LATENCY_MS) as server:
        while len(bounds) < kills:
            answers = chance.randrange(1, questions // kills)
            killed = kill_once(work / "in", run, server, answers, in_flight)
            if killed is None:
                break
            bounds.append(killed.in_flight)
        repeated = finish(work / "in", run, server, in_flight, work / "undisturbed")
    print(
        f"one run killed {len(bounds)} times: {repeated} questions asked again, "
        f"{sum(bounds)} were in flight (most {max(bounds, default=0)}); records as undisturbed"
    )
    assert repeated <= sum(bounds)


def single_kills(work: Path, kills: int, in_flight: int, questions: int, chance: random.Random) -> None:
    """Fresh runs, each killed once at a random moment."""
    repeated = bounds = most = 0
    for number in range(kills):
        run = work / f"once{number}"
        with fake_server_process(latency_ms=LATENCY_MS) as server:
            killed = kill_once(work / "in", run, server, chance.randrange(1, questions), in_flight)
            again = finish(work / "in", run, server, in_flight, work / "undisturbed")
        flying = 0 if killed is None else killed.in_flight
        assert again <= flying, f"run {number}: {again} asked again, {flying} in flight"
        repeated, bounds, most = repeated + again, bounds + flying, max(most, flying)
        shutil.rmtree(run)
    print(
        f"{kills} runs killed once: {repeated} questions asked again, {bounds} were in flight "
        f"(most {most} of {in_flight}); records as undisturbed"
    )


def one_more(work: Path, documents: int, server: ServerProcess) -> None:
    """A document added to a finished run."""
    before = server.stats()["requests"]
    write_report(work / "in", documents)
    done = extract(work / "in", work / "undisturbed", server.base_url)
    assert done.returncode == 0, done.stderr
    assert len(records(work / "undisturbed")) == documents + 1
    requests = server.stats()["requests"] - before
    print(
        f"one document added to a finished run: {requests} requests for its {QUESTIONS_A_DOCUMENT} questions"
    )
    assert requests == QUESTIONS_A_DOCUMENT


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=600)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        write_reports(work / "in", given.documents)
        with fake_server_process(latency_ms=LATENCY_MS) as server:
            whole = time_of(work / "in", work / "undisturbed", server, given.in_flight)
            questions = len(server.stats()["questions"])
            print(
                f"{given.documents} documents, {questions} questions, undisturbed {whole:.1f} s", flush=True
            )
            many_kills(work, given.kills, given.in_flight, questions, chance)
            single_kills(work, given.kills, given.in_flight, questions, chance)
            one_more(work, given.documents, server)


if __name__ == "__main__":
    main()
