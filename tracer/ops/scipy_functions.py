"""Functions of SciPy that networks are written with; nothing here needs SciPy.

The functions of whole rows (``softmax``, ``log_softmax``, ``logsumexp``) are stated by their differential, and so is the
error function, whose derivative needs no error function.  Convolution is the sum over all pairs of places; filters
that are larger than what they filter have no row.
"""

from __future__ import annotations

from typing import Any

from tracer.calculus import entry
from tracer.calculus.indexing import shifted
from tracer.calculus.linearised import value_of
from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.reductions import split
from tracer.ops.signals import place_of
from tracer.ops.stated import Indices, array_like, change, value
from tracer.ops.table import Row, elementwise, operation
from tracer.ops.writing import Form, NoFormula, condition, delta, form, function, sum_over


@elementwise("special.expit")
def expit(a: Form) -> Form:
    """out[i] = 1 / (1 + exp(−a[i]))"""
    return function("1/(1 + exp(-x0))", a)


@elementwise("special.log_expit")
def log_expit(a: Form) -> Form:
    """out[i] = −log(1 + exp(−a[i]))"""
    return -function("log(1 + exp(-x0))", a)


@elementwise("special.logit")
def logit(a: Form) -> Form:
    """out[i] = log(a[i] / (1 − a[i])), for 0 < a[i] < 1"""
    return function("log(x0)", a) - function("log(1 - x0)", a)


@elementwise("special.xlogy")
def xlogy(a: Form, b: Form) -> Form:
    """out[i] = a[i] · log(b[i]), and 0 where a[i] = 0"""
    return a * function("log(x0)", b)


@operation("special.erf")
def erf(a: Operand, *, out: Operand) -> Row:
    """out[i] = 2/√π ∫₀^a[i] exp(−t²) dt, so ∂out[i] = 2/√π · exp(−a[i]²) ∂a[i]"""
    if not isinstance(a, Operand):
        raise NoFormula("erf", "a number as operand")
    i = a.indices()
    slope = 2 * function("1/sqrt(pi)") * _exp(-1, value(a, i) ** 2)
    return i, _held(out, i) + slope * change(a, i)


@operation("special.softmax")
def softmax(x: Operand, axis: Any = None, *, out: Operand) -> Row:
    """out[i, j] = exp(x[i, j]) / Σ_k exp(x[i, k]), so ∂out[i, j] = out[i, j] Σ_k (δ(j, k) − out[i, k]) ∂x[i, k]"""
    array_like(x, "softmax")
    i, k, over = _rows(x, axis)
    held = _held(out, i)
    return i, held + held * (change(x, i) - sum_over(over, _held(out, k) * change(x, k)))


@operation("special.log_softmax")
def log_softmax(x: Operand, axis: Any = None, *, out: Operand) -> Row:
    """out[i, j] = x[i, j] − log Σ_k exp(x[i, k]), so ∂out[i, j] = ∂x[i, j] − Σ_k exp(out[i, k]) ∂x[i, k]"""
    array_like(x, "log_softmax")
    i, k, over = _rows(x, axis)
    return i, _held(out, i) + change(x, i) - sum_over(over, _exp(1, _held(out, k)) * change(x, k))


@operation("special.logsumexp")
def logsumexp(x: Operand, axis: Any = None, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = log Σ_k exp(x[i, k]), so ∂out[i] = Σ_k exp(x[i, k] − out[i]) ∂x[i, k]"""
    array_like(x, "logsumexp")
    index, over, free = split(x, axis, keepdims)
    held = _held(out, free)
    weight = _exp(1, value(x, index)) * _exp(-1, held)
    return free, held + sum_over(over, weight * change(x, index))


@operation("logaddexp.reduce")
def logaddexp_reduce(x: Operand, axis: Any = 0, keepdims: Any = False, *, out: Operand) -> Row:
    """out[i] = log Σ_k exp(x[i, k]), as `logsumexp`, along the first axis unless another is given"""
    return logsumexp(x, axis, keepdims, out=out)


@operation("signal.convolve", "signal.convolve2d")
def convolve(a: Operand, v: Operand, mode: Any = "full", *, out: Operand) -> Row:
    """out[k, l] = Σ [k + offset = i + p] [l + offset = j + q] a[i, j] · v[p, q]; the offset is 0 in the mode full"""
    return _filtered("convolve", a, v, mode, 1, out)


@operation("signal.correlate", "signal.correlate2d")
def correlate(a: Operand, v: Operand, mode: Any = "full", *, out: Operand) -> Row:
    """out[k, l] = Σ [k + offset = i − p] [l + offset = j − q] a[i, j] · v[p, q]; the offset is 0 in the mode valid"""
    return _filtered("correlate", a, v, mode, -1, out)


def _held(out: Operand, indices: Indices) -> Form:
    """An entry of the result by its value."""
    return Form(entry(value_of(out.name), *indices))


def _exp(sign: int, exponent: Form) -> Form:
    """exp of an entry, or of a square of one, by its value."""
    [term] = exponent.expr
    [(factor, power)] = term.factors
    text = f"exp({'-' if sign < 0 else ''}x0{f'**{power}' if power != 1 else ''})"
    return function(text, Form(entry(factor.array, *factor.indices)))  # type: ignore[union-attr]


def _rows(x: Operand, axis: Any) -> tuple[Indices, Indices, list[Index | int]]:
    """The indices of an entry, those of another of the same row, and which of these run over the row."""
    i = x.indices()
    k, over, _ = split(x, axis, True)
    chosen = set(over)
    return i, tuple(b if b in chosen else a for a, b in zip(i, k, strict=True)), over


def _filtered(op: str, a: Operand, v: Operand, mode: Any, sign: int, out: Operand) -> Row:
    array_like(a, op)
    array_like(v, op, a.ndim)
    if mode not in ("full", "same", "valid"):
        raise NoFormula(op, f"the mode {mode!r}")
    if any(m < n for m, n in zip(a.shape, v.shape, strict=True)):
        raise NoFormula(op, "a filter that is the larger one")
    product = form(1)
    over: list[Index | int] = []
    free: list[Index | int] = []
    for axis, n in enumerate(v.shape):
        i, p, k = a.axis(axis), v.axis(axis), out.axis(axis)
        offset = {"full": 0, "same": (n - 1) // 2, "valid": n - 1}[mode]
        if sign < 0:
            offset -= n - 1
        place = place_of(i, p, sign)
        here = delta(k, place) if mode == "full" and sign > 0 else condition("==", shifted(k, offset), place)
        product, over, free = product * here, [*over, i, p], [*free, k]
    return tuple(free), sum_over(over, product * a[tuple(over[::2])] * v[tuple(over[1::2])])
