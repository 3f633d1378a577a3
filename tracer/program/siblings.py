"""The program's own modules: Python files beside it that it imports, and that those import.

In: a `Program` with a file.  Out: the program and its siblings by module name, each a `Program`.  Where one of them is
Python 2, all are, as far as they can be: `/` of two integers rounds down in all of them, and a module of a package
imports its neighbours without a dot.

Invariant: nothing is imported or run; a module is a sibling only if its file lies in the program's folder or below,
outside any installation.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tracer.program.errors import ProgramError
from tracer.program.program import Program, as_python2, load, parse

_INSTALLED = {"site-packages", "dist-packages", ".venv", "venv"}


def siblings(
    program: Program, folder: Path, texts: Mapping[str, str] | None = None
) -> tuple[Program, dict[str, Program]]:
    """The program, and the modules in ``folder`` that it imports, directly or through each other.

    Arguments:
        texts: what stands in some of the files instead, by their paths.

    Raises:
        ProgramError: one of them cannot be read, or is not a Python program.
    """
    search = _Search(folder, texts or {})
    found = search.modules(program, neighbours=False)
    if not (program.python2 or search.undotted or any(each.python2 for each in found.values())):
        return program, found
    found = search.modules(program, neighbours=True)
    return as_python2(program), {
        name: _dotted(as_python2(each), _package(name, each), folder) for name, each in found.items()
    }


@dataclass
class _Search:
    """A walk along the imports; every file is read once.

    Attributes:
        undotted: whether a module of a package imports a neighbour as only Python 2 does.
    """

    folder: Path
    texts: Mapping[str, str]
    undotted: bool = False
    read: dict[Path, Program] = field(default_factory=dict)

    def modules(self, program: Program, neighbours: bool) -> dict[str, Program]:
        """All modules; with ``neighbours``, a name is first looked for in the package that imports it."""
        found: dict[str, Program] = {}
        todo = list(_imports(program.tree, ""))
        while todo:
            name, package = todo.pop()
            beside = f"{package}.{name}" if package else ""
            if beside and _file(beside, self.folder) is not None:
                if neighbours:
                    name = beside
                elif _file(name, self.folder) is None and _exists_nowhere(name):
                    self.undotted = True
            file = _file(name, self.folder)
            if name in found or file is None:
                continue
            other = self._program(file)
            if other is None:
                continue
            found[name] = other
            todo += _imports(other.tree, _package(name, other))
        return found

    def _program(self, file: Path) -> Program | None:
        """What stands in a file; ``None`` for the empty file of a package."""
        if file not in self.read:
            try:
                other = self.texts.get(str(file))
                self.read[file] = load(file) if other is None else parse(other, str(file))
            except ProgramError:
                if file.name == "__init__.py" and not file.read_bytes().strip():
                    return None
                raise
        return self.read[file]


def _package(name: str, module: Program) -> str:
    """The package that a module's relative imports start from."""
    return name if Path(module.path).name == "__init__.py" else name.rpartition(".")[0]


def _imports(tree: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    """The dotted names that a module may import, each with the package that Python 2 looks into first.

    A name from a package may be a module of it.
    """
    for node in ast.walk(tree):
        before = package
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base, before = node.module or "", "" if node.level else package
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if package else []
                base = ".".join([*above, base] if base else above)
            names = [base, *(f"{base}.{alias.name}" if base else alias.name for alias in node.names)]
        else:
            continue
        for name in names:
            parts = [part for part in name.split(".") if part]
            yield from ((".".join(parts[:count]), before) for count in range(1, len(parts) + 1))


def _exists_nowhere(name: str) -> bool:
    """Whether no library has this name, so that Python 3 could not import it."""
    if name in sys.stdlib_module_names:
        return False
    try:
        return importlib.util.find_spec(name) is None
    except (ImportError, ValueError):
        return False


def _dotted(module: Program, package: str, folder: Path) -> Program:
    """A module of a package, with a dot before each neighbour that it imports as Python 2 does."""
    if not (package and module.python2):
        return module
    return replace(module, tree=_Dotting(package, folder).visit(module.tree))


class _Dotting(ast.NodeTransformer):
    """``import rates`` becomes ``from . import rates`` where ``rates`` stands in the same package."""

    def __init__(self, package: str, folder: Path) -> None:
        self.package, self.folder = package, folder

    def _is_neighbour(self, name: str) -> bool:
        return _file(f"{self.package}.{name.partition('.')[0]}", self.folder) is not None

    def visit_Import(self, node: ast.Import) -> ast.Import | list[ast.stmt]:
        if not any(self._is_neighbour(alias.name) for alias in node.names):
            return node
        made: list[ast.stmt] = []
        for alias in node.names:
            above, _, last = alias.name.rpartition(".")
            if not self._is_neighbour(alias.name):
                made.append(ast.Import([alias]))
            elif not above:
                made.append(ast.ImportFrom(None, [alias], 1))
            else:
                # The whole is loaded; `import a.b` binds a, and `import a.b as c` what lies innermost.
                made.append(ast.ImportFrom(above, [ast.alias(last, alias.asname or last)], 1))
                if alias.asname is None:
                    made.append(ast.ImportFrom(None, [ast.alias(above.partition(".")[0])], 1))
        return [ast.fix_missing_locations(ast.copy_location(each, node)) for each in made]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.level or not node.module or not self._is_neighbour(node.module):
            return node
        return ast.copy_location(ast.ImportFrom(node.module, node.names, 1), node)


def _file(name: str, folder: Path) -> Path | None:
    base = folder.joinpath(*name.split("."))
    for file in (base / "__init__.py", base.with_name(base.name + ".py")):
        if file.is_file() and not _INSTALLED & set(file.resolve().relative_to(folder.resolve()).parts):
            return file
    return None
