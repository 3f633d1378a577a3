"""Random inputs for an expression: what numbers its arrays may hold is found by trying.

Comes in: an `Expression` and shapes.  Goes out: `Inputs`, from which any number of points can be drawn at which
the expression is finite.  Invariant: nothing is assumed of a function; log gets positive numbers because it is
not finite with others.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.expressions.faults import fault
from tracer.expressions.reading import Expression
from tracer.expressions.shapes import Axes, sizes_of

Point = dict[str, Any]
_Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[Any]]

#: Complex numbers are none that are tried: it is said which arrays hold them.
COMPLEX = "complex"
#: True and false: an array that picks entries of another one of its shape.
MASK = "mask"

#: What the entries of an array may be, the most general first; the last is a symmetric matrix.
KINDS: dict[str, _Draw] = {
    "real": lambda rng, shape: rng.choice([-1.0, 1.0], shape) * rng.uniform(0.2, 2.0, shape),
    "positive": lambda rng, shape: rng.uniform(0.3, 2.0, shape),
    "between -1 and 1": lambda rng, shape: rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 0.9, shape),
    "between 0 and 1": lambda rng, shape: rng.uniform(0.1, 0.9, shape),
    "greater than 1": lambda rng, shape: rng.uniform(1.2, 3.0, shape),
    "positive definite": lambda rng, shape: _positive_definite(rng, shape),
}
_SQUARE = "positive definite"
_MOST_TRIED = 3000


@dataclass(frozen=True)
class Inputs:
    """How to draw the arrays of an expression.

    Attributes:
        sizes: of the named axes.
        kinds: array → what its entries are: one of `KINDS`, ``integer``, ``mask``, or ``complex``.
        below: for an array of integers, the number that they stay below.
        complex_arrays: the arrays that hold complex numbers.
    """

    expression: Expression
    shapes: Mapping[str, Axes]
    sizes: Mapping[str, int]
    kinds: Mapping[str, str]
    below: Mapping[str, int]
    complex_arrays: frozenset[str] = frozenset()

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.sizes[a] if isinstance(a, str) else a for a in self.shapes[name])

    def draw(self, seed: int) -> Point:
        """One point: a value for each array."""
        rng = np.random.default_rng(seed)
        point: Point = {}
        for name in self.expression.arrays:
            shape, kind = self.shape(name), self.kinds[name]
            if kind == "integer":
                drawn: Any = rng.integers(0, self.below[name], shape)
            elif kind == MASK:  # true at as many places each time
                drawn = rng.permutation(np.arange(math.prod(shape)) % 3 > 0).reshape(shape)
            elif kind == COMPLEX:  # away from the negative real numbers, where powers and logarithms jump
                drawn = KINDS["positive"](rng, shape) + 1j * KINDS["real"](rng, shape)
            else:
                drawn = KINDS[kind](rng, shape)
            point[name] = drawn if shape else drawn.item()
        return point

    def value(self, point: Mapping[str, Any], quiet: bool = True) -> Any:
        """The value of the expression at a point; unless ``quiet``, floating point errors are as NumPy is set."""
        if not quiet:
            return self._evaluated(point)
        with silence():
            return self._evaluated(point)

    def values(self, points: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
        """The values of the expression at several points, in silence."""
        with silence():
            for point in points:
                yield self._evaluated(point)

    def _evaluated(self, point: Mapping[str, Any]) -> Any:
        own = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in point.items()}
        space = {**self.expression.namespace(), **self.sizes, **own}
        return eval(self.expression.code, space)  # what the user asked to have derived

    def differentiable(self) -> tuple[str, ...]:
        """The arrays that hold real or complex numbers."""
        return tuple(n for n in self.expression.arrays if self.kinds[n] not in ("integer", MASK))


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """No word about overflow and the like: what is not finite is seen by whoever asks."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def first_sizes(expression: Expression, shapes: Mapping[str, Axes]) -> dict[str, int]:
    """The sizes at which an expression is derived: small, but not so small that a slice has one entry."""
    smallest, apart = (6, 3) if expression.slices else (3, 1)
    return sizes_of(shapes, smallest, expression.numbers, apart)


def other_sizes(inputs: Inputs) -> dict[str, int]:
    """Another size for every named axis, in another order, so that an axis that was longer than another is shorter."""
    apart = 3 if inputs.expression.slices else 1
    start = 1 + max(inputs.sizes.values(), default=0)
    larger = sizes_of(inputs.shapes, start, inputs.expression.numbers, apart)
    return dict(zip(reversed(list(larger)), larger.values()))


def longer_sizes(inputs: Inputs) -> dict[str, int]:
    """Sizes at which no part of an axis is likely to have a single entry."""
    return sizes_of(inputs.shapes, 7, inputs.expression.numbers, 3)


def check_kind(inputs: Inputs) -> None:
    """Refuse what is no array and no number, or has no value of its own.

    Raises:
        CannotDerive: with what to write instead.
    """
    value = inputs.value(inputs.draw(1))
    if isinstance(value, tuple) and value and all(isinstance(v, (np.ndarray, np.generic)) for v in value):
        raise inputs.expression.error(
            f"The value is not one array, but {len(value)}.",
            inputs.expression.tree.body,
            "Take one of them: write [0] behind it for the first.",
        )
    if not isinstance(value, (np.ndarray, np.generic, int, float, complex)):
        raise inputs.expression.error(
            f"The value is of type {type(value).__name__}, and no array or number.",
            inputs.expression.tree.body,
            "Make it one, with np.array(…), or derive its parts one by one.",
        )
    if not np.array_equal(np.asarray(value), np.asarray(inputs.value(inputs.draw(1)))):
        raise inputs.expression.error(
            "The value is another one each time, so that it has no gradient.",
            inputs.expression.tree.body,
            "Give the random numbers a name, and their shape: --shape M=N,D.",
        )


