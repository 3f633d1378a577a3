"""The gradient of ⟨G, expression⟩ by finite differences, and whether code gives the same.

Comes in: `Inputs` and code.  Goes out: at how many points they agree, and how well.  Invariant: a point counts
only if the expression is smooth there, which two step widths that disagree deny.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.expressions.inputs import Inputs, Point, silence

#: How many points are compared, and how many are drawn to find as many smooth ones.
POINTS, _DRAWN, _WITH_ZEROS = 3, 24, 3
_TOLERANCE = 1e-6
_STEP = 1e-4
#: Of an array with more entries, only so many are moved one by one.
_MANY, _SOME = 60, 24


@dataclass(frozen=True)
class Comparison:
    """``agrees`` is None if there was no smooth point to compare at; ``why`` says what is wrong, or what to beware of."""

    agrees: bool | None
    points: int
    error: float | None
    why: str = ""


def upstream_at(inputs: Inputs, point: Mapping[str, Any], seed: int) -> Any:
    """A random upstream gradient, of the shape of the expression, and complex if that is."""
    value = inputs.value(point)
    rng = np.random.default_rng(seed + 1000)
    drawn = rng.standard_normal(np.shape(value))
    if np.iscomplexobj(value):
        drawn = drawn + 1j * rng.standard_normal(np.shape(value))
    return drawn if np.shape(value) else drawn.item()


@dataclass(frozen=True)
class Slopes:
    """Along each direction, the derivative of Re ⟨G, expression⟩; ``size`` is that of the largest."""

    directions: tuple[NDArray[Any], ...]
    slopes: NDArray[Any]
    size: float

    def of(self, gradient: NDArray[Any]) -> NDArray[Any]:
        """The derivatives along the directions that a gradient stands for."""
        return np.array([float(np.sum(gradient * d).real) for d in self.directions])


def numeric_slopes(inputs: Inputs, point: Point, upstream: Any, wrt: str) -> Slopes | None:
    """∂ Re ⟨G, expression⟩ by central differences of fourth order, in directions of an array; None where it is not smooth.

    The directions are those of its entries, of some of them and of all at once where there are many; of a complex entry
    there are two, so that the gradient is the derivative by its real part less i times that by its imaginary part.
    """
    start = np.asarray(point[wrt], dtype=complex if np.iscomplexobj(point[wrt]) else float)
    directions = tuple(_directions(start))
    here = np.asarray(inputs.value(point))
    steps = (_STEP, -_STEP, 2 * _STEP, -2 * _STEP, _STEP / 4)

    def moved(by: NDArray[Any]) -> Point:
        there = start + by
        return {**point, wrt: there if there.shape else there.item()}

    changes = np.zeros((len(directions), len(steps)))
    for number, direction in enumerate(directions):
        with silence():  # what is not finite is seen below
            values = inputs.values(moved(step * direction) for step in steps)
            changes[number] = [float(np.sum(upstream * (np.asarray(v) - here)).real) for v in values]
    with np.errstate(all="ignore"):
        near = (changes[:, 0] - changes[:, 1]) / (2 * _STEP)
        far = (changes[:, 2] - changes[:, 3]) / (4 * _STEP)
        ahead = changes[:, 4] / (_STEP / 4)
        slopes = (4 * near - far) / 3
    if not (np.all(np.isfinite(slopes)) and np.all(np.isfinite(ahead))):
        return None
    largest = float(np.max(np.abs(slopes), initial=0.0))
    size = largest + 1e-3 * (1 + float(np.max(np.abs(here), initial=0.0)))
    kinked = np.max(np.abs(near - far), initial=0.0) > 1e-4 * size
    one_sided = np.max(np.abs(ahead - near), initial=0.0) > 1e-2 * size
    return None if kinked or one_sided else Slopes(directions, slopes, largest)  # a kink, a jump or a pole is near


def _directions(start: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Each entry, if there are not many; else some of them, and all at once with signs drawn at random."""
    units = (1.0, 1j) if start.dtype.kind == "c" else (1.0,)
    places: Iterable[int] = range(start.size)
    if start.size > _MANY:
        rng = np.random.default_rng(start.size)
        places = rng.choice(start.size, _SOME, replace=False).tolist()
        for unit in units * 2:
            yield unit * rng.choice((-1.0, 1.0), start.shape)
    for place in places:
        for unit in units:
            direction = np.zeros_like(start)
            direction.reshape(-1)[place] = unit
            yield direction


