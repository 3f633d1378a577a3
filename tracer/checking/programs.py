"""Which programs are meant: files, folders with all that is in them, and patterns.

Comes in: arguments of the command line.  Goes out: paths, each once, in the order of the arguments.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

_SUFFIXES = (".py", ".ipynb")
#: Folders that hold no submissions.
_SKIPPED = frozenset(("__pycache__", "node_modules", "site-packages", "venv", "env"))


class NoSuchProgram(Exception):
    """An argument that names no program; ``message`` says so, and what to do."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


def find_programs(arguments: Iterable[str]) -> tuple[str, ...]:
    """The programs that arguments name.

    A folder stands for the Python files and notebooks in it and in its folders, except hidden ones and virtual
    environments; ``*``, ``?`` and ``**`` are filled in where the shell has not done so.

    Raises:
        NoSuchProgram: an argument names no file, and matches none.
    """
    found: dict[str, None] = {}
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            inside = _in_folder(path)
            if not inside:
                raise NoSuchProgram(
                    f"{argument}: no Python file and no notebook is in this folder.\n  Give files or another folder."
                )
            found |= dict.fromkeys(inside)
        elif path.exists() or not glob.has_magic(argument):
            if not path.exists():
                raise NoSuchProgram(f"{argument}: No such file.\n  Check the path.")
            found[argument] = None
        else:
            matching = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - absolute patterns, too
            files = [
                one
                for match in matching
                for one in (_in_folder(Path(match)) if Path(match).is_dir() else [match])
            ]
            if not files:
                raise NoSuchProgram(f"{argument}: no file matches this pattern.\n  Check the pattern.")
            found |= dict.fromkeys(files)
    return tuple(found)


def _in_folder(folder: Path) -> list[str]:
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES):
        inside = path.relative_to(folder).parts[:-1]
        hidden = any(part.startswith(".") or part in _SKIPPED for part in inside)
        environment = any(
            (folder.joinpath(*inside[: k + 1]) / "pyvenv.cfg").exists() for k in range(len(inside))
        )
        if path.is_file() and not hidden and not environment and not path.name.startswith("."):
            found.append(str(path))
    return found
