"""Operations on complex numbers: which rows hold for them as they stand, and which are written anew.

A sum, a product, a choice of entries, or a function with a complex derivative is the same formula for complex numbers.
What compares numbers, or takes a square for the square of a size, is not; such a row is refused unless it stands here
a second time, in the conjugate of its operand.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tracer.calculus import entry
from tracer.calculus.linearised import value_of
from tracer.ops.axes import Operand
from tracer.ops.products import vdot, vecdot
from tracer.ops.reductions import count, split
from tracer.ops.stated import array_like, conjugated, root
from tracer.ops.table import FOR_COMPLEX, Row, operation, same_for_complex
from tracer.ops.writing import Form, NoFormula, imaginary_unit, number, sum_over

same_for_complex(
    "add", "subtract", "multiply", "divide", "true_divide", "negative", "positive", "copy", "ascontiguousarray", "view",
    "square", "reciprocal", "sqrt", "power", "float_power", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p",
    "tanh", "sinh", "cosh", "sin", "cos", "tan", "arcsinh", "arccosh", "arctanh", "arcsin", "arccos", "arctan",
    "sum", "mean", "matmul", "linalg.matmul", "dot", "inner", "outer",
    "linalg.outer", "linalg.multi_dot", "linalg.matrix_power", "matvec",
    "tensordot", "linalg.tensordot", "einsum", "kron", "trace", "linalg.trace", "where",
    "expand_dims", "squeeze", "reshape", "ravel", "flatten", "atleast_1d", "atleast_2d", "atleast_3d", "transpose",
    "matrix_transpose", "linalg.matrix_transpose", "swapaxes", "moveaxis", "rollaxis", "broadcast_to", "getitem", "setitem",
    "into", "take", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "flip", "rot90", "roll", "repeat",
    "tile", "diag", "diagonal", "linalg.diagonal", "diagflat", "tril", "triu", "pad", "cumsum", "diff", "ediff1d",
    "convolve",
    "prod", "cumprod", "zeros", "ones", "zeros_like", "ones_like", "full_like", "full", "eye", "identity", "array", "sum_of",
    "fft.fftshift", "fft.ifftshift", "fft.fft", "fft.ifft", "fft.fft2", "fft.ifft2", "fft.fftn", "fft.ifftn", "fft.irfft",
    "fft.irfft2", "fft.irfftn", "fft.hfft", "complex",
)  # fmt: skip

_Write = Callable[..., Row]


def for_complex(*names: str) -> Callable[[_Write], _Write]:
    """Enter a row that counts where an operand is complex."""

    def enter(write: _Write) -> _Write:
        for name in names:
            FOR_COMPLEX[name] = write
        return write

    return enter


def real_of(X: Form) -> Form:
    """½ (z + z̄)."""
    return (X + conjugated(X)) * Fraction(1, 2)


@for_complex("real")
def real(X: Operand) -> Row:
    """out[i] = Re z[i] = ½ (z[i] + z̄[i])"""
    i = X.indices()
    return i, real_of(X[i])


@for_complex("imag")
def imag(X: Operand) -> Row:
    """out[i] = Im z[i] = −½ i (z[i] − z̄[i])"""
    i = X.indices()
    return i, (X[i] - conjugated(X[i])) * imaginary_unit() * Fraction(-1, 2)


@for_complex("conjugate", "conj")
def conj(X: Operand) -> Row:
    """out[i] = z̄[i]"""
    i = X.indices()
    return i, conjugated(X[i])


@for_complex("absolute")
def absolute(X: Operand, out: Operand) -> Row:
    """out[i]² = z[i] z̄[i], out[i] ≥ 0: by z the derivative is z̄ / out, which has none at 0"""
    i = X.indices()
    return i, root(out, i, X[i] * conjugated(X[i]))


@for_complex("angle")
def angle(X: Operand, deg: Any = False, *, out: Operand) -> Row:
    """out[i] = Im log z[i], so that ∂out[i] = Im(∂z[i] / z[i])"""
    if deg:
        raise NoFormula("angle", "an angle in degrees")
    i = X.indices()
    z, held = X[i], _value(X, i)
    turned = (z - held) * held**-1
    by_imaginary = (turned - conjugated(turned)) * imaginary_unit() * Fraction(-1, 2)
    return i, Form(entry(value_of(out.name), *i)) + by_imaginary


def _value(X: Operand, i: tuple[Any, ...]) -> Form:
    return Form(entry(value_of(X.name), *i))


@for_complex("astype", "asarray", "asarray_chkfinite", "asfortranarray", "require")
def astype(
    X: Any,
    dtype: Any = None,
    order: Any = "K",
    casting: Any = "unsafe",
    subok: Any = True,
    copy: Any = True,
    requirements: Any = None,
    *,
    out: Operand,
) -> Row:
    """out[i] = z[i]; of complex numbers that become real ones, out[i] = Re z[i]"""
    if not isinstance(X, Operand) or not out.dtype.startswith(("complex", "float")):
        raise NoFormula("astype", "complex numbers become whole ones")
    i = X.indices()
    return i, X[i] if out.dtype.startswith("complex") else real_of(X[i])


@operation("complex")
def of_parts(real: Any, imaginary: Any = 0) -> Row:
    """out = a + b i"""
    a, b = (x[()] if isinstance(x, Operand) else number(x) for x in (real, imaginary))
    return (), a + b * imaginary_unit()


@for_complex("vdot")
def vdot_conjugated(A: Any, B: Any) -> Row:
    """out = Σ_i ā[i] b[i]"""
    return vdot(A, B, first=conjugated)


@for_complex("vecdot", "linalg.vecdot")
def vecdot_conjugated(A: Any, B: Any, axis: Any = -1) -> Row:
    """out[i] = Σ_j ā[i, j] b[i, j]"""
    return vecdot(A, B, axis, first=conjugated)


@for_complex("norm", "linalg.vector_norm")
def norm(X: Operand, axis: Any = None, keepdims: Any = False, ord: Any = None, *, out: Operand) -> Row:
    """out[i]² = Σ_j z[i, j] z̄[i, j], out[i] > 0"""
    i, over, free = split(array_like(X, "norm"), axis, keepdims)
    if not (ord is None or (ord == 2 and len(over) == 1) or (ord == "fro" and len(over) == 2)):
        raise NoFormula("norm", f"a norm of the order {ord} of complex numbers")
    return free, root(out, free, sum_over(over, X[i] * conjugated(X[i])))


@for_complex("std")
def std(X: Operand, axis: Any = None, keepdims: Any = False, ddof: Any = 0, *, out: Operand) -> Row:
    """out[i]² = J⁻¹ Σ_j |z[i, j]|² − |J⁻¹ Σ_j z[i, j]|², out[i] ≥ 0"""
    free, squared = var(X, axis, keepdims, ddof, out=out)
    assert isinstance(squared, Form)
    return free, root(out, free, squared)


@for_complex("real_if_close")
def real_if_close(X: Operand, out: Operand, tol: Any = None) -> Row:
    """out[i] = z[i], or Re z[i] if all imaginary parts are nearly 0"""
    return astype(X, out=out)


@for_complex("var")
def var(X: Operand, axis: Any = None, keepdims: Any = False, ddof: Any = 0, *, out: Operand) -> Row:
    """out[i] = J⁻¹ Σ_j |z[i, j]|² − |J⁻¹ Σ_j z[i, j]|²"""
    if ddof:
        raise NoFormula("var", "degrees of freedom, of complex numbers")
    i, over, free = split(X, axis, keepdims)
    once, again = X.indices(), X.indices()
    kept = {p: free_index for p, free_index in enumerate(i) if free_index not in over}
    first = X[tuple(kept.get(p, once[p]) for p in range(X.ndim))]
    second = X[tuple(kept.get(p, again[p]) for p in range(X.ndim))]
    summed = [q for w in (once, again) for p, q in enumerate(w) if p not in kept]
    mean_square = sum_over(over, X[i] * conjugated(X[i])) * count(over) ** -1
    return free, mean_square - sum_over(summed, first * conjugated(second)) * count(over) ** -2
