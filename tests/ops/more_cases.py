"""Uses of the operations that move, order, accumulate and decompose: operands, arguments, what NumPy computes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from table_cases import Array, Case, positive, real, unit

ROW, half = real(3), Fraction(1, 2)
#: From no axis to four, with axes of size one at either end and in the middle.
SHAPES: list[tuple[int, ...]] = [(5,), (4, 3), (1, 3), (4, 1), (2, 3, 2), (2, 1, 2), (1, 2, 1, 3)]
BROADCAST: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((), (3,)), ((4, 3), (3,)), ((4, 1), (1, 3)), ((1, 3), (4, 3)), ((2, 4, 3), (4, 1)), ((1, 2, 1, 3), (2, 2, 1)),
    ((4, 3), (4, 3)),
]  # fmt: skip


def over(
    op: str, f: Callable[..., Any], arguments: Iterable[dict[str, Any]], shapes: Any = SHAPES
) -> list[Case]:
    """One array in many shapes, with each of the arguments that the shape allows."""
    return [
        Case(op, (real(*s),), lambda x, a=a: f(x, **a), a)
        for s in shapes
        for a in arguments
        if not isinstance(a.get("axis"), int) or -len(s) <= a["axis"] < len(s)
    ]


_AXES: list[dict[str, Any]] = [{"axis": a, "keepdims": k} for a in (None, 0, -1) for k in (False, True)]


def _statistics() -> list[Case]:
    cases = [
        c
        for op, f in (("std", np.std), ("norm", np.linalg.norm), ("ptp", np.ptp))
        for c in over(op, f, _AXES)
    ]
    # the square root of nothing has no slope: rows of one entry have no spread, and more than two axes no 2-norm
    cases = [c for c in cases if not (c.op == "std" and not np.all(np.std(c.operands[0], **c.arguments)))]
    for op, f in (("prod", np.prod), ("median", np.median), ("nansum", np.nansum), ("nanmean", np.nanmean),
                  ("nanmax", np.nanmax), ("nanmin", np.nanmin)):  # fmt: skip
        cases += over(op, f, _AXES)
    holes = real(4, 3)
    holes[1, 2] = np.nan
    full = real(4, 3)
    full[2, 0] = 0.0
    cases += over("std", np.std, [{"axis": 1, "ddof": 1}, {"axis": 0, "ddof": 1, "keepdims": True}], [(4, 3)])
    cases += over("var", np.var, [{"axis": 1, "ddof": 1}, {"ddof": 2}], [(4, 3), (2, 3, 2)])
    cases.append(Case("prod", (full,), lambda x: np.prod(x, axis=0), {"axis": 0}, note="zero"))
    for q in (0, 25, 40, 50, 90, 100):
        for a in ({"axis": None}, {"axis": 0}, {"axis": -1, "keepdims": True}):
            for s in SHAPES[:5]:
                cases.append(Case("percentile", (real(*s), q), lambda x, q, a=a: np.percentile(x, q, **a), a))
    cases.append(Case("quantile", (real(4, 3), 0.3), lambda x, q: np.quantile(x, q)))
    cases.append(Case("quantile", (real(6), np.array(0.33)), np.quantile))
    cases.append(
        Case(
            "percentile", (real(6, 2), np.array(33.0)), lambda x, q: np.percentile(x, q, axis=0), {"axis": 0}
        )
    )
    cases += over("average", np.average, [{"axis": None}, {"axis": 0}, {"axis": -1, "keepdims": True}])
    return cases


def _accumulations() -> list[Case]:
    plain: list[dict[str, Any]] = [{"axis": 0}, {"axis": -1}]
    cases = (
        over("cumsum", np.cumsum, plain) + over("cumprod", np.cumprod, plain) + over("diff", np.diff, plain)
    )
    cases = [c for c in cases if c.op != "diff" or c.operands[0].shape[c.arguments["axis"]] > 1]
    zero = real(4)
    zero[1] = 0.0
    return [
        *cases,
        Case("cumprod", (zero,), np.cumprod, note="zero"),
        *over("trapezoid", np.trapezoid, [{}, {"axis": 0}], [(5,), (4, 3), (2, 3, 2)]),
        Case("trapezoid", (real(5),), lambda y: np.trapezoid(y, dx=0.5), {"dx": half}),
        *over("sort", np.sort, plain),
        *over("sort", np.sort, [{"axis": None}], [(5,)]),
        *[
            Case("partition", (real(*s), k), lambda x, k, a=a: np.partition(x, k, **a), a)
            for s, k in [((5,), 2), ((4, 3), 1), ((1, 3), 0), ((4, 1), 0), ((2, 3, 2), 1)]
            for a in ({"axis": -1}, {"axis": 0})
            if k < s[a["axis"]]
        ],
        Case("partition", (real(6), (1, 3)), np.partition),
    ]


def _scalar_functions() -> list[Case]:
    unary: dict[str, tuple[Callable[..., Any], Callable[..., Array]]] = {
        "arcsinh": (np.arcsinh, real), "arctanh": (np.arctanh, unit), "rad2deg": (np.rad2deg, real),
        "arccosh": (np.arccosh, lambda *s: positive(*s) + 1), "deg2rad": (np.deg2rad, real), "sinc": (np.sinc, real),
        "nan_to_num": (np.nan_to_num, real), "cbrt": (np.cbrt, real), "real": (np.real, real), "imag": (np.imag, real),
    }  # fmt: skip
    binary: dict[str, Callable[..., Any]] = {
        "logaddexp2": np.logaddexp2, "arctan2": np.arctan2, "copysign": np.copysign, "remainder": np.remainder,
        "fmod": np.fmod, "heaviside": np.heaviside,
    }  # fmt: skip
    cases = [
        Case(op, (draw(*s),), f)
        for op, (f, draw) in unary.items()
        for s in [(), (3,), (4, 3), (1, 3), (2, 1, 3), (1, 2, 1, 3)]
    ]
    cases += [Case(op, (real(*a), real(*b) + 0.05), f) for op, f in binary.items() for a, b in BROADCAST]
    return cases + [
        Case("remainder", (real(4, 3), half), lambda x, c: np.remainder(x, 0.5)),
        Case("remainder", (Fraction(2), real(4)), lambda c, x: np.remainder(2, x)),
        Case("heaviside", (real(4), half), lambda x, c: np.heaviside(x, 0.5)),
    ]


def _moving() -> list[Case]:
    rolls: list[tuple[tuple[int, ...], Any, Any]] = [
        ((5,), 2, None), ((5,), -1, None), ((4, 3), 1, 0), ((4, 3), -2, -1), ((1, 3), 1, 1), ((1, 3), 1, 0),
        ((2, 3, 2), (1, -1), (0, 1)), ((4, 3), 0, 0), ((1, 2, 1, 3), 2, 3), ((4, 3), 1, (0, 1)),
    ]  # fmt: skip
    tiles: list[tuple[tuple[int, ...], Any]] = [
        ((3,), 2), ((4, 3), 2), ((4, 3), (2, 1)), ((1, 3), (4, 1)), ((4, 1), (1, 3)), ((3,), (2, 2)), ((2, 3, 2), (1, 2, 1)),
        ((3,), (1, 1, 2)),
    ]  # fmt: skip
    repeats: list[tuple[tuple[int, ...], int, Any]] = [
        ((3,), 2, None), ((4, 3), 2, 0), ((4, 3), 3, 1), ((1, 3), 4, 0), ((4, 1), 2, -1), ((2, 3, 2), 2, 1), ((4, 3), 1, 0),
    ]  # fmt: skip
    windows: list[tuple[tuple[int, ...], Any, Any]] = [
        ((5,), 2, None), ((5,), 1, None), ((5,), 5, None), ((4, 3), 2, 0), ((4, 3), (2, 2), None), ((1, 4), 2, 1),
        ((2, 4, 3), (2, 3), (1, 2)),
    ]  # fmt: skip
    splits: list[tuple[tuple[int, ...], Any, int, int]] = [
        ((6,), 3, 0, 1), ((4, 6), 2, 1, 1), ((4, 6), (1, 4), 1, 1), ((6, 1), 2, 0, 0), ((1, 4), 4, 1, 2), ((2, 4, 3), 2, -2, 1),
        ((5, 2), (2,), 0, 1),
    ]  # fmt: skip
    cases = [
        Case("roll", (real(*s), k), lambda x, k, a=a: np.roll(x, k, a), {"axis": a}) for s, k, a in rolls
    ]
    cases += [Case("tile", (real(*s), r), np.tile) for s, r in tiles]
    cases += [
        Case("repeat", (real(*s), Fraction(n)), lambda x, n, a=a: np.repeat(x, int(n), a), {"axis": a})
        for s, n, a in repeats
    ]
    cases += [
        Case(
            "sliding_window_view", (real(*s), w), lambda x, w, a=a: sliding_window_view(x, w, a), {"axis": a}
        )
        for s, w, a in windows
    ]
    for op, f in (("split", np.split), ("array_split", np.array_split)):
        cases += [
            Case(
                op,
                (real(*s),),
                lambda x, f=f, n=n, a=a, k=k: f(x, n, a)[k],
                {"sections": n, "axis": a, "part": k},
            )
            for s, n, a, k in splits
        ]
    cases.append(
        Case(
            "array_split",
            (real(7),),
            lambda x: np.array_split(x, 3)[1],
            {"sections": 3, "axis": 0, "part": 1},
        )
    )
    cases += [
        Case("rot90", (real(*s),), lambda x, k=k: np.rot90(x, k), {"k": k})
        for s in [(4, 3), (1, 3), (2, 3, 2)]
        for k in (1, 2, 3, 4)
    ]
    cases += over(
        "flip", np.flip, [{"axis": None}, {"axis": (0, 1)}, {"axis": -1}], [(4, 3), (2, 3, 2), (1, 3)]
    )
    moves: list[tuple[tuple[int, ...], Any, Any]] = [
        ((2, 3, 4), 0, -1),
        ((2, 3, 4), (0, 1), (1, 2)),
        ((1, 3, 4), -1, 0),
        ((4, 3), 0, 1),
    ]
    cases += [Case("moveaxis", (real(*s), a, b), np.moveaxis) for s, a, b in moves]
    cases += [
        Case("rollaxis", (real(*s), a, b), np.rollaxis)
        for s, a, b in [
            ((2, 3, 4), 2, 0),
            ((2, 3, 4), 0, 3),
            ((2, 1, 4), 1, 0),
            ((2, 3, 4), -1, 1),
            ((4, 3), 1, 0),
            ((2, 3, 4, 2), 3, 1),
        ]
    ]
    cases += [Case("matrix_transpose", (real(*s),), lambda x: np.swapaxes(x, -1, -2)) for s in SHAPES[1:]]
    cases += [
        Case("reshape", (real(*s),), np.atleast_3d) for s in [(3,), (4, 3), (1, 3), (2, 3, 2), (1,), (4, 1)]
    ]
    return cases


def _joining() -> list[Case]:
    return [
        Case("dstack", ((real(4, 3), real(4, 3)),), np.dstack), Case("dstack", ((ROW, real(3)),), np.dstack),
        Case("dstack", ((real(2, 3, 2), real(2, 3, 1)),), np.dstack), Case("dstack", ((real(1, 3), real(1, 3)),), np.dstack),
        Case("append", (ROW, real(2)), np.append), Case("append", (ROW, np.array(2.0)), np.append),
        Case("append", ((Fraction(1, 2), Fraction(2)), ROW), lambda p, b: np.append([float(x) for x in p], b)),
        Case("append", (real(4, 3), real(1, 3)), lambda a, b: np.append(a, b, 0), {"axis": 0}),
        Case("append", (real(4, 3), real(4, 2)), lambda a, b: np.append(a, b, -1), {"axis": -1}),
    ]  # fmt: skip


def _diagonals() -> list[Case]:
    cases = [
        Case("diagonal", (real(*s),), lambda x, a=a: np.diagonal(x, **a), a)
        for s in [(3, 3), (4, 3), (3, 5), (2, 3, 3), (3, 2, 4)]
        for a in ({}, {"offset": 1}, {"offset": -1})
    ]
    cases += [
        Case("trace", (real(*s),), lambda x, a=a: np.trace(x, **a), a)
        for s in [(3, 3), (4, 3), (2, 3, 4)]
        for a in ({}, {"offset": 1}, {"offset": -1})
    ]
    cases += [
        Case("trace", (real(2, 3, 3),), lambda x: np.trace(x, axis1=1, axis2=2), {"axis1": 1, "axis2": 2})
    ]
    cases += [
        Case("diag", (real(*s),), lambda x, k=k: np.diag(x, k), {"k": k})
        for s in [(3,), (3, 3), (3, 4)]
        for k in (1, -2)
    ]
    cases += [Case("diagflat", (real(3),), lambda x, k=k: np.diagflat(x, k), {"k": k}) for k in (0, 1, -1)]
    cases += [
        Case(op, (real(*s),), lambda x, f=f, k=k: f(x, k), {"k": k})
        for op, f in (("tril", np.tril), ("triu", np.triu))
        for s in [(4, 3), (3, 3), (2, 3, 3), (1, 3)]
        for k in (0, 1, -1)
    ]

    def filled(x: Array, v: Any) -> Array:
        new = x.copy()
        np.fill_diagonal(new, float(v))
        return new

    for s, k in [((4, 4), 0), ((3, 4), 1), ((2, 3, 3), 0), ((3, 3, 4), -1), ((2, 1, 3, 3), 1), ((1, 3, 3), 0)]:
        cases.append(Case("linalg.trace", (real(*s),), lambda x, k=k: np.linalg.trace(x, offset=k), {"offset": k}))
        cases.append(Case("linalg.diagonal", (real(*s),), lambda x, k=k: np.linalg.diagonal(x, offset=k), {"offset": k}))
    return cases + [
        Case("fill_diagonal", (real(3, 3), half), filled), Case("fill_diagonal", (real(3, 3), np.array(2.0)), filled),
        Case("eye", (4, 3), lambda n, m: np.eye(n, m)), Case("eye", (4,), lambda n: np.eye(n, k=1), {"k": 1}),
        Case("eye", (3, 4, -1), np.eye), Case("tri", (4, 3, -1), np.tri), Case("tri", (3,), np.tri), Case("identity", (3,), np.identity),
    ]  # fmt: skip


def _products() -> list[Case]:
    vectors = [
        ((3,), (3,)),
        ((4, 3), (4, 3)),
        ((4, 3), (3,)),
        ((1, 3), (4, 3)),
        ((2, 4, 3), (4, 3)),
        ((2, 1, 3), (1, 4, 3)),
    ]
    cases = [Case("vecdot", (real(*a), real(*b)), np.vecdot) for a, b in vectors]
    cases += [Case("cross", (real(*a), real(*b)), np.cross) for a, b in vectors]
    kinds = [
        ((2, 3), (4, 2)),
        ((3,), (2,)),
        ((1, 3), (4, 2)),
        ((2, 3), (1, 2)),
        ((2, 1), (1, 3)),
        ((2, 2, 3), (1, 2, 2)),
    ]
    cases += [Case("kron", (real(*a), real(*b)), np.kron) for a, b in kinds]
    cases += [
        Case("linalg.multi_dot", (tuple(real(*s) for s in shapes),), np.linalg.multi_dot)
        for shapes in [((4, 3), (3, 2)), ((4, 3), (3, 2), (2, 5)), ((1, 3), (3, 3), (3, 1))]
    ]
    cases += [Case("linalg.matrix_power", (real(3, 3), n), np.linalg.matrix_power) for n in (1, 2, 3)]
    cases += [Case("vdot", (real(3), real(3)), np.vdot), Case("inner", (real(2, 4, 3), real(5, 3)), np.inner)]
    cases += [Case(op, (real(*a), real(*b)), np.matmul) for op in ("matmul", "linalg.matmul")
              for a, b in [((1, 2, 4, 3), (2, 3, 2)), ((2, 1, 4, 3), (1, 5, 3, 2)), ((3,), (2, 3, 4)), ((2, 4, 3), (3,))]]  # fmt: skip
    return cases


def _signals() -> list[Case]:
    sizes = [(5, 3), (3, 5), (4, 4), (5, 1), (1, 1), (6, 2)]
    cases = [
        Case("convolve", (real(m), real(n)), lambda a, v, mode=mode: np.convolve(a, v, mode), {"mode": mode})
        for m, n in sizes
        for mode in ("full", "same", "valid")
    ]
    cases += [
        Case(
            "correlate", (real(m), real(n)), lambda a, v, mode=mode: np.correlate(a, v, mode), {"mode": mode}
        )
        for m, n in sizes
        if m >= n
        for mode in ("full", "same", "valid")
    ]
    cases += [Case("polyval", (real(n), real(*s)), np.polyval) for n in (1, 2, 4) for s in [(), (4,), (4, 3)]]
    cases += [
        Case("pi", (), lambda: np.pi), Case("e", (), lambda: np.e),
        Case("linspace", (np.array(0.5), np.array(2.5), 5), np.linspace),
        Case(
            "linspace",
            (np.array(0.5), Fraction(3), 4, False),
            lambda a, b, n, e: np.linspace(a, 3, n, endpoint=e),
        ),
        Case("linspace", (Fraction(1), np.array(2.5)), lambda a, b: np.linspace(1, b, num=3), {"num": 3}),
    ]
    known = np.array([-1.1, -0.4, 0.1, 0.9, 1.3])
    cases += [
        Case("interp", (real(*s), known, real(5)), np.interp)
        for s in [(), (4,), (4, 3), (1, 3), (2, 1, 3), (1, 2, 1, 3)]
    ]
    cases += [
        Case(
            "part_of",
            (k, "meshgrid", real(4), real(3)),
            lambda k, _, a, b, i=i: np.meshgrid(a, b, indexing=i)[k],
            {"indexing": i},
        )
        for k in (0, 1)
        for i in ("xy", "ij")
    ]
    cases.append(
        Case("part_of", (2, "meshgrid", real(4), real(3), real(2)), lambda k, _, *x: np.meshgrid(*x)[k])
    )
    cases.append(Case("part_of", (0, "meshgrid", real(4), real(1)), lambda k, _, *x: np.meshgrid(*x)[k]))
    return cases


def regular(*shape: int) -> Array:
    """Matrices that are far from singular."""
    return real(*shape) * 0.4 + 2.0 * np.eye(*shape[-2:])


def symmetric(*shape: int) -> Array:
    """Symmetric positive definite matrices with eigenvalues well apart."""
    x = regular(*shape)
    return x @ np.swapaxes(x, -1, -2) + np.diag(np.arange(shape[-1]) * 1.5)


def with_real_eigenvalues(*shape: int) -> Array:
    """Matrices that are not symmetric, but nearly so."""
    return symmetric(*shape) + np.triu(np.full(shape, 0.1), 1)


def _linear_algebra() -> list[Case]:
    square = [(1, 1), (2, 2), (3, 3), (4, 4), (2, 3, 3), (1, 2, 3, 3)]
    la = np.linalg
    cases = [
        Case(op, (regular(*s),), f)
        for op, f in (("linalg.inv", la.inv), ("linalg.det", la.det))
        for s in square
    ]
    cases += [
        Case(op, (symmetric(*s),), f)
        for op, f in (("linalg.cholesky", la.cholesky), ("linalg.eigvalsh", la.eigvalsh))
        for s in square
    ]
    cases += [Case("linalg.eigvals", (with_real_eigenvalues(*s),), la.eigvals) for s in square]
    cases += [
        Case("linalg.solve", (regular(*a), real(*b)), la.solve)
        for a, b in [
            ((3, 3), (3,)),
            ((3, 3), (3, 2)),
            ((3, 3), (3, 1)),
            ((1, 1), (1,)),
            ((2, 3, 3), (2, 3, 2)),
            ((1, 1), (1, 2)),
        ]
    ]
    cases += [
        Case("linalg.pinv", (real(*s),), la.pinv) for s in [(3, 2), (2, 3), (3, 3), (1, 3), (3, 1), (4, 2), (2, 3, 2)]
    ]
    cases += [
        Case("linalg.svdvals", (real(*s),), la.svdvals)
        for s in [(3, 2), (2, 3), (3, 3), (1, 3), (2, 3, 2), (4, 2)]
    ]
    cases += [
        Case("linalg.svd", (real(*s),), lambda x: la.svd(x, compute_uv=False), {"compute_uv": False})
        for s in [(3, 2), (2, 3), (5, 3), (1, 3), (2, 3, 2), (4, 2)]
    ]
    parts: list[tuple[str, Callable[..., Any], int, tuple[Array, ...]]] = [
        ("linalg.slogdet", la.slogdet, 0, (regular(3, 3),)), ("linalg.slogdet", la.slogdet, 1, (regular(3, 3),)),
        ("linalg.slogdet", la.slogdet, 1, (regular(2, 3, 3),)), ("linalg.eigh", la.eigh, 0, (symmetric(3, 3),)),
        ("linalg.eigh", la.eigh, 1, (symmetric(3, 3),)), ("linalg.eigh", la.eigh, 1, (symmetric(2, 2, 2),)),
        ("linalg.svd", la.svd, 1, (real(3, 2),)), ("linalg.qr", la.qr, 0, (real(4, 3),)), ("linalg.qr", la.qr, 1, (real(4, 3),)),
        ("linalg.qr", la.qr, 0, (regular(3, 3),)), ("linalg.qr", la.qr, 1, (regular(3, 3),)), ("linalg.qr", la.qr, 0, (real(3, 1),)),
        ("linalg.qr", la.qr, 0, (real(2, 3, 2),)), ("linalg.qr", la.qr, 1, (real(2, 3, 2),)),
        *(("linalg.eig", la.eig, k, (with_real_eigenvalues(*s),)) for k in (0, 1) for s in ((3, 3), (1, 1), (2, 2, 2))),
    ]  # fmt: skip
    cases += [Case("part_of", (k, name, *x), lambda k, _, *x, f=f: f(*x)[k]) for name, f, k, x in parts]
    cases += [
        Case(
            "part_of",
            (0, "linalg.lstsq", a, b),
            lambda k, _, a, b: la.lstsq(a, b, rcond=None)[k],
            {"rcond": None},
        )
        for a, b in [
            (real(4, 2), real(4)),
            (real(4, 2), real(4, 3)),
            (real(3, 3), real(3)),
            (real(4, 1), real(4)),
            (real(5, 3), real(5, 1)),
        ]
    ]
    return cases


def _weighted() -> list[Case]:
    pairs: list[tuple[tuple[int, ...], tuple[int, ...], Any]] = [
        ((5,), (5,), None), ((4, 3), (4, 3), None), ((4, 3), (4, 3), 0), ((4, 3), (3,), 1), ((4, 3), (4,), 0), ((2, 3, 2), (3,), 1),
        ((1, 3), (3,), -1),
    ]  # fmt: skip

    def average(x: Array, axis: Any, w: Array) -> Any:
        return np.average(x, axis, w)

    return [Case("average", (real(*s), axis, positive(*w)), average) for s, w, axis in pairs]


MORE_CASES = [
    *_statistics(), *_accumulations(), *_scalar_functions(), *_moving(), *_joining(), *_diagonals(), *_products(), *_signals(),
    *_linear_algebra(), *_weighted(),
]  # fmt: skip
