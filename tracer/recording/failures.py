"""From an exception of the program to an error that says what happened in the program's own terms."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.program.errors import ProgramError
from tracer.program.program import Program
from tracer.recording.errors import MissingPackage, NameUndefined, OutOfMemory, ProgramFailed, RecordingError

if TYPE_CHECKING:
    from tracer.recording.recording import Recording


def failure(
    error: BaseException,
    program: Program,
    recording: Recording | None,
    stdout: str,
    others: Iterable[Program] = (),
) -> Exception:
    """The error to raise for an exception that came out of the program; ``others`` are its own modules.

    Its traceback keeps the frames of the program's own folder, with line numbers as written.
    """
    if isinstance(error, (ProgramError, RecordingError)):
        return error
    programs = {each.path: each for each in (program, *others)}
    frames = _own_frames(error, programs)
    path, line, column = frames[-1][:3] if frames else (program.path, 0, 0)
    source = programs[path].source_line(line) if frames else ""
    kind, said = type(error).__name__, str(error)
    shown = _shown(frames, kind, said)
    place = (path, line, column, source)
    if isinstance(error, MemoryError):
        return OutOfMemory(
            "The program wanted more memory than there is for it.", *place,
            "Make its data smaller, or allow more memory.", recording, stdout,
        )  # fmt: skip
    failed: ProgramFailed
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.split(".")[0]
        failed = MissingPackage(
            f"The program needs the package {package!r}, which is not installed.", *place,
            f"Install it (pip install {package}) and try again.", recording, stdout,
        )  # fmt: skip
        failed.package = package
    elif isinstance(error, NameError) and not isinstance(error, UnboundLocalError) and error.name:
        failed = NameUndefined(
            f"The name {error.name!r} is not defined.", *place,
            f"If only a part of the program was copied, give it a value: --define {error.name}=VALUE, "
            "or --setup FILE with the missing part.", recording, stdout,
        )  # fmt: skip
        failed.name = error.name
    elif isinstance(error, FileNotFoundError):
        name = error.filename or said.removesuffix(" not found.")
        failed = ProgramFailed(
            f"The program reads a file that is not there: {name!r}.", *place,
            f"It was looked for in {Path.cwd()}. Put it there, or a small one of the same form.", recording, stdout,
        )  # fmt: skip
    else:
        asked = isinstance(error, EOFError) and "input" in source
        hint = "Answer it: --answers FILE, a file with one answer a line." if asked else ""
        failed = ProgramFailed(f"The program failed: {kind}: {said}", *place, hint, recording, stdout)
    failed.kind, failed.traceback = kind, shown
    return failed


def _own_frames(
    error: BaseException, programs: Mapping[str, Program]
) -> list[tuple[str, int, int, str, str]]:
    """Path, line, column, function and source line of each frame of the programs, outermost first."""
    found = []
    for frame in traceback.extract_tb(error.__traceback__):
        program = programs.get(frame.filename)
        if program is None:
            continue
        line, column = frame.lineno or 0, frame.colno or 0
        if program.positions is not None:
            line, column = program.positions.start((line, column))
        found.append((frame.filename, line, column, frame.name, program.source_line(line).strip()))
    return found


def _shown(frames: list[tuple[str, int, int, str, str]], kind: str, said: str) -> str:
    lines = ["Traceback (most recent call last):"]
    for path, line, _, function, source in frames:
        lines += [f'  File "{path}", line {line}, in {function}', f"    {source}"]
    return "\n".join([*lines, f"{kind}: {said}" if said else kind])
