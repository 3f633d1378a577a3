"""Run a program in a process of its own, with limits, and bring its recording back as data.

`record_in_child` starts ``python -m tracer.recording.child REQUEST`` in the program's folder.  The
request and the answer are files in a temporary folder: JSON, and the tape as ``.npz``; never pickle.
While it runs the child writes the tape again after each loop, so that a program that runs out of time
loses nothing that was complete.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from tracer.program.errors import ProgramError
from tracer.program.program import Program, as_python2, parse
from tracer.recording import errors
from tracer.recording.limits import allow_deep_calls, limit_memory
from tracer.tape.node import Notice

if TYPE_CHECKING:
    from tracer.recording.recording import Recording

_ERRORS: dict[str, type[errors.RecordingError]] = {
    kind.__name__: kind
    for kind in (errors.ProgramFailed, errors.MissingPackage, errors.NameUndefined, errors.OutOfMemory)
}
_EXTRA = ("kind", "traceback", "package", "name")
GIBIBYTE = 2**30


def record_in_child(
    program: Program,
    *,
    args: Sequence[str] = (),
    loop: int | None = None,
    iteration: int | None = None,
    run_on: bool = False,
    define: Mapping[str, str] | None = None,
    setup: Path | None = None,
    stdin: str = "",
    timeout: float = 60.0,
    memory: int = 4 * GIBIBYTE,
    as_module: bool = False,
    modules: Mapping[str, str] | None = None,
) -> Recording:
    """Run and record a program in a child process; arguments as in `record_source`.

    Arguments:
        timeout: seconds after which the child is ended.
        memory: bytes of address space that it may have; 0 for no limit.

    Raises:
        ProgramFailed, MissingPackage, NameUndefined, TimedOut, OutOfMemory: see `tracer.recording.errors`.
        ProgramError: as `record_source`.
    """
    with tempfile.TemporaryDirectory(prefix="tracer-") as folder:
        request = {
            "path": program.path, "source": program.source, "args": list(args), "loop": loop, "iteration": iteration,
            "run_on": run_on, "define": dict(define or {}), "setup": str(Path(setup).resolve()) if setup else None,
            "stdin": stdin, "memory": memory, "until": time.time() + timeout, "as_module": as_module,
            "modules": dict(modules or {}),
        }  # fmt: skip
        (Path(folder) / "request.json").write_text(json.dumps(request), encoding="utf-8")
        ended, said = _run(folder, program, timeout)
        return _answer(Path(folder), program, ended, said, timeout, memory)


def _run(folder: str, program: Program, timeout: float) -> tuple[int | None, str]:
    """The child's exit code (``None`` if it had to be ended) and what it wrote to its standard error."""
    root = str(Path(__file__).resolve().parents[2])
    environment = dict(os.environ, MPLBACKEND="Agg", PYTHONIOENCODING="utf-8")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    beside = Path(program.path).resolve().parent
    command = [sys.executable, "-P", "-m", "tracer.recording.child", folder]
    with (Path(folder) / "stderr.txt").open("wb") as stderr:
        child = subprocess.Popen(
            command, cwd=beside if beside.is_dir() else None, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=stderr,
        )  # fmt: skip
        expired = threading.Event()

        def end() -> None:
            expired.set()
            child.kill()

        # Waiting with a time limit would look again and again, and come late; a timer does not.
        timer = threading.Timer(timeout, end)
        timer.start()
        try:
            code: int | None = child.wait()
        except BaseException:
            child.kill()
            child.wait()
            raise
        finally:
            timer.cancel()
        code = None if expired.is_set() else code
    return code, (Path(folder) / "stderr.txt").read_text(encoding="utf-8", errors="replace")


def _answer(
    folder: Path, program: Program, ended: int | None, said: str, timeout: float, memory: int
) -> Recording:
    document = _read_json(folder / "answer.json")
    tape_file = folder / "tape.npz"
    recording = None
    if document is None and (folder / "partial.json").exists():
        partial = _read_json(folder / "partial.json")
        if partial is not None and (folder / "partial.npz").exists():
            recording = _recording(folder / "partial.npz", partial, program)
            recording.ended = "time" if ended is None else "failed"
    elif document is not None and tape_file.exists():
        recording = _recording(tape_file, document, program)
    error = document.get("error") if document is not None else None
    if error is not None:
        raise _rebuilt(error, recording)
    if document is not None and recording is not None:
        return recording
    if ended is None:
        if recording is not None:
            return recording
        raise _timed_out(program, folder, timeout)
    if "MemoryError" in said or ended in (-9, 137):
        raise errors.OutOfMemory(
            f"The program wanted more memory than {memory / GIBIBYTE:.1f} GiB.", program.path,
            hint="Make its data smaller, or allow more memory.", recording=recording,
        )  # fmt: skip
    failed = errors.ProgramFailed(
        f"The program's process ended with code {ended}.", program.path, recording=recording
    )
    failed.kind, failed.traceback = "process", said[-2000:]
    raise failed


