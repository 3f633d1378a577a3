"""Uses of operations on complex numbers, and of the Fourier transforms, as `table_cases` has them of real ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from table_cases import Array, Case

_rng = np.random.default_rng(11)  # of its own: the other cases are drawn from theirs in order


def real(*shape: int) -> Array:
    """Numbers of both signs, away from zero."""
    return _rng.choice([-1.0, 1.0], shape) * _rng.uniform(0.3, 1.5, shape)


def positive(*shape: int) -> Array:
    return _rng.uniform(0.3, 1.6, shape)


def complex_(*shape: int) -> Array:
    """Complex numbers away from the negative real ones, where powers and logarithms jump."""
    return positive(*shape) + 1j * real(*shape)


Z, W, A = complex_(4, 3), complex_(4, 3), complex_(3, 5)
X, MASK = real(4, 3), real(4, 3) > 0


def _elementwise() -> list[Case]:
    one: dict[str, Any] = {
        name: getattr(np, name)
        for name in (
            "negative", "positive", "copy", "square", "reciprocal", "sqrt", "exp", "exp2", "expm1", "log", "log2", "log10",
            "log1p", "tanh", "sinh", "cosh", "sin", "cos", "tan", "arcsinh", "arctanh", "arcsin",
            "arccos", "arctan", "conjugate", "real", "imag", "absolute", "angle",
        )
    }  # fmt: skip
    two = {name: getattr(np, name) for name in ("add", "subtract", "multiply", "divide", "power")}
    shapes: list[tuple[int, ...]] = [(4, 3), (3,), (1, 3), (4, 1), (2, 1, 3), (1, 1)]
    cases = [Case(op, (complex_(*s),), f) for op, f in one.items() for s in shapes]
    cases += [Case(op, (complex_(4, 3), complex_(*s)), f) for op, f in two.items() for s in ((4, 3), (3,), (4, 1))]
    cases += [Case(op, (positive(4, 3), complex_(*s)), f) for op, f in two.items() for s in ((4, 3), (3,), (4, 1))]
    cases += [Case(op, (complex_(3), positive(4, 3)), f) for op, f in two.items()]
    cases += [Case(op, (Z, 2 - 0.5j), f) for op, f in two.items() if op != "power"]
    cases += [Case("multiply", (X, 1j), np.multiply), Case("subtract", (1j, X), np.subtract), Case("power", (Z, 3), np.power)]
    cases += [Case("where", (MASK, Z, W), np.where), Case("where", (MASK, X, W), np.where)]
    return cases


def _layout() -> list[Case]:
    return [
        Case("sum", (Z,), np.sum), Case("sum", (Z,), lambda z: z.sum(0, keepdims=True), {"axis": 0, "keepdims": True}),
        Case("mean", (Z,), lambda z: z.mean(-1), {"axis": -1}),
        Case("transpose", (Z,), np.transpose), Case("flip", (Z,), lambda z: np.flip(z, 1), {"axis": 1}),
        Case("reshape", (Z,), lambda z: z.reshape(2, 6), {"shape": (2, 6)}),
        Case("getitem", (Z, (slice(1, None), 0)), lambda z, _: z[1:, 0]),
        Case("setitem", (Z, (slice(1, None), 0), complex_(3)), _overwritten),
        Case("concatenate", ((Z, X),), lambda z: np.concatenate(z), {"axis": 0}),
        Case("stack", ((Z, W),), lambda z: np.stack(z), {"axis": 0}),
        Case("cumsum", (Z,), lambda z: np.cumsum(z, 0), {"axis": 0}),
        Case("diff", (Z,), np.diff), Case("trace", (Z,), np.trace), Case("diagonal", (Z,), np.diagonal),
        Case("astype", (X,), lambda x: x.astype(complex), {"dtype": "complex128"}),
        Case("astype", (Z,), lambda z: z.real.astype(float), {"dtype": "float64"}, note="to real"),
        Case("complex", (np.array(0.7), np.array(-0.4)), lambda a, b: a + 1j * b), Case("complex", (np.array(0.7),), complex),
        Case("norm", (Z,), np.linalg.norm), Case("norm", (Z,), lambda z: np.linalg.norm(z, axis=1), {"axis": 1}),
        Case("norm", (Z,), lambda z: np.linalg.norm(z, axis=0, keepdims=True), {"axis": 0, "keepdims": True}),
        Case("std", (Z,), np.std), Case("std", (Z,), lambda z: np.std(z, axis=0), {"axis": 0}),
        Case("prod", (Z,), lambda z: np.prod(z, axis=1), {"axis": 1}), Case("prod", (complex_(4),), np.prod),
        Case("cumprod", (complex_(4),), np.cumprod), Case("real_if_close", (Z,), np.real_if_close),
        Case("var", (Z,), np.var), Case("var", (Z,), lambda z: np.var(z, axis=0), {"axis": 0}),
        Case("var", (Z,), lambda z: np.var(z, axis=-1, keepdims=True), {"axis": -1, "keepdims": True}),
    ]  # fmt: skip


def _overwritten(z: Array, _: Any, v: Array) -> Array:
    result = z.copy()
    result[1:, 0] = v
    return result


def _products() -> list[Case]:
    cases = [
        Case(op, (a, b), f)
        for op, f in (("matmul", np.matmul), ("dot", np.dot))
        for a, b in ((Z, A), (X, A), (Z, real(3, 5)), (Z, complex_(3)), (complex_(4), X))
    ]
    return cases + [
        Case("matmul", (complex_(2, 4, 3), complex_(2, 3, 2)), np.matmul),
        Case("vdot", (Z, W), np.vdot), Case("vdot", (X, W), np.vdot), Case("vdot", (Z, X), np.vdot),
        Case("vecdot", (Z, W), lambda a, b: np.sum(np.conj(a) * b, -1)),
        Case("outer", (complex_(3), complex_(4)), np.outer), Case("inner", (Z, W), np.inner),
        Case("einsum", ("ij,jk->ik", Z, A), np.einsum), Case("kron", (complex_(2, 2), complex_(2, 3)), np.kron),
        Case("convolve", (complex_(5), complex_(3)), np.convolve),
    ]  # fmt: skip


def _transforms() -> list[Case]:
    one: list[dict[str, Any]] = [
        {}, {"axis": 0}, {"n": 6}, {"n": 2, "axis": 0}, {"norm": "ortho"}, {"norm": "forward", "n": 5}, {"axis": 1, "n": 3},
    ]
    several: list[dict[str, Any]] = [{}, {"axes": (1, 0)}, {"s": (3, 5), "axes": (-2, -1)}, {"norm": "ortho"}, {"s": (6, 2), "axes": (0, 1)}]
    cases = []
    for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
        for operand in ([complex_(5, 4)] if name in ("irfft", "hfft") else [real(5, 4)] if "r" in name or "ih" in name else [real(5, 4), complex_(5, 4)]):
            cases += [_transform(name, operand, a) for a in one]
            cases += [_transform(name, operand[:, 0].copy(), {}), _transform(name, operand[None].copy(), {"axis": 1})]
    for name in ("fft2", "ifft2", "fftn", "ifftn", "rfft2", "irfft2", "rfftn", "irfftn"):
        for operand in ([complex_(5, 4)] if name.startswith("ir") else [real(5, 4)] if name.startswith("r") else [real(5, 4), complex_(5, 4)]):
            cases += [_transform(name, operand, a) for a in several]
        cases.append(_transform(name, (real if name.startswith("r") else complex_)(2, 3, 4), {}))
    cases += [Case("fft.fftshift", (Z,), np.fft.fftshift), Case("fft.ifftshift", (Z,), np.fft.ifftshift)]
    return cases


def _transform(name: str, operand: Array, arguments: dict[str, Any]) -> Case:
    function = getattr(np.fft, name)
    return Case(f"fft.{name}", (operand,), lambda x: function(x, **arguments), arguments)


COMPLEX_CASES = [*_elementwise(), *_layout(), *_products(), *_transforms()]
