"""A value that is meant as a gradient, and how it compares with the gradient.

Comes in: values on every replay.  Goes out: the factor by which they are a multiple of a gradient, if they are one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Match, Sort
from tracer.matching.updates import without_ones

#: Two factors are the same if they differ by less than this part of themselves, on every replay.
_SAME = 1e-6


class Target(Struct, frozen=True):
    """A value that is meant as a multiple of ∂root/∂wrt.

    Attributes:
        node: the value.
        roots: the scalars that it may be a gradient of, the likeliest first.
        wrt: the version of the parameter that the root was computed from.
        update: the update that it feeds, if any.
        sign: for the whole change of an update 1, or −1 if the update subtracts it; 0 for a value within a step.
        factors: what it is multiplied by, on each replay, if it is a multiple of the gradient; else None.
        wanted: the factors that it should have, if the other gradients say so; None if any would do.
        direction: for the gradient within an optimiser's step which way the parameter moves along it; 0 if unknown.
        through: the nodes by which that step is made from it.
    """

    node: int
    roots: tuple[int, ...]
    wrt: int
    update: int | None = None
    sign: int = 0
    factors: tuple[float, ...] | None = None
    wanted: tuple[float, ...] | None = None
    direction: int = 0
    through: tuple[int, ...] = ()

    @property
    def way(self) -> int:
        """Which way the parameter moves along the value; 0 if it is not known to move by it alone."""
        return self.sign or self.direction

    @property
    def steps(self) -> tuple[float, ...]:
        """The factors with which the parameter moves along the gradient; for a value within a step, its own."""
        return tuple((self.sign or 1) * f for f in self.factors or ())

    @property
    def moves(self) -> tuple[float, ...]:
        """The factors with which the parameter moves along the gradient, up to a positive one for an optimiser's step."""
        return tuple(self.way * f for f in self.factors or ())

    @property
    def is_wrong(self) -> bool:
        """Whether it is no multiple of the gradient, or not the one that it should be."""
        return self.factors is None or (self.wanted is not None and not alike(self.factors, self.wanted))


def alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two factors are equal on every replay."""
    return all(abs(a - b) <= _SAME * max(abs(a), abs(b)) for a, b in zip(one, other, strict=True))


def factors_of(analysis: Analysis, values: Sequence[object], root: int, wrt: int) -> tuple[float, ...] | None:
    """What ∂root/∂wrt must be multiplied by to give these values, one on each replay; None if nothing fits.

    Where both are 0, as where no sample is within the margin, any factor would do: it is that of another replay.
    """
    found: list[float | None] = []
    for value, adjoints in zip(values, analysis.matcher.adjoints[root], strict=True):
        gradient = adjoints.full.get(wrt)
        factor = proportion(value, gradient)
        if factor is None and not are_zero(value, gradient):
            return None
        found.append(factor)
    return filled(found)


def are_zero(value: object, gradient: object) -> bool:
    """Whether a value and a gradient of its shape are 0 everywhere, so that any factor would do."""
    if value is None or gradient is None:
        return False
    one, other = np.asarray(value), np.asarray(gradient)
    return without_ones(one.shape) == without_ones(other.shape) and not one.any() and not other.any()


def filled(factors: Sequence[float | None]) -> tuple[float, ...] | None:
    """Factors with that of another replay where any would do; None if there is none."""
    known = [factor for factor in factors if factor is not None]
    return tuple(known[0] if factor is None else factor for factor in factors) if known else None


def proportion(value: object, gradient: object) -> float | None:
    """The number by which ``gradient`` must be multiplied to give ``value``; None if there is none but 0."""
    if gradient is None or value is None:
        return None
    one, other = np.asarray(value), np.asarray(gradient)
    if one.shape != other.shape and without_ones(one.shape) != without_ones(other.shape):
        return None
    if one.dtype.kind == "c" or other.dtype.kind == "c":  # equal up to a real factor: as pairs of real numbers
        one, other = (np.stack([x.real, x.imag]) for x in (one, other))
    one, other = np.asarray(one, dtype=float).ravel(), np.asarray(other, dtype=float).ravel()
    with np.errstate(all="ignore"):
        square = float(other @ other)
        factor = float(one @ other) / square if square > 0 else 0.0
        if factor == 0 or not np.isfinite(factor):
            return None
        error = float(np.max(np.abs(one - factor * other), initial=0.0))
        size = float(np.max(np.abs(one), initial=0.0))
    return factor if error <= 1e-7 * size else None


def is_gradient(match: Match | None) -> bool:
    """Whether a node is recognised as a whole gradient, with a factor that has a name."""
    return match is not None and match.candidate.sort is Sort.FULL and match.scale.rank <= 3
