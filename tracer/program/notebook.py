"""From a Jupyter notebook to one program: its code cells in order.

In: the text of an ``.ipynb`` file.  Out: a Python source, and notices of what was left out.  What only a notebook
understands (``%matplotlib inline``, ``!pip install``, ``plt.plot?``) is replaced, so that every other line stays as
it was written; each cell begins with a comment that counts it.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import Any

from tracer.program.errors import ProgramError
from tracer.tape.node import Notice

#: Cell magics whose cell is Python all the same.
_PYTHON_CELLS = {"time", "timeit", "capture", "prun", "python", "python3"}
_LINE = re.compile(r"^(\s*)(?:([\w, ]+?)\s*=\s*)?([%!]|\?)(.*)$")
_TIMED = re.compile(r"^(?:time|timeit|prun)\s+(?:-\w+\s*\d*\s+)*(.*)$")


def is_cell(path: str) -> bool:
    """Whether a path stands for code that was typed into a session: a cell of a notebook, a prompt."""
    return path.startswith("<") or "ipykernel" in PurePath(path).parent.name


def script_of(text: str, path: str) -> tuple[str, tuple[Notice, ...]]:
    """The program that the notebook's code cells are.

    Raises:
        ProgramError: it is no notebook, or has no code in Python.
    """
    try:
        document = json.loads(text)
        cells = document["cells"] if "cells" in document else document["worksheets"][0]["cells"]
        code = [_text(cell) for cell in cells if cell.get("cell_type") == "code"]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise ProgramError("This is not a notebook.", path, hint="Save it again from Jupyter.") from None
    language = document.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    if language.lower() != "python":
        raise ProgramError(f"This notebook is written in {language}, not in Python.", path)
    if not any(cell.strip() for cell in code):
        raise ProgramError("This notebook has no code cells.", path)
    lines: list[str] = []
    notices: list[Notice] = []
    for number, cell in enumerate(code, 1):
        lines.append(f"# cell {number}")
        lines += _cell(cell, len(lines), number, notices)
        lines.append("")
    return "\n".join(lines), tuple(notices)


def _text(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    return source if isinstance(source, str) else "".join(source)


def _cell(cell: str, before: int, number: int, notices: list[Notice]) -> list[str]:
    """The lines of one cell; ``before`` lines stand above it."""
    lines = cell.replace("\r\n", "\n").rstrip("\n").split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        magic = lines[first][2:].split()[0] if lines[first][2:].split() else ""
        notices.append(Notice(before + first + 1, 0, f"Cell {number}: %%{magic} was left out" + (
            "." if magic in _PYTHON_CELLS else ", and the whole cell with it.")))  # fmt: skip
        lines[first] = "# " + lines[first]
        if magic not in _PYTHON_CELLS:
            return ["# " + line.removeprefix("# ") for line in lines]
    inside = False
    for at, line in enumerate(lines):
        if not inside:
            lines[at] = _line(line, before + at + 1, number, notices)
        inside ^= (line.count('"""') + line.count("'''")) % 2 == 1
    return lines


def _line(line: str, at: int, number: int, notices: list[Notice]) -> str:
    found = _LINE.match(line)
    helped = re.match(r"^\s*[\w.]+\?\??\s*$", line)
    if found is None and not helped:
        return line
    said = line.strip()
    notices.append(Notice(at, len(line) - len(line.lstrip()), f"Cell {number}: {said} was left out."))
    if helped or found is None:
        return f"{line[: len(line) - len(line.lstrip())]}pass  # {said}"
    indent, target, sign, rest = found.groups()
    timed = _TIMED.match(rest) if sign == "%" else None
    if timed is not None and timed.group(1):
        return f"{indent}{target + ' = ' if target else ''}{timed.group(1)}"
    return f"{indent}{target} = None  # {said}" if target else f"{indent}pass  # {said}"
