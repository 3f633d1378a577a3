"""Uses of every operation of the table: operands, arguments, and what NumPy computes.

Arrays among the operands become operands of the formula, plain numbers stay numbers.  `positive`
arrays are for operations that need them; ``y``, ``mask`` are whole numbers and truth values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    op: str
    operands: tuple[Any, ...]
    call: Callable[..., Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    sources: dict[int, str] = field(default_factory=dict)
    note: str = ""

    def __str__(self) -> str:
        shapes = "x".join(
            str(np.shape(o)) if isinstance(o, np.ndarray) else repr(o)[:24] for o in self.operands
        )
        return f"{self.op}-{shapes}-{self.arguments or ''}{self.note}".replace("\n", "")


_rng = np.random.default_rng(7)


def real(*shape: int) -> Array:
    """Numbers of both signs, all different and away from zero and from one another."""
    size = int(np.prod(shape))
    spread = (np.arange(size) - size // 2 + 0.37) / max(size, 1) * 3
    return _rng.permutation(spread).reshape(shape)


def _counted(start: int, *shape: int) -> Array:
    """Different numbers, in order."""
    return (np.arange(np.prod(shape)) + start + 0.5).reshape(shape)


def positive(*shape: int) -> Array:
    return np.abs(real(*shape)) + 0.3


def unit(*shape: int) -> Array:
    return real(*shape) / 2


X, P = real(4, 3), real(4, 3)
ROW, COLUMN, ONE_ROW = real(3), real(4, 1), real(1, 3)
y = np.array([2, 0, 1, 2])
words = np.array([1, 3, 1])
batch = np.array([[0, 2], [3, 3]])
once = np.array([3, 0, 2])
mask = np.array([[True, False, True], [False, False, True], [True, True, False], [False, True, False]])
rows = np.array([True, False, True, True])
N4 = np.arange(4)
half = Fraction(1, 2)

SHAPES: list[tuple[int, ...]] = [(4, 3), (), (3,), (1, 3), (2, 1, 3), (1, 2, 1, 3)]

UNARY = {
    "negative": (np.negative, real),
    "positive": (np.positive, real),
    "copy": (np.copy, real),
    "square": (np.square, real),
    "reciprocal": (np.reciprocal, real),
    "sqrt": (np.sqrt, positive),
    "exp": (np.exp, real),
    "exp2": (np.exp2, real),
    "expm1": (np.expm1, real),
    "log": (np.log, positive),
    "log2": (np.log2, positive),
    "log10": (np.log10, positive),
    "log1p": (np.log1p, positive),
    "tanh": (np.tanh, real),
    "sinh": (np.sinh, real),
    "cosh": (np.cosh, real),
    "sin": (np.sin, real),
    "cos": (np.cos, real),
    "tan": (np.tan, unit),
    "arctan": (np.arctan, real),
    "arcsin": (np.arcsin, unit),
    "arccos": (np.arccos, unit),
    "absolute": (np.abs, real),
    "sign": (np.sign, real),
    "float": (np.copy, real),
}
BINARY = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "greater": np.greater,
    "less": np.less,
    "greater_equal": np.greater_equal,
    "less_equal": np.less_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "logaddexp": np.logaddexp,
    "hypot": np.hypot,
}


def _reductions() -> list[Case]:
    cases = []
    for op, f in (("sum", np.sum), ("mean", np.mean), ("max", np.max), ("min", np.min), ("var", np.var)):
        for x in (X, real(5), real(2, 3, 2), ONE_ROW, COLUMN):
            for axis in (None, 0, -1):
                for keepdims in (False, True):
                    a = {"axis": axis, "keepdims": keepdims}
                    cases.append(Case(op, (x,), lambda x, f=f, a=a: f(x, **a), a))
        a = {"axis": (0, 2), "keepdims": False}
        cases.append(Case(op, (real(2, 3, 2),), lambda x, f=f, a=a: f(x, **a), a))
    return cases


def _norms() -> list[Case]:
    norm = np.linalg.norm
    return [
        Case("norm", (X,), norm),
        Case("norm", (ROW,), norm, {"ord": 2}),
        Case("norm", (X,), lambda x: norm(x, "fro"), {"ord": "fro"}),
        Case("norm", (real(2, 3, 2),), lambda x: norm(x, axis=(0, 2)), {"axis": (0, 2)}),
        Case("norm", (ROW,), lambda x: norm(x, 1), {"ord": 1}),
    ]


def _set(x: Array, index: Any, value: Any) -> Array:
    new = x.copy()
    new[_numeric(index)] = value
    return new


def _add_at(x: Array, index: Any, value: Any) -> Array:
    new = x.copy()
    np.add.at(new, _numeric(index), value)
    return new


def _indexing() -> list[Case]:
    long = real(7, 4)
    plain: list[tuple[Array, Any]] = [
        (X, 2), (X, -1), (X, (1, 2)), (X, (slice(None), 0)), (X, (slice(None), -1)), (X, slice(1, 3)),
        (X, (slice(None), slice(None, 2))), (long, slice(None, None, 2)), (long, slice(5, 1, -2)),
        (long, slice(None, None, -1)), (long, slice(-3, None)), (X, (slice(None), None)), (X, (Ellipsis, 1)),
        (X, (None, Ellipsis)), (X, slice(0, 4)), (X, slice(1, 2)), (real(2, 3, 4), (1, Ellipsis, slice(1, 3))),
        (ONE_ROW, (0, 1)), (ONE_ROW, slice(None)), (X, Ellipsis), (X, (Fraction(1), slice(None))),
    ]  # fmt: skip
    cases = [Case("getitem", (x, i), lambda x, i: x[_numeric(i)]) for x, i in plain]
    lists: list[Any] = [
        [0, 2, 2], (slice(None), [0, -1]), [True, False, True, True], ([0, 1], [2, 0]), [[0, 1], [1, 3]], (None, [1], slice(None)),
        ([3, 1], slice(1, None)), (Ellipsis, [2]),
    ]  # fmt: skip
    cases += [Case("getitem", (X, i), lambda x, i: x[i]) for i in lists]
    cases += [Case("take", (X, (2, 0, 2), 1), lambda x, i, a: np.take(x, i, a)), Case("take", (real(5), (1, 1)), np.take)]
    cases += [
        Case("item", (real(*shape), *at), lambda x, *i: x.item(*map(int, i)))
        for shape, at in [((), ()), ((1,), ()), ((1, 1), ()), ((3,), (1,)), ((2, 3), (1, 2)), ((2, 3), (4,)), ((2, 3), (-1,))]
    ]
    cases += [Case("float", (real(*shape),), lambda x: float(np.squeeze(x))) for shape in [(), (1,), (1, 1)]]
    for x, index in plain:
        value = real(*np.shape(x[_numeric(index)]))
        cases.append(Case("setitem", (x, index, value), lambda x, i, v: _set(x, i, v)))
        cases.append(Case("setitem", (x, index, Fraction(0)), lambda x, i, v: _set(x, i, v)))
        cases.append(Case("add_at", (x, index, value), lambda x, i, v: _add_at(x, i, v)))
    looked_up: list[tuple[Array, Any]] = [
        (P, (N4, y)), (X, words), (X, batch), (real(4, 3, 2), (N4, y)), (real(2, 4, 3), (slice(None), N4, y)),
        (real(4, 2, 3), (N4, slice(None), y)), (X, (words, slice(0, 2))), (X, (2, np.array([0, 2]))),
        (real(5, 4), (slice(None), once)), (real(3, 2, 4), (0, slice(None), once)),
    ]  # fmt: skip
    for x, index in looked_up:
        cases.append(Case("getitem", (x, index), lambda x, i: x[_numeric(i)]))
        cases.append(Case("add_at", (x, index, real(*np.shape(x[index]))), lambda x, i, v: _add_at(x, i, v)))
    cases.append(
        Case(
            "getitem", (X, (np.arange(1, 3), slice(None))), lambda x, i: x[_numeric(i)], sources={1: "range"}
        )
    )
    for x, index in [(P, (N4, y)), (X, once), (real(4, 2, 3), (N4, slice(None), y))]:
        cases.append(Case("setitem", (x, index, real(*np.shape(x[index]))), lambda x, i, v: _set(x, i, v)))
        cases.append(Case("setitem", (x, index, Fraction(1)), lambda x, i, v: _set(x, i, v)))
    cases += [
        Case("setitem", (X, mask, Fraction(0)), lambda x, i, v: _set(x, i, v)),
        Case("setitem", (ONE_ROW, slice(1, None), Fraction(2)), lambda x, i, v: _set(x, i, v)),
        Case("setitem", (real(4, 1), (slice(None), slice(1, 3)), Fraction(2)), lambda x, i, v: _set(x, i, v)),
        Case("add_at", (ONE_ROW, slice(1, None), Fraction(2)), lambda x, i, v: _add_at(x, i, v)),
        Case("setitem", (X, rows, Fraction(2)), lambda x, i, v: _set(x, i, v)),
        Case("setitem", (X, mask, real(int(mask.sum()))), lambda x, i, v: _set(x, i, v)),
        Case("setitem", (X, slice(None), ROW), lambda x, i, v: _set(x, i, v)),
        Case("setitem", (X, 0, real(1, 3)), lambda x, i, v: _set(x, i, v)),
        Case("getitem", (X, mask), lambda x, i: x[_numeric(i)]),
        Case("getitem", (X, rows), lambda x, i: x[_numeric(i)]),
        Case("getitem", (X, (rows, slice(1, 3))), lambda x, i: x[_numeric(i)]),
        Case("take", (X, words), lambda x, i: np.take(x, i, axis=0), {"axis": 0}),
        Case("take", (X, np.array([2, 2])), lambda x, i: np.take(x, i, axis=1), {"axis": 1}),
        Case("take_along_axis", (X, y[:, None]), lambda x, i: np.take_along_axis(x, i, 1), {"axis": 1}),
        Case("take_along_axis", (X, batch.T[:, [0, 1, 0]]), lambda x, i: np.take_along_axis(x, i, 0), {"axis": 0}),
    ]  # fmt: skip
    return cases


def _numeric(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_numeric(i) for i in index)
    return int(index) if isinstance(index, Fraction) else index


def _shapes() -> list[Case]:
    def reshape(x: Array, *shape: int) -> Case:
        return Case("reshape", (x,), lambda x: x.reshape(shape), {"shape": shape})

    def columns_first(x: Array, *shape: int) -> Case:
        return Case("reshape", (x,), lambda x: x.reshape(shape, order="F"), {"shape": shape, "order": "F"})

    a, b = real(2, 3), real(4, 3)
    return [
        Case("transpose", (X,), np.transpose), Case("transpose", (ONE_ROW,), np.transpose),
        Case("transpose", (real(2, 3, 4),), lambda x: x.transpose(1, 0, 2), {"axes": (1, 0, 2)}),
        Case("swapaxes", (real(2, 3, 4), Fraction(0), Fraction(2)), lambda x, i, j: np.swapaxes(x, 0, 2)),
        Case("moveaxis", (real(2, 3, 4), 0, 2), np.moveaxis),
        Case("astype", (X,), np.copy, {"dtype": "float64"}),
        Case("expand_dims", (ROW,), lambda x: np.expand_dims(x, 0), {"axis": 0}),
        Case("squeeze", (COLUMN,), np.squeeze), reshape(real(4), 4, 1), reshape(ONE_ROW, 3), reshape(X, 12),
        reshape(real(12), 4, 3), reshape(real(2, 3, 2), 6, 2), reshape(real(6, 2), 2, 3, 2), reshape(X, 3, 4),
        reshape(real(2, 3, 2), 2, 6), reshape(X, 4, 3), reshape(real(2, 1, 3), 2, 3, 1), reshape(real(1), 1, 1),
        columns_first(X, 12), columns_first(X.ravel(), 4, 3), columns_first(X, 4, 3), columns_first(X.reshape(2, 3, 2), 6, 2),
        columns_first(X.reshape(6, 2), 2, 3, 2), columns_first(X.reshape(3, 1, 4), 4, 3), columns_first(ONE_ROW, 3),
        Case("broadcast_to", (ROW,), lambda x: np.broadcast_to(x, (4, 3))),
        Case("broadcast_to", (COLUMN,), lambda x: np.broadcast_to(x, (4, 3))),
        Case("flip", (X,), lambda x: np.flip(x, 0), {"axis": 0}), Case("flip", (ROW,), np.flip),
        Case("tril", (X,), np.tril), Case("triu", (real(3, 3),), lambda x: np.triu(x, 1), {"k": 1}),
        Case("tril", (X,), lambda x: np.tril(x, -1), {"k": -1}),
        Case("pad", (X,), lambda x: np.pad(x, ((0, 0), (1, 2))), {"pad_width": ((0, 0), (1, 2))}),
        Case("pad", (X,), lambda x: np.pad(x, 1), {"pad_width": 1}),
        Case("pad", (X,), lambda x: np.pad(x, (1, 2)), {"pad_width": (1, 2)}),
        Case("pad", (X,), lambda x: np.pad(x, ((2, 1),)), {"pad_width": ((2, 1),)}),
        Case("pad", (X,), lambda x: np.pad(x, ((2,), (1,))), {"pad_width": ((2,), (1,))}),
        Case("broadcast_to", (ROW, (4, 3)), np.broadcast_to),
        *(
            Case("pad", (X,), lambda x, w=w, m=m: np.pad(x, w, mode=m), {"pad_width": w, "mode": m})
            for m in ("edge", "reflect", "symmetric", "wrap")
            for w in (1, (1, 2), ((0, 0), (1, 2)), ((2, 1), (0, 1)))
        ),
        Case("pad", (real(4, 1),), lambda x: np.pad(x, ((0, 0), (0, 2))), {"pad_width": ((0, 0), (0, 2))}),
        *(
            Case("pad", (X,), lambda x, c=c: np.pad(x, 1, constant_values=c), {"pad_width": 1, "constant_values": c})
            for c in (half, ((1, 2), (half, 0)))
        ),
        Case("concatenate", ((a, b),), np.concatenate),
        Case("concatenate", ((a, a, real(1, 3)),), np.concatenate, note="three"),
        Case("concatenate", ((a, real(2, 1), real(2, 2)),), lambda p: np.concatenate(p, 1), {"axis": 1}),
        Case("vstack", ((a, b, ROW),), np.vstack), Case("hstack", ((a, real(2, 2)),), np.hstack),
        Case("hstack", ((ROW, real(2)),), np.hstack), Case("column_stack", ((ROW, real(3), real(3, 2)),), np.column_stack),
        Case("c_", ((ROW, real(3)),), lambda p: np.c_[p]), Case("r_", ((ROW, real(2)),), lambda p: np.r_[p]),
        Case("c_", (ROW, ROW[:, None] * 2, ROW**2), lambda *p: np.c_[p]), Case("c_", (X, COLUMN[:, 0]), lambda *p: np.c_[p]),
        Case("r_", (ROW, Fraction(2), ROW[:2]), lambda *p: np.r_[tuple(float(x) if isinstance(x, Fraction) else x for x in p)]),
        Case("r_", (X, X[:2] * 3), lambda *p: np.r_[p]), Case("c_", (ROW,), lambda p: np.c_[p]),
        Case("stack", ((a, real(2, 3)),), np.stack),
        Case("stack", ((a, real(2, 3)),), lambda p: np.stack(p, axis=1), {"axis": 1}),
        Case("array", ((np.array(1.5), np.array(2.5), Fraction(3)),), lambda p: np.array([1.0 * float(q) for q in p])),
        Case("array", ((ROW, real(3)),), lambda p: np.array(p)),
    ]  # fmt: skip


def _products() -> list[Case]:
    pairs = [
        ((4, 3), (3, 2)), ((3,), (3, 2)), ((4, 3), (3,)), ((3,), (3,)), ((1, 3), (3, 2)), ((4, 1), (1, 2)),
        ((4, 3), (3, 1)),
    ]  # fmt: skip
    cases = [Case(op, (real(*a), real(*b)), np.matmul) for op in ("matmul", "dot") for a, b in pairs]
    cases += [
        Case("matmul", (real(2, 4, 3), real(2, 3, 2)), np.matmul), Case("matmul", (real(2, 4, 3), real(3, 2)), np.matmul),
        Case("matmul", (real(5, 1, 4, 3), real(2, 3, 2)), np.matmul),
        Case("dot", (np.array(2.5), X), np.dot), Case("dot", (X, Fraction(2)), lambda x, c: x * 2),
        Case("dot", (real(2, 4, 3), real(3, 2)), np.dot), Case("dot", (real(2, 3), real(4, 3, 2)), np.dot),
        Case("outer", (real(4), real(3)), np.outer), Case("outer", (real(1, 4), real(3, 1)), np.outer),
        Case("inner", (real(4), real(4)), np.inner), Case("inner", (real(2, 3), real(4, 3)), np.inner),
        Case("vdot", (X, P), np.vdot),
        Case("tensordot", (real(2, 3, 4), real(3, 4, 2)), np.tensordot),
        Case("tensordot", (X, real(4, 2)), lambda a, b: np.tensordot(a, b, axes=([0], [0])), {"axes": ([0], [0])}),
        Case("tensordot", (X, real(3, 2)), lambda a, b: np.tensordot(a, b, axes=1), {"axes": 1}),
    ]  # fmt: skip
    for spec, *shapes in [
        ("ij,jk->ik", (4, 3), (3, 2)), ("bsd,bsf->df", (2, 3, 4), (2, 3, 5)), ("ij->ji", (4, 3)), ("ii->", (3, 3)),
        ("ii->i", (3, 3)), ("ij,j", (4, 3), (3,)), ("ij,kj->ik", (4, 3), (1, 3)), ("i,ij,j->", (4,), (4, 3), (3,)),
        ("ij->", (4, 3)), ("...i->...", (2, 4, 3)), ("...ij,...jk->...ik", (2, 1, 4, 3), (5, 3, 2)), ("i...,i...", (4, 3), (4, 3)),
        ("...", (4, 3)), ("ij,...j", (4, 3), (2, 3)),
    ]:  # fmt: skip
        cases.append(Case("einsum", (spec, *(real(*s) for s in shapes)), np.einsum))
    return cases


def _numbered_einsum() -> list[Case]:
    return [
        Case("einsum", (real(4, 3), (0, 1), real(3, 2), (1, 2)), lambda a, i, b, j: np.einsum(a, list(i), b, list(j))),
        Case("einsum", (real(4, 3), (0, 1), real(4), (0,), (1,)), lambda a, i, b, j, k: np.einsum(a, list(i), b, list(j), list(k))),
    ]  # fmt: skip


def _elementwise() -> list[Case]:
    cases = [Case(op, (draw(*s),), f) for op, (f, draw) in UNARY.items() for s in SHAPES]
    shapes = [
        ((4, 3), (4, 3)),
        ((4, 3), (3,)),
        ((4, 1), (1, 3)),
        ((4, 3), ()),
        ((1, 3), (4, 3)),
        ((2, 4, 3), (4, 1)),
    ]
    cases += [Case(op, (real(*a), real(*b) + 0.05), f) for op, f in BINARY.items() for a, b in shapes]
    for op, f in BINARY.items():
        if op in ("logaddexp", "hypot"):
            continue
        cases.append(Case(op, (X, half), lambda x, c, f=f: f(x, 0.5)))
        cases.append(Case(op, (half, X), lambda c, x, f=f: f(0.5, x)))
    cases += [
        Case("power", (X, Fraction(2)), lambda x, c: x**2), Case("power", (X, Fraction(3)), lambda x, c: x**3),
        Case("power", (X, Fraction(-1)), lambda x, c: x**-1.0), Case("power", (positive(4), half), lambda x, c: x**0.5),
        Case("power", (positive(4), real(4)), np.power), Case("power", (Fraction(2), X), lambda c, x: 2**x),
        Case("power", (positive(4, 3), np.array(1.7)), np.power), Case("power", (X, Fraction(0)), lambda x, c: x**0),
        Case("clip", (X, -half, half), lambda x, a, b: np.clip(x, -0.5, 0.5)),
        Case("clip", (X, None, half), lambda x, a, b: np.clip(x, None, 0.5)), Case("clip", (X, -half, None), lambda x, a, b: np.clip(x, -0.5, None)),
        Case("clip", (X, ROW - 1, COLUMN + 1), np.clip),
        Case("where", (mask, X, Fraction(0)), lambda c, a, b: np.where(c, a, 0)),
        Case("where", (mask, X, ROW), np.where),
        Case("multiply", (mask, X), np.multiply, note="mask"),
        Case("logical_and", (mask, rows[:, None]), np.logical_and), Case("logical_or", (mask, mask[::-1].copy()), np.logical_or),
        Case("logical_not", (mask,), np.logical_not), Case("invert", (mask,), np.invert),
        Case("bitwise_and", (mask, mask[::-1].copy()), np.bitwise_and), Case("bitwise_or", (mask, rows[:, None]), np.bitwise_or),
        Case("bool", (mask,), np.copy), Case("item", (np.array(2.5),), np.copy),
        Case("int", (y,), np.copy), Case("equal", (y, Fraction(2)), lambda y, c: y == 2),
        Case("sum_of", ((np.array(1.5), np.array(2.5), Fraction(1)),), lambda p: float(p[0]) + float(p[1]) + 1),
        *(
            Case("sum_of", (tuple(_counted(k, *s) for k, s in enumerate(shapes)),), sum)
            for shapes in [[(3,)] * 3, [(2, 3), (3,)], [(1, 3), (2, 1)]]
        ),
        *(Case("sum_of", (_counted(0, *shape),), sum) for shape in [(4,), (4, 3), (1, 3), (2, 1, 3)]),
    ]  # fmt: skip
    return cases


def _others() -> list[Case]:
    return [
        Case("cumsum", (ROW,), np.cumsum), Case("cumsum", (X,), lambda x: np.cumsum(x, 0), {"axis": 0}),
        Case("trace", (real(3, 3),), np.trace), Case("diagonal", (real(3, 3),), np.diagonal),
        Case("diag", (real(3, 3),), np.diag), Case("diag", (ROW,), np.diag),
        Case("zeros", ((4, 3),), lambda s: np.zeros((4, 3))), Case("ones_like", (X,), np.ones_like),
        Case("full", ((4, 3), np.array(2.5)), lambda s, v: np.full((4, 3), v)), Case("eye", (3,), lambda n: np.eye(3)),
        Case("full", ((4, 3), half), lambda s, v: np.full((4, 3), 0.5)),
        Case("axis_size", (X,), lambda x: np.array(x.shape[1]), {"axis": 1}), Case("axis_size", (ONE_ROW,), len),
        Case("size", (X,), np.size),
    ]  # fmt: skip


CASES = [
    *_elementwise(),
    *_products(),
    *_numbered_einsum(),
    *_reductions(),
    *_norms(),
    *_indexing(),
    *_shapes(),
    *_others(),
]
