"""From a Python 2 program to the same program in Python 3, with the place of every token.

fissix (the maintained lib2to3) rewrites; leaves that it keeps know their old line and column, and the
others take the place of what they replaced.  ``xrange`` is renamed here, without a ``list(...)``
around it, because NumPy and loops take a range just as well.  Division is left as it stands: whoever
runs the program divides two integers as Python 2 did (`Modern.classic_division`).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from tracer.program.errors import ProgramError
from tracer.program.positions import Position, PositionMap

_FIXERS = [
    "print",
    "raw_input",
    "input",
    "except",
    "exec",
    "ne",
    "long",
    "unicode",
    "basestring",
    "has_key",
    "dict",
    "itertools",
    "itertools_imports",
    "reduce",
    "repr",
    "numliterals",
    "raise",
    "tuple_params",
    "imports",
    "zip",
    "map",
    "filter",
    "next",
    "nonzero",
    "urllib",
    "types",
    "renames",
    "apply",
    "intern",
    "getcwdu",
    "standarderror",
    "metaclass",
    "methodattrs",
    "operator",
    "sys_exc",
    "throw",
    "xreadlines",
    "paren",
]
_ONLY_PYTHON3 = (
    ast.JoinedStr, ast.NamedExpr, ast.Nonlocal, ast.AnnAssign, ast.AsyncFunctionDef, ast.Await, ast.YieldFrom,
    ast.Match,
)  # fmt: skip
_NAMES = {"xrange", "raw_input", "unicode", "unichr", "long", "basestring"}
_ATTRIBUTES = {"iteritems", "itervalues", "iterkeys", "has_key"}
_LIST_USE = (
    r"\b(?:shuffle\(\s*{0}\s*\)|{0}\s*\.\s*(?:append|remove|pop|sort|reverse|insert|extend)\b"
    r"|{0}\s*\+(?!=)|{0}\s*\[[^\]\n]*\]\s*=[^=])"
)


@dataclass(frozen=True)
class Modern:
    """A modernised program: ``changes`` names what was converted, in words."""

    text: str
    positions: PositionMap
    classic_division: bool
    changes: tuple[str, ...]


def looks_like_python2(tree: ast.Module) -> bool:
    """Whether a program that parses still uses names that only Python 2 has, and does not define them."""
    defined = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            defined.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.arg):
            defined.add(node.arg)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _NAMES - defined:
            return True
        if isinstance(node, ast.Attribute) and node.attr in _ATTRIBUTES:
            return True
    return False


def says_python3(tree: ast.Module) -> bool:
    """Whether a program has what no Python 2 has: f-strings, ``@``, ``print(…, end="")``, ``super()``, annotations…"""
    for node in ast.walk(tree):
        if isinstance(node, _ONLY_PYTHON3):
            return True
        if isinstance(node, ast.arguments) and node.kwonlyargs:
            return True
        if isinstance(node, ast.arg) and node.annotation is not None:
            return True
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.MatMult):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name == "super" and not node.args:
                return True
            if name == "print" and node.keywords and not _has_future(tree, "print_function"):
                return True
    return False


def _has_future(tree: ast.Module, feature: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__" and alias.name == feature
        for node in tree.body
        for alias in getattr(node, "names", ())
    )


def modernise(source: str, path: str) -> Modern:
    """Convert ``source`` to Python 3.

    Raises:
        ProgramError: it is not Python 2 either; the line is the one that stopped the parser.
    """
    from fissix import refactor
    from fissix.pgen2 import parse as pgen
    from fissix.pgen2 import tokenize

    text = source if source.endswith("\n") else source + "\n"
    names = [f"fissix.fixes.fix_{name}" for name in _FIXERS if _has_fixer(name)]
    tool = refactor.RefactoringTool(names)
    lines = text.split("\n")
    try:
        original = _tokens(_tree(text))
        tree = _refactor(tool, text, path)
    except pgen.ParseError as error:
        line, column = error.context[1] if error.context else (0, 0)
        raise ProgramError(
            "This is neither Python 3 nor Python 2.", path, line, column, lines[line - 1] if line else ""
        ) from None
    except (tokenize.TokenError, IndentationError) as error:
        line = _line_of(error)
        shown = lines[line - 1] if 0 < line <= len(lines) else ""
        raise ProgramError(f"The program breaks off: {error.args[0]}.", path, line, 0, shown) from None
    changes = _rename_ranges(tree, text)
    new_text = str(tree)
    if new_text.count("print(") > text.count("print(") or re.search(r"^\s*print\b(?!\s*\()", text, re.M):
        changes.append("print statements")
    classic = not re.search(r"^\s*from\s+__future__\s+import\s+[^#\n]*\bdivision\b", text, re.M)
    return Modern(new_text, _positions(tree, original), classic, tuple(changes) or ("Python 2 syntax",))


def _has_fixer(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(f"fissix.fixes.fix_{name}") is not None


def _tree(text: str) -> Any:
    from fissix import pygram, pytree
    from fissix.pgen2 import driver

    grammar = pygram.python_grammar
    if re.search(r"^\s*from\s+__future__\s+import\s+[^#\n]*\bprint_function\b", text, re.M):
        grammar = pygram.python_grammar_no_print_statement
    return driver.Driver(grammar, convert=pytree.convert).parse_string(text)


def _refactor(tool: Any, text: str, path: str) -> Any:
    from fissix import refactor

    tree = _tree(text)
    tree.future_features = refactor._detect_future_features(text)
    tool.refactor_tree(tree, path)
    return tree


def _line_of(error: BaseException) -> int:
    for arg in error.args:
        if isinstance(arg, tuple) and arg and isinstance(arg[0], int):
            return arg[0]
        if isinstance(arg, tuple) and len(arg) > 1 and isinstance(arg[1], int):
            return arg[1]
    return 0


def _rename_ranges(tree: Any, text: str) -> list[str]:
    changes = []
    for leaf in tree.leaves():
        if leaf.value == "xrange":
            leaf.value = "range"
            if "xrange" not in changes:
                changes.append("xrange")
        elif leaf.value == "range":
            _keep_list(leaf, text)
    return changes


def _keep_list(leaf: Any, text: str) -> None:
    """``r = range(...)`` stays a list where the program goes on to treat ``r`` as one."""
    statement = leaf.parent.parent if leaf.parent is not None else None
    if statement is None or len(statement.children) != 3 or str(statement.children[1]).strip() != "=":
        return
    target = str(statement.children[0]).strip()
    if statement.children[2] is leaf.parent and re.search(_LIST_USE.format(re.escape(target)), text):
        leaf.value = "list(range"
        leaf.parent.children[-1].children[-1].value = "))"


def _tokens(tree: Any) -> list[tuple[Position, Position]]:
    """Start and end of every token with text of its own, in order."""
    found = []
    for leaf in tree.leaves():
        if leaf.value.strip() and leaf.lineno:
            found.append(((leaf.lineno, leaf.column), _after((leaf.lineno, leaf.column), leaf.value)))
    return found


def _after(position: Position, text: str) -> Position:
    line, column = position
    if "\n" in text:
        return (line + text.count("\n"), len(text) - text.rfind("\n") - 1)
    return (line, column + len(text))


def _positions(tree: Any, original: list[tuple[Position, Position]]) -> PositionMap:
    number = {start: at for at, (start, _) in enumerate(original)}
    here: Position = (1, 0)
    placed: list[tuple[Position, Position, int | None]] = []
    for leaf in tree.leaves():
        here = _after(here, leaf.prefix)
        start, here = here, _after(here, leaf.value)
        if leaf.value.strip():
            placed.append((start, here, number.get((leaf.lineno, leaf.column))))
    result = PositionMap()
    following: list[int] = [0] * len(placed)
    nearest = len(original)
    for at in range(len(placed) - 1, -1, -1):
        following[at] = nearest
        if placed[at][2] is not None:
            nearest = placed[at][2] or 0
    before = -1
    for at, (start, end, token) in enumerate(placed):
        if token is not None:
            first, last, before = token, token, token
        else:
            # A token of the new text only: it takes the place of what was removed here, or of its neighbour.
            first = min(before + 1, len(original) - 1)
            last = max(following[at] - 1, 0)
            if first > last:
                first, last = (last, last) if before >= 0 else (first, first)
        result.starts.append(start)
        result.ends.append(end)
        result.old_starts.append(original[first][0])
        result.old_ends.append(original[last][1])
    return result
