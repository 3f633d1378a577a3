"""An expression as a tree, with the names in it.

Comes in: the text.  Goes out: an `Expression`.  Invariant: the text is one Python expression that binds
nothing, and every name in it is an array with a shape, an axis, or known to Python and NumPy.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from tracer.expressions.errors import CannotDerive
from tracer.expressions.shapes import Axes

#: Names of modules that an expression may use, and what is imported for them.
MODULES: dict[str, tuple[str, ...]] = {
    "np": ("numpy",),
    "numpy": ("numpy",),
    "math": ("math",),
    "scipy": ("scipy", "scipy.special", "scipy.signal"),
}


@dataclass(frozen=True)
class Expression:
    """One expression; lines count from 1, columns from 0 in characters."""

    text: str
    tree: ast.Expression
    arrays: tuple[str, ...]
    sizes: tuple[str, ...]
    modules: tuple[str, ...]

    @cached_property
    def code(self) -> CodeType:
        return compile(self.tree, "<expression>", "eval")

    @property
    def numbers(self) -> frozenset[int]:
        """The whole numbers in it: no axis is given such a size, so that the two are never taken for each other."""
        constants = (n.value for n in ast.walk(self.tree) if isinstance(n, ast.Constant))
        return frozenset(c for c in constants if type(c) is int)

    @property
    def selecting(self) -> tuple[str, ...]:
        """The arrays that stand in an index."""
        indices = [n.slice for n in ast.walk(self.tree) if isinstance(n, ast.Subscript)]
        names = {n.id for index in indices for n in ast.walk(index) if isinstance(n, ast.Name)}
        return tuple(name for name in self.arrays if name in names)

    def choosing(self, shapes: Mapping[str, Axes]) -> frozenset[str]:
        """Arrays that stand alone in the index of another one and have its first axes, two at least: masks."""
        found = set()
        for node in ast.walk(self.tree):
            match node:
                case ast.Subscript(value=ast.Name(id=whole), slice=ast.Name(id=mask)):
                    axes = shapes.get(mask, ())
                    if len(axes) > 1 and tuple(shapes.get(whole, ()))[: len(axes)] == tuple(axes):
                        found.add(mask)
        return frozenset(found)

    @property
    def slices(self) -> bool:
        """Whether it takes slices, which should not be left with a single entry by accident."""
        return any(isinstance(n, ast.Slice) and (n.lower or n.upper) for n in ast.walk(self.tree))

    def namespace(self) -> dict[str, Any]:
        """The modules that it uses, by the names it has for them."""
        return {name: _module(name) for name in ("np", *self.modules)}

    def imports(self) -> list[str]:
        """The statements that import these modules."""
        wanted = dict.fromkeys(m for name in self.modules for m in MODULES[name] if name != "np")
        return ["import numpy as np", *(f"import {module}" for module in wanted)]

    def place(self, node: ast.expr) -> tuple[int, int]:
        """Line and column of a node."""
        line = self.text.split("\n")[node.lineno - 1]
        return node.lineno, len(line.encode()[: node.col_offset].decode(errors="replace"))

    def error(self, message: str, node: ast.expr | None, hint: str = "") -> CannotDerive:
        line, column = self.place(node) if node is not None else (0, 0)
        return CannotDerive(message, self.text, line, column, hint)


def read_expression(text: str, shapes: Mapping[str, Axes]) -> Expression:
    """Parse an expression.

    Raises:
        CannotDerive: it is no expression, or holds a name that means nothing.
    """
    stripped = text.strip()
    tree = _parsed(stripped)
    axes = {axis for one in shapes.values() for axis in one if isinstance(axis, str)}
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}
    read = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id not in bound]
    read.sort(key=lambda n: (n.lineno, n.col_offset))
    names = dict.fromkeys(n.id for n in read)
    expression = Expression(
        stripped,
        tree,
        tuple(n for n in names if n in shapes),
        tuple(n for n in names if n in axes),
        tuple(n for n in names if n in MODULES and n not in shapes and n not in axes),
    )
    for name in read:
        known = name.id in shapes or name.id in axes or name.id in MODULES or hasattr(builtins, name.id)
        if not known:
            raise expression.error(f"{name.id} is not known.", name, _hint(name.id))
    for name in read:
        if name.id == "scipy" in expression.modules and importlib.util.find_spec(name.id) is None:
            raise expression.error("SciPy is not installed.", name, "Install it: pip install scipy")
    if not expression.arrays:
        raise CannotDerive("No array with a shape stands in the expression.", stripped, hint=_SHAPES)
    return expression


_SHAPES = "Give the shape of each array, as in --shape X=N,D --shape W=D,h."


def _parsed(text: str) -> ast.Expression:
    if not text:
        raise CannotDerive("There is no expression.", hint="Write one, such as 'np.tanh(X @ W + b)'.")
    try:
        tree = ast.parse(f"(\n{text}\n)", mode="eval")  # so that it may go on on another line
        ast.increment_lineno(tree, -1)
    except (SyntaxError, ValueError) as caught:
        error = _plain_error(text) or caught
        shift = 1 if error is caught else 0
        line, column = (getattr(error, "lineno", None) or 1) - shift, getattr(error, "offset", None) or 1
        lines = text.split("\n")
        line = min(max(line, 1), len(lines))
        said = getattr(error, "msg", None) or str(error)
        hint = "Write one expression, without an assignment: 'np.tanh(X @ W + b)'."
        if _is_statement(text):
            raise CannotDerive("This is a statement, not an expression.", text, 1, 0, hint) from None
        column = min(column - 1, len(lines[line - 1]))
        raise CannotDerive(f"Syntax error: {said}.", text, line, column, hint) from None
    for node in ast.walk(tree):
        if isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)):
            place = node.lineno, len(text.split("\n")[node.lineno - 1].encode()[: node.col_offset].decode())
            raise CannotDerive(
                "This cannot stand in an expression here.", text, *place, "Write it without :=."
            )
    return tree


def _plain_error(text: str) -> SyntaxError | ValueError | None:
    """What is wrong with a text of one line, in terms of its own columns."""
    if "\n" in text:
        return None
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError) as error:
        return error
    return None


def _is_statement(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _hint(name: str) -> str:
    shape = f"If it is an array, give its shape: --shape {name}=N,D; if it is a number: --shape {name}=."
    if hasattr(np, name):
        return f"Write np.{name} for NumPy's function. {shape}"
    return shape


@cache
def _module(name: str) -> ModuleType:
    modules = [importlib.import_module(module) for module in MODULES[name]]
    return modules[0]
