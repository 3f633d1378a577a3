"""Fourier transforms: sums over the roots of unity.

    out[k] = c Σ_n w[n, k] x[n]        w[n, k] = e^(−2πi k n / N)        forward; e^(2πi k n / N) backward

with c = 1 forward and 1/N backward (``norm`` "ortho": N^(−½) both ways; "forward": the other way round).  Along several
axes there is one such sum for each.  The weights c w are the look-up arrays ``<out>.wave``, ``<out>.wave1``, … with the
axis of the input first; what is cut off, or filled up with zeros, to the length ``n`` is left out of the sum.

Of an inverse that gives real numbers (irfft, hfft) the missing half of the spectrum is the conjugate of the given one, so
that out[n] = Re Σ_k w[k, n] z[k], with weights that count the doubled places twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tracer.calculus import entry as entry_of
from tracer.calculus import fresh
from tracer.calculus.complex_values import weights_of
from tracer.calculus.printing.names import Transform
from tracer.calculus.terms import Index
from tracer.ops.axes import Operand
from tracer.ops.complex_numbers import real_of
from tracer.ops.reductions import axis_at, whole
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.writing import Form, NoFormula, sum_over

Array = np.ndarray[Any, Any]

#: More weights than this are not written down.
_MOST_WEIGHTS = 1 << 24

#: Transform → the function of one axis for its last axis, and for the others.
_PARTS: dict[str, tuple[str, str]] = {
    "fft": ("fft", "fft"), "ifft": ("ifft", "ifft"), "rfft": ("rfft", "fft"), "irfft": ("irfft", "ifft"),
    "hfft": ("hfft", "fft"), "ihfft": ("ihfft", "ifft"),
}  # fmt: skip
_SEVERAL = {f"{kind}{many}": kind for kind in ("fft", "ifft", "rfft", "irfft") for many in ("2", "n")}
#: Transforms whose results are real.
_TO_REAL = ("irfft", "hfft")


def _kind(name: str) -> str:
    return _SEVERAL.get(name, name)


def _axes(name: str, ndim: int, given: Mapping[str, Any]) -> tuple[list[int], list[int | None]]:
    """The axes that a transform goes along, in order, and the length asked for along each."""
    if name not in _SEVERAL:
        length = given.get("n")
        return [axis_at(given.get("axis", -1), ndim)], [None if length is None else whole(length)]
    lengths, axes = given.get("s"), given.get("axes", (-2, -1) if name.endswith("2") else None)
    if axes is None:
        axes = tuple(range(ndim)) if lengths is None else tuple(range(-len(lengths), 0))
    places = [axis_at(a, ndim) for a in axes]
    if len(set(places)) < len(places):
        raise NoFormula(f"fft.{name}", "an axis that is transformed twice")
    return places, [None if s is None or whole(s) == -1 else whole(s) for s in lengths or [None] * len(places)]


def _function(name: str, last: bool) -> Callable[..., Array]:
    found: Callable[..., Array] = getattr(np.fft, _PARTS[_kind(name)][0 if last else 1])
    return found


def weights(name: str, last: bool, size: int, length: int | None, norm: str | None) -> Array:
    """What each entry along an axis adds to each entry of the transform: that of the rows of the unit matrix.

    A transform to real numbers is not linear in complex ones, but the real part of a linear one: Re(w z) is
    Re w Re z − Im w Im z.
    """
    transform = _function(name, last)
    unit = np.eye(size)
    if last and _kind(name) in _TO_REAL:
        return np.asarray(transform(unit, length, norm=norm) - 1j * transform(1j * unit, length, norm=norm))
    return np.asarray(transform(unit, length, norm=norm))


def _transform(name: str, parameters: str) -> None:
    kind = _kind(name)

    def write(X: Any, *more: Any, out: Operand, **given: Any) -> Row:
        told = by_name(parameters, (X, *more), given)
        if not isinstance(X, Operand) or not X.ndim:
            raise NoFormula(f"fft.{name}", "an operand that is no array")
        if not told.keys() <= set(parameters.split()):
            raise NoFormula(f"fft.{name}", f"the arguments {', '.join(sorted(told))}")
        places, _ = _axes(name, X.ndim, told)
        at = X.indices()
        free: list[Index | int] = list(at)
        summed: list[Index | int] = []
        form: Form | None = None
        for number, place in enumerate(places):
            if X.shape[place] * out.shape[place] > _MOST_WEIGHTS:
                raise NoFormula(f"fft.{name}", f"{X.shape[place]} entries along an axis, more than are written out")
            same = X.shape[place] == out.shape[place]
            axis = X.axes[place] if same else out.axes[place]
            free[place] = fresh(axis)
            summed.append(at[place])
            weight = Form(entry_of(weights_of(out.name, number), at[place], free[place]))
            form = weight if form is None else form * weight
        assert form is not None
        summand = form * X[at]
        total = sum_over(summed, summand)
        return tuple(free), real_of(total) if kind in _TO_REAL else total

    write.__doc__ = _FORMULAS[kind]
    operation(f"fft.{name}")(write)

    def find(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        told = by_name(parameters, operands, arguments)
        shape = operands[0].shape
        places, lengths = _axes(name, len(shape), told)
        return {
            weights_of(output, k): weights(name, k == len(places) - 1, shape[p], n, told.get("norm"))
            for k, (p, n) in enumerate(zip(places, lengths, strict=True))
        }

    looked_up(f"fft.{name}")(find)


def transform_of(op: str, number: int, operands: Sequence[Any], arguments: Mapping[str, Any]) -> Transform | None:
    """The transform in NumPy of which ``wave`` holds the weights, along the axis of this number.

    Only where nothing is cut off or filled up: then the weights are symmetric, w[n, k] = w[k, n], and a sum over k is the
    same transform; of the shorter rfft it is fft, filled up with zeros.
    """
    name = op.removeprefix("fft.")
    told = by_name("X s axes norm" if name in _SEVERAL else "X n axis norm", operands, arguments)
    X, norm = operands[0], told.get("norm") or "backward"
    places, lengths = _axes(name, X.ndim, told)
    function = _PARTS[_kind(name)][0 if number == len(places) - 1 else 1]
    if lengths[number] not in (None, X.shape[places[number]]) or function not in ("fft", "ifft", "rfft"):
        return None
    scaled = norm == ("forward" if function != "ifft" else "backward")
    back = "fft" if function == "rfft" else function
    if norm == "ortho":
        return Transform(function, 0, True, back)
    if function == "ifft":  # NumPy's own divides by N
        return Transform(function, 0 if scaled else 1, False, back)
    return Transform(function, -1 if scaled else 0, False, back)


def mirrored(transform: Transform) -> Transform | None:
    """The transform that has the conjugate weights: the other way, with the same factor."""
    back = {"fft": "ifft", "ifft": "fft"}.get(transform.back)
    if back is None:
        return None
    function = back if transform.function == transform.back else ""
    if transform.ortho:
        return Transform(function, 0, True, back)
    return Transform(function, transform.scale + (1 if back == "ifft" else -1), False, back)


def code_of_weights(op: str, number: int, operands: Sequence[Any], arguments: Mapping[str, Any], size: str) -> str:
    """NumPy code of the weights along one axis, of this size: the transforms of the rows of the unit matrix."""
    name = op.removeprefix("fft.")
    told = by_name("X s axes norm" if name in _SEVERAL else "X n axis norm", operands, arguments)
    places, lengths = _axes(name, operands[0].ndim, told)
    last = number == len(places) - 1
    function = _PARTS[_kind(name)][0 if last else 1]
    more = "" if lengths[number] is None else f", {lengths[number]}"
    more += f", norm={told['norm']!r}" if told.get("norm") else ""
    code = f"np.fft.{function}(np.eye({size}){more})"
    if last and _kind(name) in _TO_REAL:
        return f"{code} - 1j * np.fft.{function}(1j * np.eye({size}){more})"
    return code


_FORMULAS = {
    "fft": "out[k] = c Σ_n e^(−2πi k n / N) x[n], along each of the axes",
    "ifft": "out[n] = c Σ_k e^(2πi k n / N) z[k], along each of the axes",
    "rfft": "out[k] = c Σ_n e^(−2πi k n / N) x[n] for k ≤ N / 2, which are all that are needed of real numbers",
    "irfft": "out[n] = c Re Σ_k m[k] e^(2πi k n / N) z[k], where m[k] is 2 for a place that stands for N − k too, else 1",
    "hfft": "out[n] = c Re Σ_k m[k] e^(−2πi k n / N) z[k], where m[k] is 2 for a place that stands for N − k too, else 1",
    "ihfft": "out[k] = c Σ_n e^(2πi k n / N) x[n] for k ≤ N / 2",
}
for _name in (*_PARTS, *_SEVERAL):
    _transform(_name, "X s axes norm" if _name in _SEVERAL else "X n axis norm")