def _timed_out(program: Program, folder: Path, timeout: float) -> errors.TimedOut:
    line = _line_at_the_end(folder / "where.txt", program)
    where = f" It was in line {line}." if line else ""
    error = errors.TimedOut(
        f"The program did not get through its training loop in {timeout:g} seconds.{where}", program.path, line, 0,
        program.source_line(line), "Allow more time, or make it smaller (fewer examples, fewer iterations).",
    )  # fmt: skip
    error.seconds = timeout
    return error


def _line_at_the_end(file: Path, program: Program) -> int:
    """The program's innermost line in the stack that the child wrote just before its time was up."""
    if not file.exists():
        return 0
    for text in file.read_text(encoding="utf-8", errors="replace").splitlines():
        if text.strip().startswith(f'File "{program.path}", line '):
            return program.line_as_written(int(text.rsplit("line ", 1)[1].split(" ")[0].rstrip(",")))
    return 0


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError):
        return None


def _recording(tape_file: Path, document: dict[str, Any], program: Program) -> Recording:
    from tracer.recording.recording import Recording
    from tracer.tape import storage

    tape, _ = storage.read(tape_file)
    if document["python2"]:
        program = as_python2(program)  # Another file of it said so.
    notices = (*program.notices, *(Notice(*item) for item in document["notices"]))
    return Recording(tape, program, document["stdout"], document["ended"], tuple(dict.fromkeys(notices)))


def _rebuilt(error: dict[str, Any], recording: Recording | None) -> Exception:
    if error["type"] == "ProgramError":
        return ProgramError(*error["place"])
    kind = _ERRORS.get(error["type"], errors.ProgramFailed)
    new = kind(*error["place"])
    new.recording, new.stdout = recording, error.get("stdout", "")
    for name in _EXTRA:
        if name in error:
            setattr(new, name, error[name])
    return new


# -- in the child -----------------------------------------------------------------------------------


def main(folder: Path) -> None:
    """Do what the request in ``folder`` says, and leave the answer there."""
    from tracer.recording.run import record_source

    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    limit_memory(request["memory"])
    allow_deep_calls()
    gc.set_threshold(100_000, 50, 50)  # A tape is many objects that live as long as the process does.
    gc.freeze()  # What is there by now is not the program's; a window need not look through it.
    with _saying_where(folder / "where.txt", max(0.7 * (request["until"] - time.time()), 0.01)):
        program = parse(request["source"], request["path"])
        answer: dict[str, Any] = {"notices": [], "stdout": "", "ended": "end"}
        try:
            recording: Recording | None = record_source(
                program, args=request["args"], loop=request["loop"], iteration=request["iteration"],
                run_on=request["run_on"], define=request["define"],
                setup=Path(request["setup"]) if request["setup"] else None, stdin=request["stdin"],
                as_module=request["as_module"], modules=request["modules"],
                when_complete=lambda made: _leave(folder, "partial", made),
            )  # fmt: skip
        except (ProgramError, errors.RecordingError) as error:
            recording = getattr(error, "recording", None)
            answer["error"] = _told(error)
    _leave_answer(folder, answer, recording)


@contextlib.contextmanager
def _saying_where(file: Path, seconds: float) -> Iterator[None]:
    """Write the stack, innermost call first, to a file when so many seconds have gone by.

    A signal's handler runs between two instructions of the program; a watching thread that reads the stack of
    a running one may crash the process.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return

    def write(_: int, frame: FrameType | None) -> None:
        stack = reversed(traceback.extract_stack(frame))
        text = "\n".join(f'File "{entry.filename}", line {entry.lineno}, in {entry.name}' for entry in stack)
        file.write_text(text, encoding="utf-8")

    former = signal.signal(signal.SIGALRM, write)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _leave_answer(folder: Path, answer: dict[str, Any], recording: Recording | None) -> None:
    if recording is not None:
        _leave(folder, "answer", recording, answer)
    else:
        _put(folder / "answer.json", answer)


def _leave(folder: Path, name: str, recording: Recording, answer: dict[str, Any] | None = None) -> None:
    document = {
        **(answer or {}), "notices": [[n.line, n.column, n.what] for n in recording.notices],
        "stdout": recording.stdout, "ended": recording.ended, "python2": recording.program.python2,
    }  # fmt: skip
    target = "tape.npz" if name == "answer" else f"{name}.npz"
    from tracer.tape import storage

    storage.write(recording.tape, folder / (target + ".new"))
    (folder / (target + ".new")).replace(folder / target)
    _put(folder / f"{name}.json", document)


def _put(file: Path, document: dict[str, Any]) -> None:
    new = file.with_suffix(".new")
    new.write_text(json.dumps(document), encoding="utf-8")
    new.replace(file)


def _told(error: ProgramError | errors.RecordingError) -> dict[str, Any]:
    place = [error.message, error.path, error.line, error.column, error.source_line, error.hint]
    told = {"type": type(error).__name__, "place": place, "stdout": getattr(error, "stdout", "")}
    return {**told, **{name: getattr(error, name) for name in _EXTRA if hasattr(error, name)}}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