def find_inputs(
    expression: Expression, shapes: Mapping[str, Axes], complex_arrays: frozenset[str] = frozenset()
) -> Inputs:
    """The most general kind of numbers for each array at which the expression is finite.

    Arguments:
        complex_arrays: those that hold complex numbers.

    Raises:
        CannotDerive: it fails at all of them, with the place where it does, or is not finite at any.
    """
    plain = Inputs(expression, shapes, first_sizes(expression, shapes), {}, {}, complex_arrays)
    failed: Exception | None = None
    infinite = False
    for kinds in _combinations(plain):
        tried = replace(plain, kinds=kinds)
        try:
            found = [tried.value(tried.draw(seed)) for seed in (1, 2, 3)]
            if isinstance(found[0], tuple):
                return tried  # which `check_kind` refuses
            values = [np.asarray(value) for value in found]
        except Exception as error:
            failed = failed or error
            continue
        if all(_is_number(v) and np.all(np.isfinite(v)) for v in values):
            return tried
        infinite = infinite or all(_is_number(v) for v in values)
    for tried in _with_integers(plain):
        try:
            value = np.asarray(tried.value(tried.draw(1)))
        except Exception:
            continue
        if _is_number(value) and np.all(np.isfinite(value)):
            return tried
    places = expression.selecting
    kinds = {name: "integer" if name in places else "real" for name in expression.arrays}
    kinds |= dict.fromkeys(complex_arrays, COMPLEX)
    general = replace(plain, kinds=kinds, below=dict.fromkeys(places, 1))
    if failed is not None and not infinite:
        raise fault(expression, shapes, general.sizes, general.draw(1))
    value = np.asarray(general.value(general.draw(1)))
    if not _is_number(value):
        raise expression.error(
            f"The value is not made of numbers, but of type {value.dtype}.",
            expression.tree.body,
            "Only expressions of real or complex numbers can be derived.",
        )
    raise expression.error(
        "The value is not finite at any of the inputs tried.",
        expression.tree.body,
        "Change it so that it is finite for real, positive, small or large numbers, or regular matrices.",
    )


def _combinations(plain: Inputs) -> Iterator[dict[str, str]]:
    """Kinds for all arrays: those with the fewest restrictions first, and early on the same for all."""
    given = _given(plain)
    return ({**kinds, **given} for kinds in itertools.islice(_restricted(plain), _MOST_TRIED))


def _given(plain: Inputs) -> dict[str, str]:
    """The kinds that are known before any is tried."""
    masks = plain.expression.choosing(plain.shapes) - plain.complex_arrays
    return {**dict.fromkeys(plain.complex_arrays, COMPLEX), **dict.fromkeys(sorted(masks), MASK)}


def _restricted(plain: Inputs) -> Iterator[dict[str, str]]:
    names = tuple(n for n in plain.expression.arrays if n not in _given(plain))
    general, *special = KINDS
    for count in range(len(names) + 1):
        for strictest in range(max(1, len(special) if count else 1)):
            for chosen in itertools.combinations(names, count):
                for kinds in itertools.product(special[: strictest + 1], repeat=count):
                    fits = all(k != _SQUARE or _is_square(plain.shape(n)) for n, k in zip(chosen, kinds))
                    if fits and (not count or special[strictest] in kinds):
                        yield {**dict.fromkeys(names, general), **dict(zip(chosen, kinds))}
        if count == 1:
            yield from (dict.fromkeys(names, kind) for kind in special if kind != _SQUARE)


def _with_integers(plain: Inputs) -> Iterator[Inputs]:
    """Some arrays are positions, as many as there can be: those that stand in an index, else one or two of all."""
    given = _given(plain)
    names = tuple(n for n in plain.expression.arrays if n not in given)
    most = sorted({s for n in names for s in plain.shape(n)} | set(plain.sizes.values()), reverse=True)
    several = [tuple(c) for count in (1, 2) for c in itertools.combinations(names, count)]
    selecting = tuple(n for n in plain.expression.selecting if n not in given)
    for chosen in dict.fromkeys((selecting, *several)):
        every = itertools.product([b for b in most if b > 1], repeat=len(chosen))
        for bounds in itertools.islice(every, 200 if chosen else 0):
            below = dict(zip(chosen, bounds))
            kinds = {n: "integer" if n in chosen else "real" for n in names} | given
            tried = replace(plain, kinds=kinds, below=below)
            if not _reaches(tried, chosen):
                continue
            yield tried
            yield replace(tried, kinds={n: "positive" if k == "real" else k for n, k in kinds.items()})


def _reaches(tried: Inputs, chosen: tuple[str, ...]) -> bool:
    """Whether the largest positions may be used."""
    point = tried.draw(1)
    for name in chosen:
        point[name] = np.full_like(np.asarray(point[name]), tried.below[name] - 1)
    try:
        tried.value(point)
    except Exception:
        return False
    return True


def _is_number(value: NDArray[Any]) -> bool:
    return value.dtype.kind in "fiubc"


def _is_square(shape: tuple[int, ...]) -> bool:
    return len(shape) >= 2 and shape[-1] == shape[-2]


def _positive_definite(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
    drawn = rng.standard_normal(shape)
    return drawn @ np.swapaxes(drawn, -1, -2) + np.eye(shape[-1])
