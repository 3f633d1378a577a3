"""More scalar functions at every position: inverse hyperbolic ones, angles, remainders, roots.

At a jump the derivative is that on either side, where both agree; a value that is rounded on the way, such as
the whole part of a quotient, is the array ``<out>.quotient``, through which no derivative passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.ops.axes import Operand, broadcast
from tracer.ops.stated import change, looked
from tracer.ops.table import Row, elementwise, looked_up, operation
from tracer.ops.writing import Form, NoFormula, form, function, mask, rational


@operation("pi")
def pi() -> Row:
    """out = π"""
    return (), function("pi")


@operation("e")
def e() -> Row:
    """out = e, the base of the natural logarithm"""
    return (), function("E")


@elementwise("logaddexp2")
def logaddexp2(a: Form, b: Form) -> Form:
    """out[i] = log(2^a[i] + 2^b[i]) / log 2"""
    return function("log(2**x0 + 2**x1)/log(2)", a, b)


@elementwise("arctan2")
def arctan2(a: Form, b: Form) -> Form:
    """out[i] = the angle of the point (b[i], a[i]), not at the origin"""
    return function("atan2(x0, x1)", a, b)


@elementwise("arcsinh")
def arcsinh(a: Form) -> Form:
    """out[i] = arsinh(a[i])"""
    return function("asinh(x0)", a)


@elementwise("arccosh")
def arccosh(a: Form) -> Form:
    """out[i] = arcosh(a[i]), for a[i] > 1"""
    return function("acosh(x0)", a)


@elementwise("arctanh")
def arctanh(a: Form) -> Form:
    """out[i] = artanh(a[i]), for |a[i]| < 1"""
    return function("atanh(x0)", a)


@elementwise("rad2deg", "degrees")
def rad2deg(a: Form) -> Form:
    """out[i] = 180 a[i] / π"""
    return a * 180 * function("1/pi")


@elementwise("deg2rad", "radians")
def deg2rad(a: Form) -> Form:
    """out[i] = π a[i] / 180"""
    return a * Fraction(1, 180) * function("pi")


@elementwise("sinc")
def sinc(a: Form) -> Form:
    """out[i] = sin(π a[i]) / (π a[i]), for a[i] ≠ 0"""
    return function("sin(pi*x0)", a) * a**-1 * function("1/pi")


@elementwise("copysign")
def copysign(a: Form, b: Form) -> Form:
    """out[i] = |a[i]| (1 − 2 [0 > b[i]])"""
    zero = form(0)
    return a * (mask(">", a, zero) - mask(">", zero, a)) * (1 - 2 * mask(">", zero, b))


@elementwise("heaviside")
def heaviside(a: Form, b: Form) -> Form:
    """out[i] = [a[i] > 0] + b[i] [a[i] = 0]"""
    return mask(">", a, form(0)) + b * mask("==", a, form(0))


@operation("cbrt")
def cbrt(X: Operand, out: Operand) -> Row:
    """out[i]³ = X[i], so that 3 out[i]² ∂out[i] = ∂X[i]; X[i] ≠ 0"""
    i = X.indices()
    own = looked(out, "value", *i)
    return i, own + change(X, i) * own**-2 * Fraction(1, 3)


def _quotient(a: Any, b: Any, out: Operand) -> Row:
    """a − q b, where q is the whole number ``<out>.quotient``."""
    arrays = [x for x in (a, b) if isinstance(x, Operand)]
    index = broadcast(*(x.axes for x in arrays), table=out.table)
    index = (0,) * (out.ndim - len(index)) + index
    one, other = (x[index] if isinstance(x, Operand) else form(rational(x)) for x in (a, b))
    return index, one - looked(out, "quotient", *index) * other


@operation("remainder", "mod")
def remainder(a: Any, b: Any, out: Operand) -> Row:
    """out[i] = a[i] − q[i] b[i], where q[i] is a[i] / b[i] rounded down"""
    return _quotient(a, b, out)


@operation("fmod")
def fmod(a: Any, b: Any, out: Operand) -> Row:
    """out[i] = a[i] − q[i] b[i], where q[i] is a[i] / b[i] rounded towards zero"""
    return _quotient(a, b, out)


def _divided(operands: Sequence[Any]) -> Any:
    one, other = (np.asarray(x.value, dtype=float) if isinstance(x, Operand) else float(x) for x in operands)
    return np.asarray(one) / other


@looked_up("remainder", "mod")
def rounded_down(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The quotient, rounded down."""
    return {f"{output}.quotient": np.floor(_divided(operands))}


@looked_up("fmod")
def rounded_to_zero(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The quotient, rounded towards zero."""
    return {f"{output}.quotient": np.trunc(_divided(operands))}


@operation("real", "conjugate", "conj", "real_if_close")
def real(X: Operand) -> Row:
    """out[i] = X[i], of real numbers"""
    i = X.indices()
    return i, X[i]


@operation("imag")
def imag(X: Operand) -> Row:
    """out[i] = 0, of real numbers"""
    return X.indices(), form(0)


@operation("angle")
def angle(X: Operand, deg: Any = False) -> Row:
    """out[i] = π [0 > X[i]], of real numbers, which only jumps"""
    if deg:
        raise NoFormula("angle", "an angle in degrees")
    i = X.indices()
    return i, function("pi") * mask(">", form(0), X[i])


def quotient_and_rest(a: Any, b: Any, *, part: int, out: Operand) -> Row:
    """out[i] = a[i] − q[i] b[i], or q[i] = a[i] / b[i] rounded down, which only jumps"""
    if part == 1:
        return _quotient(a, b, out)
    i = out.indices()
    return i, looked(out, "quotient", *i)


def whole_and_rest(X: Operand, *, part: int, out: Operand) -> Row:
    """out[i] = X[i] − w[i], or w[i], the whole part, which only jumps"""
    i = X.indices()
    whole_part = looked(out, "whole", *i)
    return i, whole_part if part == 1 else X[i] - whole_part


def mantissa(X: Operand, *, part: int, out: Operand) -> Row:
    """out[i] = X[i] · 2^(−e[i]), with the exponent e[i], which only jumps"""
    if part == 1:
        raise NoFormula("frexp", "the exponent, a whole number")
    i = X.indices()
    return i, X[i] * looked(out, "scale", *i)


@operation("ldexp")
def ldexp(X: Operand, n: Any, out: Operand) -> Row:
    """out[i] = X[i] · 2^n[i], with whole numbers n"""
    i = broadcast(*(x.axes for x in (X, n) if isinstance(x, Operand)), table=out.table)
    return i, X[i] * looked(out, "scale", *i)


@looked_up("ldexp")
def powers_of_two(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """2^n for each entry of the result."""
    x, n = (np.asarray(o.value) if isinstance(o, Operand) else np.asarray(int(o)) for o in operands)
    return {f"{output}.scale": np.broadcast_to(np.ldexp(1.0, n), np.broadcast_shapes(x.shape, n.shape))}


def rounded_parts(output: str, name: str, operands: Sequence[Any]) -> dict[str, Any]:
    """The whole numbers that the parts of divmod, modf and frexp mention."""
    if name == "divmod":
        return rounded_down(output, operands, {})
    x = np.asarray(operands[0].value, dtype=float)
    return {f"{output}.whole": np.trunc(x), f"{output}.scale": np.ldexp(1.0, -np.frexp(x)[1])}
