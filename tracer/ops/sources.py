"""Arrays that come from nothing but their shape, and the sizes of axes.

These rows need the shape of the result only: axes that come out equal are equal by its provenance,
which the caller enters into the table of axes where it knows more.
"""

from __future__ import annotations

from typing import Any

from tracer.ops.axes import Operand
from tracer.ops.reductions import whole
from tracer.ops.table import Row, operation
from tracer.ops.writing import Form, NoFormula, form, rational, size


@operation("zeros", "zeros_like")
def zeros(*_: Any, out: Operand, **__: Any) -> Row:
    """out[i] = 0"""
    return out.indices(), form(0)


@operation("ones", "ones_like")
def ones(*_: Any, out: Operand, **__: Any) -> Row:
    """out[i] = 1"""
    return out.indices(), form(1)


@operation("full", "full_like")
def full(_: Any, value: Any, out: Operand, **__: Any) -> Row:
    """out[i] = value"""
    return out.indices(), _scalar(value)


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
