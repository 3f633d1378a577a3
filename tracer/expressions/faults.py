"""Where and why an expression fails: its innermost part that does, with the shapes of what it is applied to.

Comes in: an expression that fails at a point.  Goes out: the error to show.  Shapes are told by the names of
their axes, which works because every named axis has a size of its own.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from tracer.expressions.errors import CannotDerive
from tracer.expressions.reading import Expression
from tracer.expressions.shapes import Axes, in_words


def fault(
    expression: Expression, shapes: Mapping[str, Axes], sizes: Mapping[str, int], point: Mapping[str, Any]
) -> CannotDerive:
    """The error for an expression that fails at a point."""
    space = {**expression.namespace(), **sizes, **point}
    called = {size: name for name, size in sizes.items()}
    for node in _innermost_first(expression.tree.body):
        try:
            _value(node, space)
        except Exception as error:
            operands = _operands(node)
            told = [_told(n, space, called) for n in operands]
            what = ast.get_source_segment(expression.text, node) or ast.unparse(node)
            said = " ".join(str(error).split()) or type(error).__name__
            listed = "; ".join(t for t in told if t)
            about = f" Shapes: {listed}." if listed else ""
            hint = "Check the shapes: two axes fit if they have the same name, or one of them is 1."
            if not _is_about_shapes(error):
                hint = "Check how it is called; it is run with NumPy as it stands."
            return expression.error(
                f"{what} fails: {type(error).__name__}: {_with_names(said, called)}.{about}", node, hint
            )
    return expression.error("The expression fails.", expression.tree.body, "Run it with NumPy to see why.")


def _innermost_first(node: ast.expr) -> list[ast.expr]:
    """The parts that can be run alone, each after what it is made of."""
    found: list[ast.expr] = []

    def visit(part: ast.AST) -> None:
        if isinstance(part, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            found.append(part)
            return
        for child in ast.iter_child_nodes(part):
            visit(child)
        if isinstance(part, ast.expr) and not isinstance(part, (ast.Slice, ast.Starred)):
            found.append(part)

    visit(node)
    return [f for f in found if not _holds_slice(f)]


def _holds_slice(node: ast.expr) -> bool:
    return isinstance(node, ast.Tuple) and any(isinstance(e, (ast.Slice, ast.Starred)) for e in node.elts)


def _value(node: ast.expr, space: Mapping[str, Any]) -> Any:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(compile(ast.Expression(node), "<expression>", "eval"), dict(space))


def _operands(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.Call(func=func, args=args):
            method = [func.value] if isinstance(func, ast.Attribute) else []
            return [*method, *args]
        case ast.Subscript(value=value):
            return [value]
        case ast.Compare(left=left, comparators=others):
            return [left, *others]
        case ast.Attribute(value=value):
            return [value]
    return []


def _told(node: ast.expr, space: Mapping[str, Any], called: Mapping[int, str]) -> str:
    """``X @ W is (N, h)``; empty for what is no array."""
    try:
        value = _value(node, space)
    except Exception:
        return ""
    if not isinstance(value, np.ndarray):
        return ""
    return f"{ast.unparse(node)} is {in_words(called.get(s, s) for s in value.shape)}"


def _with_names(said: str, called: Mapping[int, str]) -> str:
    """What NumPy says, without the sizes that were only tried."""
    head = said.split(" (size ", 1)[0].split(" with shapes", 1)[0].split(", with gufunc", 1)[0]
    return head.split(": shapes ", 1)[0].rstrip(".:") if called else said.rstrip(".")


def _is_about_shapes(error: Exception) -> bool:
    text = str(error)
    return isinstance(error, ValueError) and any(w in text for w in ("shape", "dimension", "aligned", "axes"))
