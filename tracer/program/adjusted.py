"""New values of variables that are converted, kept within bounds or scaled once they are made.

Comes in: the right-hand side of an assignment.  Goes out: what is made there before, ``W - step`` of
``np.clip(W - step, -1, 1).astype(np.float32)``.
"""

from __future__ import annotations

import ast

_ADJUSTING = frozenset(
    (
        "copy array asarray ascontiguousarray astype reshape clip maximum minimum where float float32 float64 float16 round "
        "real squeeze"
    ).split()
)


def unadjusted(value: ast.expr) -> ast.expr:
    """The sum or difference that an expression adjusts; the expression itself if there is none."""
    inner = value
    while True:
        match inner:
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return inner
            case ast.BinOp(left=left, op=ast.Div(), right=right) if "norm" in ast.unparse(right):
                inner = left  # not every quotient: a layer normalises its input, too
            case ast.Call(func=ast.Attribute(value=ast.BinOp() | ast.Call() as owner, attr=name)) if (
                name in _ADJUSTING
            ):
                inner = owner
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[*_, _] as given) if (
                name in _ADJUSTING
            ):
                inner = next((a for a in given if isinstance(unadjusted(a), ast.BinOp)), given[0])
            case _:
                return value