def run(code: str, result: str, inputs: Inputs, point: Point, upstream: str, value: Any) -> Any:
    """What code leaves in a variable, given a point and an upstream gradient."""
    space: dict[str, Any] = {
        **inputs.expression.namespace(),
        upstream: np.copy(value) if np.ndim(value) else value,
    }
    space |= {k: np.copy(v) if np.ndim(v) else v for k, v in point.items()}
    with np.errstate(all="ignore"):
        exec(code, space)  # code made by the calculus
    return space[result]


def compare(code: str, result: str, inputs: Inputs, upstream: str, wrt: str) -> Comparison:
    """Compare code with finite differences at several random points, and at points where some entries are zero.

    A formula may divide by what happens to be zero where the expression is smooth: Y / x for the slope of x·f(x).
    """
    errors: list[float] = []
    for seed in range(_DRAWN):
        point = inputs.draw(seed)
        error = _difference(code, result, inputs, point, upstream, wrt, seed)
        if isinstance(error, str):
            return Comparison(False, len(errors), None, error)
        if error is not None:
            errors.append(error)
        if len(errors) == POINTS:
            break
    if not errors:
        return Comparison(None, 0, None, "no point was found at which it is finite and smooth")
    if any(_fails_at_zeros(code, result, inputs, upstream, wrt, seed) for seed in range(_WITH_ZEROS)):
        return Comparison(True, len(errors), max(errors), "The code has no value where some inputs are 0.")
    return Comparison(True, len(errors), max(errors))


def _fails_at_zeros(code: str, result: str, inputs: Inputs, upstream: str, wrt: str, seed: int) -> bool:
    """Whether code gives no number at a point with zeros at which the expression is smooth."""
    point = _with_zeros(inputs, seed)
    try:
        with np.errstate(divide="raise", invalid="raise", over="ignore", under="ignore"):
            inputs.value(point, quiet=False)
        value = upstream_at(inputs, point, seed)
        if _is_finite(code, result, inputs, point, upstream, value):
            return False
        return numeric_slopes(inputs, point, value, wrt) is not None
    except (ArithmeticError, ValueError, np.linalg.LinAlgError):
        return False  # the expression itself fails there


def _is_finite(code: str, result: str, inputs: Inputs, point: Point, upstream: str, value: Any) -> bool:
    """Whether code gives numbers, or says itself that a matrix has no inverse."""
    try:
        return bool(np.all(np.isfinite(run(code, result, inputs, point, upstream, value))))
    except np.linalg.LinAlgError:
        return True
    except Exception:
        return False


def _with_zeros(inputs: Inputs, seed: int) -> Point:
    """A point at which about a third of the entries of real arrays are zero."""
    rng = np.random.default_rng(seed)
    point = inputs.draw(seed)
    for name in inputs.differentiable():
        if inputs.kinds[name] != "real":
            continue
        kept = np.where(rng.random(np.shape(point[name])) < 0.35, 0.0, point[name])
        point[name] = kept if kept.shape else float(kept)
    return point


def _difference(
    code: str, result: str, inputs: Inputs, point: Point, upstream: str, wrt: str, seed: int
) -> float | str | None:
    """The relative error of code at a point; what is wrong with it; None where the expression is not smooth."""
    try:
        if not np.all(np.isfinite(np.asarray(inputs.value(point)))):
            return None
        value = upstream_at(inputs, point, seed)
        numeric = numeric_slopes(inputs, point, value, wrt)
    except (ArithmeticError, ValueError, np.linalg.LinAlgError):
        return None  # the expression itself fails there
    if numeric is None:
        return None
    try:
        found = np.asarray(run(code, result, inputs, point, upstream, value))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    wanted = np.asarray(point[wrt])
    if found.dtype.kind == "c" and wanted.dtype.kind != "c":
        return "the code gives complex numbers, and these are real"
    if found.shape != wanted.shape:
        return f"the shape is {found.shape}, not {wanted.shape}"
    if not np.all(np.isfinite(found)):
        return "finite differences disagree"
    difference = float(np.max(np.abs(numeric.of(found) - numeric.slopes), initial=0.0)) / max(numeric.size, 1e-3)
    return difference if difference <= _TOLERANCE else "finite differences disagree"
