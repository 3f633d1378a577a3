"""Programs checked in processes of their own, several at once, with limits.

Comes in: paths and options.  Goes out: a `Checked` for each, in the order in which they are done.  Invariants: a
process that takes too long is ended with all that it started; when the run is broken off, none is left behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracer.checking.model import Checked, Failure
from tracer.checking.storage import SCHEMA_VERSION, append_result, from_data, read_results

GIBIBYTE = 2**30


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may take.

    Attributes:
        seconds: how long it may run until everything needed is recorded.
        whole: how long all of it may take, with the derivations and the corrected programs that are run.
        memory: bytes of address space.
    """

    seconds: float = 60.0
    whole: float = 240.0
    memory: int = 4 * GIBIBYTE


@dataclass
class _Processes:
    """The processes under way; `end` ends them all, and lets no further one start."""

    ended: bool = False
    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], stderr: Any
    ) -> subprocess.Popen[bytes] | None:
        with self.lock:
            if self.ended:
                return None
            process = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                start_new_session=True,
            )  # fmt: skip
            self.running.add(process)
            return process

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        with self.lock:
            self.running.discard(process)

    def end(self) -> None:
        with self.lock:
            self.ended = True
            for process in self.running:
                kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, getattr(signal, "SIGKILL", 9))
        else:
            process.kill()


def check_programs(
    paths: Sequence[str],
    *,
    jobs: int = 1,
    limits: Limits | None = None,
    options: Mapping[str, Any] | None = None,
    results: Path | None = None,
) -> Iterator[Checked]:
    """Check programs, several at once; each comes out when it is done.

    Arguments:
        jobs: how many at once.
        options: what `tracer.explain` is to be given for each.
        results: a file that each result is added to at once; what it has of an unchanged program, checked with the
            same options, is taken from there.
    """
    limits = limits or Limits()
    given = {**(options or {}), "timeout": limits.seconds}
    keys = {path: key_of(path, given, limits) for path in paths}
    known = read_results(results) if results is not None else {}
    waiting: list[str] = []
    for path in paths:
        if keys[path] in known:
            yield known[keys[path]]
        else:
            waiting.append(path)
    processes = _Processes()
    pool = ThreadPoolExecutor(max(1, jobs))
    try:
        left: set[Future[Checked | None]] = {
            pool.submit(_check, path, keys[path], given, limits, processes, jobs) for path in waiting
        }
        while left:
            done, left = wait(left, return_when=FIRST_COMPLETED)
            for future in done:
                checked = future.result()
                if checked is None:
                    continue
                if results is not None:
                    append_result(results, checked)
                yield checked
    finally:
        processes.end()
        pool.shutdown(wait=True, cancel_futures=True)


def key_of(path: str, options: Mapping[str, Any], limits: Limits) -> str:
    """A text that changes with a program and with everything that it is checked with."""
    digest = hashlib.sha256()
    for file in (path, options.get("setup")):
        with contextlib.suppress(OSError, TypeError):
            digest.update(Path(file or "").read_bytes() if file else b"")
        digest.update(b"\0")
    told = [
        path,
        {k: str(v) for k, v in sorted(options.items())},
        limits.memory,
        limits.whole,
        _version(),
        SCHEMA_VERSION,
    ]
    digest.update(json.dumps(told).encode())
    return digest.hexdigest()


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gradient-tracer")
    except PackageNotFoundError:
        return ""


def _check(
    path: str, key: str, options: Mapping[str, Any], limits: Limits, processes: _Processes, jobs: int
) -> Checked | None:
    """One program in a process of its own; None if the run was broken off."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tracer-check-") as folder:
        told = {k: str(v) if isinstance(v, Path) else v for k, v in options.items()}
        request = {"path": path, "key": key, "options": told, "memory": limits.memory}
        (Path(folder) / "request.json").write_text(json.dumps(request), encoding="utf-8")
        command = [sys.executable, "-P", "-m", "tracer.checking.worker", folder]
        with (Path(folder) / "stderr.txt").open("wb") as stderr:
            process = processes.start(command, _environment(jobs), stderr)
            if process is None:
                return None
            try:
                ended: int | None = process.wait(limits.whole)
            except subprocess.TimeoutExpired:
                ended = None
            finally:
                kill(process)  # what the program has started and left behind
                process.wait()
                processes.forget(process)
        if processes.ended:
            return None
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return from_data(json.loads((Path(folder) / "answer.json").read_text(encoding="utf-8")))
        said = (Path(folder) / "stderr.txt").read_text(encoding="utf-8", errors="replace")
    return Checked(
        path, key, round(time.monotonic() - start, 2), failure=_without_answer(ended, said, limits)
    )


def _environment(jobs: int) -> dict[str, str]:
    """The surroundings of a worker: where tracer is, and one thread for linear algebra if several run at once."""
    root = str(Path(__file__).resolve().parents[2])
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    if jobs > 1:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            environment.setdefault(name, "1")
    return environment


def _without_answer(ended: int | None, said: str, limits: Limits) -> Failure:
    """Why there is no answer."""
    if ended is None:
        message = f"It was not checked within {limits.whole:g} seconds."
        return Failure("time", message, hint="Allow more time, --timeout, or make the program smaller.")
    most = f"{limits.memory / GIBIBYTE:g} GiB"
    if "MemoryError" in said:
        return Failure("memory", f"Checking it wanted more memory than {most}.", hint="Allow more: --memory.")
    if ended in (-9, 137):
        message = "The process that checked it was killed, by the program or for want of memory."
        return Failure("memory", message, hint=f"Allow more than {most}, --memory, or fewer --jobs.")
    last = said.strip().split("\n")[-1][-300:]
    message = f"The process that checked it ended with code {ended}" + (f": {last}" if last else ".")
    return Failure("tracer", message, hint="Report it with the program, please.")
