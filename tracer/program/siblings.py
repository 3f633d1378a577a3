"""The program's own modules: Python files beside it that it imports, and that those import.

In: a `Program` with a file.  Out: its siblings by module name, each a `Program`.  Invariant: nothing is imported or
run; a module is a sibling only if its file lies in the program's folder or below, outside any installation.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tracer.program.errors import ProgramError
from tracer.program.program import Program, load, parse

_INSTALLED = {"site-packages", "dist-packages", ".venv", "venv"}


def siblings(program: Program, folder: Path, texts: Mapping[str, str] | None = None) -> dict[str, Program]:
    """The modules in ``folder`` that ``program`` imports, directly or through each other.

    Arguments:
        texts: what stands in some of the files instead, by their paths.

    Raises:
        ProgramError: one of them cannot be read, or is not a Python program.
    """
    found: dict[str, Program] = {}
    todo = [(name, "") for name in _imports(program.tree, "")]
    while todo:
        name, _ = todo.pop()
        file = _file(name, folder)
        if name in found or file is None:
            continue
        try:
            other = (texts or {}).get(str(file))
            found[name] = load(file) if other is None else parse(other, str(file))
        except ProgramError:
            if file.name == "__init__.py" and not file.read_bytes().strip():
                continue
            raise
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        todo += [(inner, package) for inner in _imports(found[name].tree, package)]
    return found


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    """The dotted names that a module may import; a name from a package may be a module of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if package else []
                base = ".".join([*above, base] if base else above)
            names = [base, *(f"{base}.{alias.name}" if base else alias.name for alias in node.names)]
        else:
            continue
        for name in names:
            parts = [part for part in name.split(".") if part]
            yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def _file(name: str, folder: Path) -> Path | None:
    base = folder.joinpath(*name.split("."))
    for file in (base / "__init__.py", base.with_name(base.name + ".py")):
        if file.is_file() and not _INSTALLED & set(file.resolve().relative_to(folder.resolve()).parts):
            return file
    return None
