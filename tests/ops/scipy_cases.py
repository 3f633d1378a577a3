"""Uses of SciPy's functions; what they give is computed here without SciPy, from their definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from table_cases import Array, Case, positive, real, unit

SHAPES: list[tuple[int, ...]] = [(), (3,), (4, 3), (1, 3), (2, 1, 3), (1, 2, 1, 3)]
ROWS: list[tuple[int, ...]] = [(5,), (4, 3), (1, 3), (2, 3, 2)]


def softmax(x: Array, axis: Any = None) -> Array:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Any:
    return np.log(np.exp(x).sum(axis=axis, keepdims=keepdims))


def filtered(a: Array, v: Array, mode: str, sign: int) -> Array:
    """The convolution (``sign`` 1) or correlation (−1) place by place, cut out of the full one."""
    full = np.zeros([m + n - 1 for m, n in zip(a.shape, v.shape)])
    turned = v if sign > 0 else v[tuple(slice(None, None, -1) for _ in v.shape)]
    for at in np.ndindex(a.shape):
        full[tuple(slice(k, k + n) for k, n in zip(at, v.shape))] += a[at] * turned
    first = [{"full": 0, "same": (n - 1) // 2, "valid": n - 1}[mode] for n in v.shape]
    sizes = {"full": full.shape, "same": a.shape, "valid": [m - n + 1 for m, n in zip(a.shape, v.shape)]}[
        mode
    ]
    return full[tuple(slice(k, k + m) for k, m in zip(first, sizes))]


UNARY: dict[str, tuple[Any, Any]] = {
    "special.expit": (lambda x: 1 / (1 + np.exp(-x)), real),
    "special.log_expit": (lambda x: -np.log1p(np.exp(-x)), real),
    "special.logit": (lambda x: np.log(x / (1 - x)), lambda *s: np.abs(unit(*s)) / 2 + 0.1),
    "special.erf": (np.vectorize(math.erf), real),
}
PAIRS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((5,), (2,)),
    ((4,), (3,)),
    ((4, 5), (2, 3)),
    ((3, 3), (3, 1)),
]

SCIPY_CASES = [
    *(Case(op, (draw(*s),), f) for op, (f, draw) in UNARY.items() for s in SHAPES),
    *(
        Case("special.xlogy", (real(*a), positive(*b)), lambda x, y: x * np.log(y))
        for a, b in [((), (3,)), ((4, 3), (3,)), ((4, 1), (1, 3)), ((1, 3), (4, 3)), ((2, 4, 3), (4, 1)), ((4, 3), (4, 3))]
    ),
    *(
        Case(op, (real(*s),), lambda x, f=f, a=a: f(x, axis=a), {"axis": a})
        for op, f in (("special.softmax", softmax), ("special.log_softmax", lambda x, axis: np.log(softmax(x, axis))))
        for s in ROWS
        for a in (None, 0, -1)
    ),
    *(
        Case("special.logsumexp", (real(*s),), lambda x, a=a, k=k: logsumexp(x, a, k), {"axis": a, "keepdims": k})
        for s in ROWS
        for a in (None, 0, -1)
        for k in (False, True)
    ),
    *(
        Case(op, (real(*a), real(*v)), lambda x, y, m=m, s=s: filtered(x, y, m, s), {"mode": m})
        for op, s in (("signal.convolve", 1), ("signal.correlate", -1))
        for a, v in PAIRS
        for m in ("full", "same", "valid")
    ),
    *(
        Case("logaddexp.reduce", (real(*s),), lambda x, a=a, k=k: logsumexp(x, a, k), {"axis": a, "keepdims": k})
        for s in ROWS
        for a in (0, -1)
        for k in (False, True)
    ),
    *(Case("logaddexp.reduce", (real(*s),), lambda x: logsumexp(x, 0)) for s in ROWS),
]  # fmt: skip
