"""Uses of the operations of numerical work: statistics, missing entries, differences, polynomials, norms, systems."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from more_cases import _AXES, SHAPES, over, regular, symmetric
from table_cases import Array, Case, positive, real

half = Fraction(1, 2)


def _together() -> list[Case]:
    ways: list[tuple[tuple[int, ...], dict[str, Any]]] = [
        ((3, 5), {}), ((5, 3), {"rowvar": False}), ((3, 5), {"bias": True}), ((3, 5), {"ddof": 0}), ((5,), {}), ((2, 4), {"ddof": 2}),
        ((1, 5), {}),
    ]  # fmt: skip
    cases = [Case("cov", (real(*s),), lambda x, a=a: np.cov(x, **a), a) for s, a in ways]
    cases += [
        Case("cov", (real(5), real(5)), lambda x, y, a=a: np.cov(x, y, **a), a) for a in ({}, {"ddof": 0})
    ]
    cases += [
        Case("corrcoef", (real(*s),), lambda x, a=a: np.corrcoef(x, **a), a)
        for s, a in ways[:2] + [((2, 6), {}), ((4, 3), {}), ((6, 2), {"rowvar": False}), ((5,), {})]
    ]
    return [*cases, Case("corrcoef", (real(5), real(5)), np.corrcoef)]


def _without_missing() -> list[Case]:
    kinds: dict[str, Callable[..., Any]] = {
        "nanvar": np.nanvar, "nanstd": np.nanstd, "nanprod": np.nanprod, "nanmedian": np.nanmedian,
    }  # fmt: skip
    cases = [c for op, f in kinds.items() for c in over(op, f, _AXES)]
    cases = [c for c in cases if c.op != "nanstd" or np.all(np.std(c.operands[0], **c.arguments))]
    cases += over("nanvar", np.nanvar, [{"axis": 1, "ddof": 1}, {"ddof": 2}], [(4, 3), (2, 3, 2)])
    cases += over("nancumsum", np.nancumsum, [{"axis": 0}, {"axis": -1}])
    cases += over("nancumprod", np.nancumprod, [{"axis": 0}, {"axis": -1}])
    return cases + [
        Case("nanpercentile", (real(*s), q), lambda x, q, a=a: np.nanpercentile(x, q, **a), a)
        for q in (0, 30, 100)
        for a in ({"axis": None}, {"axis": 0}, {"axis": -1, "keepdims": True})
        for s in SHAPES[:5]
    ]


def _differences() -> list[Case]:
    turning = np.array([0.0, 2.7, 5.1, 1.3, -4.2, 0.4])  # no two neighbours half a turn apart, where it jumps
    step = np.array([0.0, 0.4, 1.1, 1.3, 2.2])
    spaced: list[tuple[Any, ...]] = [(), (half,), (np.array(0.7),), (step,)]
    cases = [
        Case("gradient", (real(5), *h), lambda x, *h: np.gradient(x, *(float(v) if np.ndim(v) == 0 else v for v in h)))
        for h in spaced
    ]  # fmt: skip
    cases += [
        Case("gradient", (real(*s), *h), lambda x, *h, a=a: np.gradient(x, *h, axis=a), {"axis": a})
        for s, a, h in [
            ((4, 3), 0, ()), ((4, 3), 1, ()), ((5, 3), 0, (step,)), ((2, 5), -1, (step[::-1].copy(),)), ((2, 3, 2), 1, ()),
            ((1, 3), 1, ()), ((2, 5), 1, (np.array([0.0, 1.0]).repeat([1, 4]).cumsum(),)),
        ]
    ]  # fmt: skip
    cases += [
        Case("part_of", (k, "gradient", real(4, 5), *h), lambda k, _, x, *h: np.gradient(x, *(float(v) if np.ndim(v) == 0 else v for v in h))[k])
        for k in (0, 1)
        for h in [(), (Fraction(2), half), (Fraction(2),), (np.array([0.0, 1.0, 1.5, 3.0]), step)]
    ]  # fmt: skip
    cases += over("diff", np.diff, [{"n": 2}, {"n": 3, "axis": 0}], [(5,), (4, 4), (5, 3, 4)])
    cases += [Case("ediff1d", (real(n),), np.ediff1d) for n in (2, 3, 4, 5, 6, 7)]
    cases += [
        Case(
            "trapezoid",
            (real(*s), np.sort(real(*x))),
            lambda y, x, a=a: np.trapezoid(y, x, axis=a),
            {"axis": a},
        )
        for s, x, a in [((5,), (5,), -1), ((4, 3), (4,), 0), ((4, 3), (3,), 1), ((4, 3), (4, 3), -1)]
    ]
    return cases + over("unwrap", lambda x, **a: np.unwrap(3 * x / 3, **a), [{}, {"axis": 0}], [(5,), (4, 3), (2, 3, 2)]) + [
        Case("unwrap", (turning,), np.unwrap),
        Case("unwrap", (turning,), lambda x: np.unwrap(x, period=2.0), {"period": Fraction(2)}),
    ]  # fmt: skip


def _polynomials() -> list[Case]:
    pairs: list[tuple[int, int]] = [(3, 3), (4, 2), (2, 4), (1, 3), (3, 1), (1, 1)]
    cases = [
        Case(op, (real(m), real(n)), f)
        for op, f in (("polyadd", np.polyadd), ("polysub", np.polysub), ("polymul", np.polymul))
        for m, n in pairs
    ]
    cases += [
        Case(op, (real(n),), f)
        for op, f in (("polyder", np.polyder), ("polyint", np.polyint))
        for n in range(2, 8)
    ]
    cases += [Case("poly", (real(n),), np.poly) for n in range(1, 7)]
    x = np.array([-1.0, -0.3, 0.2, 0.9, 1.4, 2.0])
    cases += [Case("polyfit", (x, real(6), k), np.polyfit) for k in (0, 1, 2, 3)]
    cases += [Case("polyfit", (x[:n], real(n), 1), np.polyfit) for n in (2, 4)]
    return cases + [
        Case("vander", (real(n), *a), np.vander, note=str(a))
        for n in (1, 2, 4)
        for a in [(), (3,), (3, True)]
    ]


def _ends() -> list[Case]:
    kinds: list[tuple[Any, ...]] = [
        (np.array(0.5), np.array(1.5), 4), (np.array(0.5), Fraction(2), 3), (Fraction(1), np.array(2.0), 5, False),
        (np.array(0.2), np.array(0.2), 2), (np.array(2.0), np.array(0.5), 6), (np.array(0.5), np.array(1.5), 1),
    ]  # fmt: skip
    return [
        Case(op, k, lambda a, b, *more, f=f: f(float(a), float(b), *more))
        for op, f in (("logspace", np.logspace), ("geomspace", np.geomspace))
        for k in kinds
    ] + [
        Case(
            "logspace",
            (np.array(0.5), np.array(1.5)),
            lambda a, b: np.logspace(a, b, num=3, base=2.0),
            {"num": 3, "base": 2.0},
        )
    ]


def _norms() -> list[Case]:
    norm, la = np.linalg.norm, np.linalg
    orders: list[Any] = [1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc"]
    cases = [
        Case("norm", (regular(*s),), lambda x, o=o, k=k: norm(x, o, keepdims=k), {"ord": o, "keepdims": k})
        for o in orders
        for s, k in [((3, 3), False), ((4, 3), True)]
    ]
    cases += [
        Case("norm", (real(2, 3, 4),), lambda x, o=o, a=a: norm(x, o, axis=a), {"ord": o, "axis": a})
        for o in (1, np.inf, 2)
        for a in ((1, 2), (2, 1))
    ]
    cases += [
        Case(op, (real(*s),), lambda x, f=f, o=o, a=a: f(x, ord=o, axis=a), {"ord": o, "axis": a})
        for op, f in (("norm", norm), ("linalg.vector_norm", la.vector_norm))
        for o in (3, 1, np.inf, -np.inf, 1.5)
        for s, a in [((5,), 0), ((4, 3), 0), ((4, 3), -1)]
    ]
    cases += [Case("linalg.vector_norm", (real(*s),), la.vector_norm) for s in [(5,), (4, 3), (2, 3, 2)]]
    cases += [
        Case("linalg.matrix_norm", (regular(*s),), lambda x, a=a: la.matrix_norm(x, **a), a)
        for s in [(3, 3), (4, 3), (2, 3, 3)]
        for a in ({}, {"ord": 2}, {"ord": 1, "keepdims": True}, {"ord": "nuc"})
    ]
    return cases + [
        Case("linalg.cond", (regular(*s) @ np.diag([1.0, 2.0, 1.5]),), lambda x, a=a: la.cond(x, **a), a)
        for s in [(3, 3), (2, 3, 3)]
        for a in ({}, {"p": 2}, {"p": -2}, {"p": 1}, {"p": np.inf}, {"p": "fro"}, {"p": "nuc"})
    ]


def _systems() -> list[Case]:
    la = np.linalg
    cube = [
        ((4,), 1, (4,)),
        ((2, 3), 2, (6,)),
        ((2, 3), 2, (3, 2)),
        ((6,), 1, (2, 3)),
        ((3, 1), 2, (3,)),
        ((2, 2), 2, (2, 2)),
    ]

    def square(first: tuple[int, ...], last: tuple[int, ...]) -> Array:
        n = int(np.prod(first))
        return regular(n, n).reshape(*first, *last)

    cases = [
        Case("linalg.tensorinv", (square(a, b),), lambda x, n=n: la.tensorinv(x, n), {"ind": n})
        for a, n, b in cube
    ]
    cases += [Case("linalg.tensorsolve", (square(a, b), real(*a)), la.tensorsolve) for a, _, b in cube]
    cases += [
        Case(
            "part_of",
            (k, "linalg.svd", regular(*s)),
            lambda k, _, x, f=f: la.svd(x, full_matrices=f)[k],
            {"full_matrices": f},
        )
        for s, f in [((3, 3), False), ((4, 3), False), ((3, 4), False), ((2, 2), True), ((2, 3, 3), False)]
        for k in (0, 1, 2)
    ]
    return cases


def _edges() -> list[Case]:
    """Results without entries, diagonals outside, operands of different numbers of axes, other axes and triangles."""
    cases = [
        Case("diff", (real(1),), np.diff),
        Case("array_split", (real(1),), lambda x: np.array_split(x, 3)[2], {"sections": 3, "axis": 0, "part": 2}),
        *(Case(op, (np.zeros((0, 3)),), lambda x, f=f: f(x, axis=1), {"axis": 1})
          for op, f in (("max", np.max), ("prod", np.prod), ("median", np.median), ("std", np.std), ("norm", np.linalg.norm))),
        Case("delete", (real(2, 3), slice(0, 2)), lambda x, o: np.delete(x, o, 0), {"axis": 0}),
        *(Case("trace", (real(3, 4),), lambda x, k=k: np.trace(x, k), {"offset": k}) for k in (4, 5, -3, -7)),
        *(Case("kron", (real(*a), real(*b)), np.kron) for a, b in [((4,), (2, 2)), ((2, 2), (3,)), ((2, 3), (1, 2, 2)), ((1,), (2, 3))]),
        *(Case("cumsum", (real(*s),), np.cumsum) for s in [(4, 3), (1, 3), (2, 3, 2), (4, 1)]),
        *(Case("power", (positive(3), Fraction("2.1045476110909873")), lambda x, p: x ** float(p)) for _ in range(1)),
    ]  # fmt: skip
    axes: list[dict[str, int]] = [{"axisa": 0}, {"axisb": 1}, {"axisc": 0}, {"axis": 0}, {"axisa": 0, "axisb": -1, "axisc": 1}]
    cases += [Case("cross", (real(3, 3), real(3, 3)), lambda a, b, k=k: np.cross(a, b, **k), k) for k in axes]
    cases.append(Case("cross", (real(3, 4), real(4, 3)), lambda a, b: np.cross(a, b, axisa=0), {"axisa": 0}))
    upper = symmetric(3, 3)
    cases.append(Case("linalg.eigvalsh", (upper,), lambda x: np.linalg.eigvalsh(x, "U"), {"UPLO": "U"}))
    return cases + [
        Case("part_of", (k, "linalg.eigh", upper), lambda k, _, x: np.linalg.eigh(x, "U")[k], {"UPLO": "U"}) for k in (0, 1)
    ]


def _of_vectors() -> list[Case]:
    shapes: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((4, 3), (3,)), ((1, 3), (3,)), ((4, 1), (1,)), ((2, 4, 3), (3,)), ((2, 4, 3), (2, 3)), ((4, 3), (5, 3)),
    ]  # fmt: skip
    cases = [Case("matvec", (real(*a), real(*b)), np.matvec) for a, b in shapes]
    cases += [Case("vecmat", (real(*b), np.swapaxes(real(*a), -1, -2)), np.vecmat) for a, b in shapes]
    shifts: list[tuple[tuple[int, ...], Any]] = [
        ((5,), None),
        ((4,), None),
        ((4, 3), None),
        ((4, 3), 0),
        ((1, 3), 1),
        ((2, 3, 2), (0, 1)),
    ]
    cases += [
        Case(f"fft.{f.__name__}", (real(*s),), lambda x, f=f, a=a: f(x, a), {"axes": a})
        for f in (np.fft.fftshift, np.fft.ifftshift)
        for s, a in shifts
    ]
    words = np.array([0, 2, 2, 1, 4])
    cases += [
        Case("cumulative_prod", (real(4),), np.cumprod),
        Case("partitioned", (real(5), 2), np.partition),
    ]
    return [*cases, *(Case("bincount", (words[:n], w), np.bincount) for n, w in [(5, real(5)), (3, real(3)), (1, real(1))]),
            Case("bincount", (words, real(5), 7), np.bincount), Case("bincount", (words,), np.bincount), Case("bincount", ((0, 2, 2), real(3)), np.bincount),
            Case("bincount", (words, positive(5)), np.bincount)]  # fmt: skip


#: NumPy's functions of two numbers whose formula is one of each entry.
OF_TWO = (
    "add subtract multiply divide power logaddexp logaddexp2 hypot maximum minimum arctan2 copysign heaviside greater less "
    "greater_equal less_equal equal not_equal logical_and logical_or"
).split()


def _of_each_pair() -> list[Case]:
    cases = [Case(f"{name}.outer", (positive(3), real(4, 2) + 3), getattr(np, name).outer) for name in OF_TWO]
    cases += [Case("multiply.outer", (half, real(3)), lambda a, b: np.multiply.outer(0.5, b)), Case("subtract.outer", (real(1, 2), real(1)), np.subtract.outer)]
    one, other = real(3) > 0, real(2, 2) > 0
    return cases + [Case(f"{name}.outer", (one, other), getattr(np, name).outer) for name in ("bitwise_and", "bitwise_or")]


NUMERIC_CASES = [
    *_together(), *_without_missing(), *_differences(), *_polynomials(), *_ends(), *_norms(), *_systems(), *_edges(), *_of_vectors(), *_of_each_pair(),
]  # fmt: skip
