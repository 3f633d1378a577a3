"""Arrays that come from nothing but their shape, and the sizes of axes.

These rows need the shape of the result only: axes that come out equal are equal by its provenance,
which the caller enters into the table of axes where it knows more.
"""

from __future__ import annotations

from typing import Any

from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.reductions import whole
from tracer.ops.table import Row, operation
from tracer.ops.writing import Form, NoFormula, form, rational, size


@operation("zeros", "zeros_like")
def zeros(
    source: Any = None, dtype: Any = None, order: Any = "C", subok: Any = True, shape: Any = None, *, out: Operand
) -> Row:
    """out[i] = 0"""
    return _indices(source, out), form(0)


@operation("ones", "ones_like")
def ones(
    source: Any = None, dtype: Any = None, order: Any = "C", subok: Any = True, shape: Any = None, *, out: Operand
) -> Row:
    """out[i] = 1"""
    return _indices(source, out), form(1)


@operation("full", "full_like")
def full(
    source: Any,
    value: Any,
    dtype: Any = None,
    order: Any = "C",
    subok: Any = True,
    shape: Any = None,
    *,
    out: Operand,
) -> Row:
    """out[i] = value"""
    if not out.dtype.startswith(("float", "complex")) and not _fits(value, out):
        raise NoFormula("full", f"a number that is rounded to the type {out.dtype}")
    return _indices(source, out), _scalar(value)


def _fits(value: Any, out: Operand) -> bool:
    """Whether an array of whole numbers, or of truth values, holds the number as it is."""
    if isinstance(value, Operand):
        return value.boolean or (value.integer and not out.boolean)
    return rational(value).denominator == 1 and (not out.boolean or rational(value) in (0, 1))


def _indices(source: Any, out: Operand) -> tuple[Index | int, ...]:
    """Indices of the result; what is made like an array has its axes."""
    alike = isinstance(source, Operand) and source.ndim > 0 and source.shape == out.shape
    return source.indices() if alike else out.indices()


def _scalar(value: Any) -> Form:
    if isinstance(value, Operand):
        if value.ndim:
            raise NoFormula("full", "a value that is an array")
        return value[()]
    return form(rational(value))


@operation("axis_size")
def axis_size(X: Operand, axis: Any = 0) -> Row:
    """out = the size of an axis"""
    position = whole(axis)
    return (), size(X.axes[position])


@operation("size")
def size_of_array(X: Operand) -> Row:
    """out = the product of the sizes of all axes"""
    product = form(1)
    for axis in X.axes:
        product = product * size(axis)
    return (), product
