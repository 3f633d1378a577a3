"""Uses of the operations that choose entries, take them out, put others in, write over them or build arrays of blocks."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from more_cases import SHAPES
from table_cases import Array, Case, real

_SIGNS = [np.array([True, False, True, False, True]), np.array([False, True, True, False, True])]


def _written(write: Callable[..., Any]) -> Callable[..., Array]:
    """A function that writes into its first argument, as one that gives the new array."""

    def call(x: Array, *others: Any) -> Array:
        new = x.copy()
        write(new, *(float(o) if isinstance(o, Fraction) else o for o in others))
        return new

    return call


def _alternatives() -> list[Case]:
    shapes: list[tuple[int, ...]] = [(5,), (4, 3), (1, 3), (2, 1, 2)]
    cases = []
    for shape in shapes:
        which = np.arange(int(np.prod(shape))).reshape(shape) % 3
        three = tuple(real(*shape) for _ in range(3))
        low, high = which == 0, which > 1
        cases += [
            Case("choose", (which, three), np.choose),
            Case("choose", (which % 2, (real(*shape), Fraction(2))), lambda a, c: np.choose(a, [c[0], 2.0])),
            Case("select", ((low, high), (three[0], three[1]), Fraction(0)), lambda c, x, d: np.select(c, x, 0.0)),
            Case("select", ((low,), (three[0],), real(*shape)), lambda c, x, d: np.select(c, x, d)),
            Case("select", ((low, which < 2), (three[0], Fraction(2))), lambda c, x: np.select(c, [x[0], np.full(np.shape(x[0]), 2.0)]),
                 note=str(shape)),
            Case("select", (tuple(which == k for k in (2, 0, 1, 1)), (three[0], Fraction(2), three[1], Fraction(1))),
                 lambda c, x: np.select(c, [x[0], np.full(np.shape(x[0]), 2.0), x[2], np.ones(np.shape(x[0]))]), note="four"),
        ]  # fmt: skip
    return cases


def _taken() -> list[Case]:
    row = real(5)
    cases = [Case("compress", (mask, row), np.compress) for mask in _SIGNS]
    cases += [
        Case("compress", (np.array(keep), real(*s)), lambda c, x, a=a: np.compress(c, x, a), {"axis": a})
        for s, a, keep in [
            ((4, 3), 0, [True, False, True]), ((4, 3), 1, [False, True, True]), ((1, 3), -1, [True, False, True]),
            ((2, 3, 2), 1, [True, True, False]), ((4, 3), None, [True, False, True, True, False]), ((1, 3), 0, [True]),
        ]
    ]  # fmt: skip
    cases += [Case("extract", (real(*s) > 0, real(*s)), np.extract) for s in SHAPES]
    holes: list[tuple[tuple[int, ...], Any, Any]] = [
        ((5,), 1, None), ((5,), (0, 3), None), ((4, 3), 0, 0), ((4, 3), (0, 2), 1), ((4, 3), 5, None), ((2, 3, 2), -1, 1),
        ((1, 3), 1, -1), ((2, 3), slice(0, 2), 1),
    ]  # fmt: skip
    cases += [
        Case("delete", (real(*s), o), lambda x, o, a=a: np.delete(x, o, a), {"axis": a}) for s, o, a in holes
    ]
    for zeros in ([0, 0, 1, 2, 0, 3, 0], [1, 2], [0, 1], [1, 0], [0, 0, 0, 4]):
        there = np.flatnonzero(zeros)
        kept = slice(
            there[0], there[-1] + 1
        )  # what is kept at these entries; it jumps when an end is no longer 0
        cases.append(
            Case("trim_zeros", (np.array(zeros, dtype=float),), lambda x, k=kept: x[k], note=str(zeros))
        )
    sizes: list[tuple[tuple[int, ...], Any]] = [
        ((3,), 5), ((3,), (2, 4)), ((4, 3), 5), ((4, 3), (2, 3)), ((1, 3), (2, 3)), ((2, 3, 2), (4, 2)),
    ]  # fmt: skip
    cases += [Case("resized", (real(*s), n if isinstance(n, tuple) else (n,)), _resized) for s, n in sizes]
    return cases + [Case("resize", (real(*s), n), np.resize) for s, n in sizes]


def _resized(x: Array, shape: tuple[int, ...]) -> Array:
    new = x.copy()
    new.resize(shape, refcheck=False)
    return new


def _inserted() -> list[Case]:
    ways: list[tuple[tuple[int, ...], Any, Any, Any]] = [
        ((4,), 1, np.array(0.5), None), ((4,), (0, 2), real(2), None), ((4,), 4, real(2), None), ((4, 3), 1, real(3), 0),
        ((4, 3), 1, real(4), 1), ((4, 3), 2, Fraction(1), 1), ((4, 3), 5, Fraction(2), None), ((1, 3), (0, 1), real(2, 3), 0),
    ]  # fmt: skip
    return [
        Case("insert", (real(*s), o, v), lambda x, o, v, a=a: np.insert(x, o, _plain(v), a), {"axis": a})
        for s, o, v, a in ways
    ]


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Fraction) else value


def _overwritten() -> list[Case]:
    cases = []
    for shape in SHAPES:
        mask = real(*shape) > 0
        cases += [
            Case("putmask", (real(*shape), mask, real(*shape)), _written(np.putmask)),
            Case("putmask", (real(*shape), mask, Fraction(1)), _written(np.putmask)),
            Case("place", (real(*shape), mask, real(2)), _written(np.place)),
            Case("put", (real(*shape), np.array([0, 2]), real(2)), _written(np.put)),
            Case("put", (real(*shape), (1, 2), Fraction(1)), _written(np.put)),
            Case("put_flat", (real(*shape), np.array([2, 0]), real(2)), _written(_into_flat)),
            Case("take_flat", (real(*shape), np.array([2, 0, 2])), lambda x, i: x.reshape(-1)[i]),
            Case("into", (real(*shape), real(shape[-1])), _written(lambda x, v: np.copyto(x, v))),
            Case("into", (real(*shape), Fraction(2)), _written(lambda x, v: x.fill(v))),
            Case("copyto", (real(*shape), real(*shape)), _written(np.copyto)),
            Case("copyto", (real(*shape), real(shape[-1]), mask), _written(lambda x, v, m: np.copyto(x, v, where=m))),
        ]  # fmt: skip
    ways: list[tuple[tuple[int, ...], int]] = [
        ((5,), 0),
        ((4, 3), 0),
        ((4, 3), 1),
        ((1, 3), 1),
        ((2, 3, 2), 1),
        ((2, 1, 2), 2),
    ]
    for shape, axis in ways:
        at = np.argmax(real(*shape), axis=axis, keepdims=True)
        for value in (real(*at.shape), Fraction(0)):
            cases.append(Case("put_along_axis", (real(*shape), at, value, axis), _written(np.put_along_axis)))
    return cases


def _into_flat(x: Array, index: Any, value: Any) -> None:
    x.reshape(-1)[index] = value


def _blocks() -> list[Case]:
    a, b, c, d = real(2, 3), real(2, 1), real(1, 3), real(1, 1)
    return [
        Case("block", (((a, b), (c, d)),), lambda p: np.block([list(r) for r in p])),
        Case("block", ((real(3), real(2)),), lambda p: np.block(list(p))),
        Case("block", (((real(3),), (real(3),)),), lambda p: np.block([list(r) for r in p])),
        Case("block", ((real(3), Fraction(2)),), lambda p: np.block([p[0], 2.0])),
        Case("block", (real(2, 3),), np.block), Case("block", (((a, a), (a, a)),), lambda p: np.block([list(r) for r in p])),
    ]  # fmt: skip


def _several() -> list[Case]:
    rows = [((4, 3), 0, 1), ((4, 3), 1, 2), ((1, 3), 0, 0), ((2, 3, 2), -1, 1), ((5,), 0, 3)]
    cases = [
        Case("part_of", (k, "unstack", real(*s)), lambda k, _, x, a=a: np.unstack(x, axis=a)[k], {"axis": a})
        for s, a, k in rows
    ]
    cases += [
        Case(
            "part_of",
            (k, "broadcast_arrays", real(4, 1), real(3)),
            lambda k, _, *x: np.broadcast_arrays(*x)[k],
        )
        for k in (0, 1)
    ]
    cases += [
        Case("part_of", (1, "dsplit", real(2, 3, 4), 2), lambda k, _, x, n: np.dsplit(x, n)[k]),
        Case("part_of", (1, "divmod", real(4), real(4) + 0.05), lambda k, _, a, b: np.divmod(a, b)[k]),
        Case("part_of", (0, "divmod", real(4), Fraction(1, 2)), lambda k, _, a, b: np.divmod(a, 0.5)[k]),
        *(Case("part_of", (k, "modf", real(4, 3)), lambda k, _, x: np.modf(x)[k]) for k in (0, 1)),
        Case("part_of", (0, "frexp", real(4, 3)), lambda k, _, x: np.frexp(x)[k]),
    ]  # fmt: skip
    return cases


def _python_functions() -> list[Case]:
    a, b, c = (np.array(v) for v in (0.7, -1.2, 0.4))
    kinds: dict[str, tuple[Any, Any]] = {
        "max_of": (max, np.max), "min_of": (min, np.min), "prod_of": (np.prod, np.prod),
    }  # fmt: skip
    cases = [
        Case(op, (items,), lambda p, f=f: f([float(x) for x in p]), note=str(len(items)))
        for op, (f, _) in kinds.items()
        for items in [
            (a, b),
            (a, b, c),
            (b, c, Fraction(1), a),
            (Fraction(0), a),
            (a, Fraction(2)),
            (c, b, a, a + 1),
        ]
    ]
    cases += [Case(op, (real(4),), lambda x, f=f: f(x)) for op, (_, f) in kinds.items() if op != "prod_of"]
    cases += [Case("log_base", (np.array(v), base), lambda x, b: np.log(x) / np.log(float(b)))
              for v in (0.7, 2.5) for base in (Fraction(2), Fraction(10), np.array(3.0))]  # fmt: skip
    return cases + [
        Case("sum_of", ((a, b), Fraction(3)), lambda p, s: float(p[0]) + float(p[1]) + 3),
        *(
            Case("ldexp", (real(*s), n), lambda x, n: np.ldexp(x, np.asarray(n, dtype=int) if isinstance(n, np.ndarray) else int(n)))
            for s, n in [((4,), Fraction(2)), ((4, 3), np.array([0, 1, 2])), ((1, 3), Fraction(-1)), ((2, 1, 3), Fraction(3)), ((), Fraction(1)), ((3,), np.array([[1], [2]]))]
        ),
    ]  # fmt: skip


CHOOSING_CASES = [
    *_alternatives(), *_taken(), *_inserted(), *_overwritten(), *_blocks(), *_several(), *_python_functions()
]  # fmt: skip
