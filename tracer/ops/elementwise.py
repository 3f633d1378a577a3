"""Operations that are the same scalar formula at every position.

At a tie the derivative is that of the branch which the masks name: of max(a, b) at a = b it is b's.
"""

from __future__ import annotations

from fractions import Fraction

from tracer.ops.table import elementwise
from tracer.ops.writing import Form, form, function, mask


@elementwise("add")
def add(a: Form, b: Form) -> Form:
    """out[i] = a[i] + b[i]"""
    return a + b


@elementwise("subtract")
def subtract(a: Form, b: Form) -> Form:
    """out[i] = a[i] − b[i]"""
    return a - b


@elementwise("multiply")
def multiply(a: Form, b: Form) -> Form:
    """out[i] = a[i] · b[i]"""
    return a * b


@elementwise("divide", "true_divide")
def divide(a: Form, b: Form) -> Form:
    """out[i] = a[i] · b[i]⁻¹"""
    return a / b


@elementwise("negative")
def negative(a: Form) -> Form:
    """out[i] = −a[i]"""
    return -a


@elementwise("positive", "copy", "ascontiguousarray", "view")
def identity(a: Form) -> Form:
    """out[i] = a[i]"""
    return a


@elementwise("square")
def square(a: Form) -> Form:
    """out[i] = a[i]²"""
    return a**2


@elementwise("reciprocal")
def reciprocal(a: Form) -> Form:
    """out[i] = a[i]⁻¹"""
    return a**-1


@elementwise("sqrt")
def sqrt(a: Form) -> Form:
    """out[i] = a[i]^½, for a[i] ≥ 0"""
    return power(a, form(Fraction(1, 2)))


@elementwise("power", "float_power")
def power(a: Form, b: Form) -> Form:
    """out[i] = a[i]^b[i]; for an exponent that is not a whole number a[i] ≥ 0"""
    exponent, base = b.number, a.number
    if exponent is not None and (base is None or exponent.denominator == 1):
        return a**exponent
    return function("x0**x1", a, b)


@elementwise("exp")
def exp(a: Form) -> Form:
    """out[i] = exp(a[i])"""
    return function("exp(x0)", a)


@elementwise("exp2")
def exp2(a: Form) -> Form:
    """out[i] = 2^a[i]"""
    return function("2**x0", a)


@elementwise("expm1")
def expm1(a: Form) -> Form:
    """out[i] = exp(a[i]) − 1"""
    return function("exp(x0)", a) - 1


@elementwise("log")
def log(a: Form) -> Form:
    """out[i] = log(a[i])"""
    return function("log(x0)", a)


@elementwise("log2")
def log2(a: Form) -> Form:
    """out[i] = log(a[i]) / log 2"""
    return function("log(x0)/log(2)", a)


@elementwise("log10")
def log10(a: Form) -> Form:
    """out[i] = log(a[i]) / log 10"""
    return function("log(x0)/log(10)", a)


@elementwise("log1p")
def log1p(a: Form) -> Form:
    """out[i] = log(1 + a[i])"""
    return function("log(x0 + 1)", a)


@elementwise("logaddexp")
def logaddexp(a: Form, b: Form) -> Form:
    """out[i] = log(exp(a[i]) + exp(b[i]))"""
    return function("log(exp(x0) + exp(x1))", a, b)


@elementwise("tanh")
def tanh(a: Form) -> Form:
    """out[i] = tanh(a[i])"""
    return function("tanh(x0)", a)


@elementwise("sinh")
def sinh(a: Form) -> Form:
    """out[i] = sinh(a[i])"""
    return function("sinh(x0)", a)


@elementwise("cosh")
def cosh(a: Form) -> Form:
    """out[i] = cosh(a[i])"""
    return function("cosh(x0)", a)


@elementwise("sin")
def sin(a: Form) -> Form:
    """out[i] = sin(a[i])"""
    return function("sin(x0)", a)


@elementwise("cos")
def cos(a: Form) -> Form:
    """out[i] = cos(a[i])"""
    return function("cos(x0)", a)


@elementwise("tan")
def tan(a: Form) -> Form:
    """out[i] = tan(a[i])"""
    return function("tan(x0)", a)


@elementwise("arctan")
def arctan(a: Form) -> Form:
    """out[i] = arctan(a[i])"""
    return function("atan(x0)", a)


@elementwise("arcsin")
def arcsin(a: Form) -> Form:
    """out[i] = arcsin(a[i])"""
    return function("asin(x0)", a)


@elementwise("arccos")
def arccos(a: Form) -> Form:
    """out[i] = arccos(a[i])"""
    return function("acos(x0)", a)


@elementwise("hypot")
def hypot(a: Form, b: Form) -> Form:
    """out[i] = (a[i]² + b[i]²)^½"""
    return function("sqrt(x0**2 + x1**2)", a, b)


@elementwise("absolute", "fabs")
def absolute(a: Form) -> Form:
    """out[i] = a[i] [a[i] > 0] − a[i] [0 > a[i]]"""
    return a * sign(a)


@elementwise("sign")
def sign(a: Form) -> Form:
    """out[i] = [a[i] > 0] − [0 > a[i]]"""
    zero = form(0)
    return mask(">", a, zero) - mask(">", zero, a)


@elementwise("maximum", "fmax")
def maximum(a: Form, b: Form) -> Form:
    """out[i] = a[i] [a[i] > b[i]] + b[i] (1 − [a[i] > b[i]])"""
    if a.number is not None and b.number is None:
        a, b = b, a
    return a * mask(">", a, b) + b * (1 - mask(">", a, b))


@elementwise("minimum", "fmin")
def minimum(a: Form, b: Form) -> Form:
    """out[i] = a[i] [b[i] > a[i]] + b[i] (1 − [b[i] > a[i]])"""
    if a.number is not None and b.number is None:
        a, b = b, a
    return a * mask(">", b, a) + b * (1 - mask(">", b, a))


@elementwise("clip")
def clip(a: Form, low: Form | None, high: Form | None) -> Form:
    """out[i] = a[i] (1 − [low > a[i]] − [a[i] > high]) + low [low > a[i]] + high [a[i] > high], low ≤ high"""
    result = a
    if low is not None:
        result = result + mask(">", low, a) * (low - a)
    if high is not None:
        result = result + mask(">", a, high) * (high - a)
    return result
