"""Which loops check a gradient numerically: found by structure, so that they run natively.

In: a loop.  Out: whether it divides the difference of two values of one function by a step, and moves one entry of an
array at a time.  Thousands of forward passes stand in such a loop, and none of them is part of the backward pass.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

_LOOP = (ast.For, ast.While)
#: What gives an array, whose differences are statistics: of two phases, of two times.
_PRODUCTS = ("dot", "matmul", "outer")
_INNER = (*_LOOP, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def checks_numerically(loop: ast.AST) -> bool:
    """Whether the loop itself, not one inside it, computes difference quotients entry by entry."""
    if not isinstance(loop, _LOOP):
        return False
    nodes = [node for statement in loop.body for node in _own(statement)]
    called: dict[str, str] = {}
    moves = False
    for node in nodes:
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                moves |= isinstance(target, ast.Subscript) and not _is_slice(target.slice)
                for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                    function = _function(node.value)
                    if function:
                        called[ast.unparse(part)] = function
    return moves and any(_is_quotient(node, called) for node in nodes)


def _is_slice(index: ast.AST) -> bool:
    """Whether an index is of more than one entry: ``[1:]``, ``[:, 0]``."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    return any(isinstance(part, ast.Slice) for part in parts)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is below it, without inner loops and functions."""
    if isinstance(node, _INNER):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _own(child)


def _function(value: ast.AST) -> str:
    """The function whose value this is, also as ``float(f(x))`` and ``f(x)[0]``."""
    while isinstance(value, ast.Subscript):
        value = value.value
    if not isinstance(value, ast.Call):
        return ""
    name = ast.unparse(value.func)
    if name in ("float", "np.sum", "np.float64") and len(value.args) == 1:
        return _function(value.args[0]) or name
    return name


def _is_quotient(node: ast.AST, called: dict[str, str]) -> bool:
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
        return False
    top = node.left
    while isinstance(top, ast.Call) and len(top.args) == 1:
        top = top.args[0]  # np.sum((a - b)) / h
    if isinstance(top, ast.BinOp) and isinstance(top.op, ast.Mult):
        top = top.left  # np.sum((a - b) * df) / (2 * h)
    if not (isinstance(top, ast.BinOp) and isinstance(top.op, ast.Sub)):
        return False
    sides: list[str] = [_function(side) or called.get(ast.unparse(side), "") for side in (top.left, top.right)]
    return bool(sides[0]) and sides[0] == sides[1] and sides[0].rpartition(".")[2] not in _PRODUCTS
