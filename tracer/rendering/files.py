"""Writing a document so that a reader never sees half of it, and never loses a program to it.

In come a path and a text, out goes a file.  Invariant: at every moment the path holds either what was there
before or the whole new text.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


class CannotWrite(Exception):
    """A document could not be written; the message says where, why, and what to do."""


def write_atomically(
    path: str | os.PathLike[str], text: str, never_over: str | os.PathLike[str] | None = None
) -> Path:
    """Write ``text`` as UTF-8 to ``path``, in one move.

    Arguments:
        path: the file to write; it may exist, its folder must.
        never_over: a file that must not be replaced, however it is reached: the explained program.

    Returns the path.  Raises CannotWrite if the path is ``never_over``, a folder, or cannot be written.
    """
    target = Path(path)
    if never_over is not None and _same_file(target, Path(never_over)):
        raise CannotWrite(f"{target}: this is the program itself; choose another file with -o.")
    if target.is_dir():
        raise CannotWrite(f"{target}: this is a folder; give the name of a file with -o.")
    if target.exists() and not target.is_file():
        # A device or a pipe, such as /dev/stdout, cannot be replaced by a move.
        try:
            target.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise CannotWrite(f"{target}: {error.strerror or error}.") from error
        return target
    # A link is followed: its target is what the user means to change.
    final = target.resolve()
    if not final.parent.is_dir():
        raise CannotWrite(f"{target}: there is no folder {final.parent}; make it first.")
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=".tracer-", suffix=".part", dir=final.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_mode(final))
        Path(temporary).replace(final)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise CannotWrite(f"{target}: {error.strerror or error}; choose another file with -o.") from error
    return target


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()


def _mode(path: Path) -> int:
    """The permissions of the file that is replaced, or those that a new file gets."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
