"""Short numeric fingerprints of arrays, and an index that finds equal arrays up to a factor.

Comes in: the values of one node on several replays.  Goes out: a `Fingerprint`, which is the same
for two arrays exactly if they differ by a constant factor, an axis of size one, or an axis along
which both are constant.  Invariant: a look-up never compares arrays, only fingerprints, so its cost
does not grow with the arrays; what it finds is still only a candidate for a proof.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

#: Two fingerprints agree if their projections differ by less than this (right ones differ by ~1e-15).
TOLERANCE = 1e-8
_PROJECTIONS = 3
_T = TypeVar("_T")


class Print(Struct, frozen=True):
    """Of a value on one replay: its norm, number of entries and three Gaussian projections of it normalised."""

    norm: float
    size: int
    projections: NDArray[np.float64]


class Fingerprint:
    """The prints of one quantity on several replays; those after the first are taken when they are asked for."""

    __slots__ = ("_prints", "_values")

    def __init__(self, values: Sequence[Any], first: Print) -> None:
        self._values = values
        self._prints: list[Print | None] = [first]

    def __len__(self) -> int:
        return len(self._values)

    @property
    def first(self) -> Print:
        found = self._prints[0]
        assert found is not None
        return found

    @property
    def key(self) -> float:
        return abs(float(self.first.projections[0]))

    def on(self, replay: int) -> Print | None:
        """The print on one replay; None where the value is zero or not finite."""
        while len(self._prints) <= replay:
            self._prints.append(_print(self._values[len(self._prints)]))
        return self._prints[replay]


@lru_cache(maxsize=512)
def _gaussian(size: int) -> NDArray[np.float64]:
    return np.random.default_rng(size + 20011).standard_normal((_PROJECTIONS, size))


def squeeze(value: Any) -> NDArray[np.float64]:
    """Drop the axes of size one and those along which the array is constant."""
    array = np.asarray(value, dtype=float)
    for axis in reversed(range(array.ndim)):
        first = array[(slice(None),) * axis + (slice(0, 1),)]
        if array.shape[axis] == 1 or (array.size and _is_constant(array, first, axis)):
            array = first[(slice(None),) * axis + (0,)]
    return array


def _is_constant(array: NDArray[np.float64], first: NDArray[np.float64], axis: int) -> bool:
    middle = tuple(n // 2 for n in array.shape)  # one entry of most arrays tells
    if array[middle] != first[(*middle[:axis], 0, *middle[axis + 1 :])]:
        return False
    return bool((array == first).all())


def fingerprint(values: Sequence[Any], transposed: bool = False) -> Fingerprint | None:
    """The fingerprint of one quantity on several replays; None if it is zero or not finite on the first.

    Arguments:
        values: one array a replay; read when they are needed.
        transposed: whether the fingerprint is that of the transposed arrays.
    """
    given = OnDemand(len(values), lambda r: np.transpose(values[r])) if transposed else values
    first = _print(given[0])
    return None if first is None else Fingerprint(given, first)


class OnDemand(Sequence[Any]):
    """The values of a quantity on ``count`` replays, each computed when it is asked for."""

    def __init__(self, count: int, of: Callable[[int], Any]) -> None:
        self._count, self._of = count, of

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, replay: Any) -> Any:
        return self._of(replay)


def _print(value: Any) -> Print | None:
    flat = np.ascontiguousarray(squeeze(value)).reshape(-1)
    # Not a matrix product: threads of a linear algebra library cost more than they bring here.
    norm = math.sqrt(float(np.einsum("i,i->", flat, flat)))
    if not 1e-150 <= norm < math.inf:
        return None
    return Print(norm, flat.size, np.einsum("ij,j->i", _gaussian(flat.size), flat) / norm)


def factors(found: Fingerprint, reference: Fingerprint) -> tuple[tuple[float, ...], float] | None:
    """The factor of ``found`` over ``reference`` on each replay, and the error; None if they differ."""
    scale: list[float] = []
    error = 0.0
    for replay in range(len(found)):
        one, other = found.on(replay), reference.on(replay)
        if one is None or other is None or one.size != other.size:
            return None
        sign = float(np.sign(one.projections @ other.projections))
        error = max(error, float(np.abs(one.projections * sign - other.projections).max()))
        if not error < TOLERANCE:
            return None
        scale.append(sign * one.norm / other.norm)
    return tuple(scale), error


@dataclass
class FingerprintIndex(Generic[_T]):
    """Finds the entries whose fingerprint is that of a given array, up to a factor."""

    _entries: list[tuple[float, int, Fingerprint, _T]] = field(default_factory=list)
    _scalars: dict[int, list[tuple[Fingerprint, _T]]] = field(default_factory=dict)

    def add(self, print_: Fingerprint, item: _T) -> None:
        if print_.first.size == 1:
            self._scalars.setdefault(_bucket(print_.first.norm), []).append((print_, item))
            return
        insort(self._entries, (print_.key, len(self._entries), print_, item), key=lambda e: (e[0], e[1]))

    def find(
        self, wanted: Fingerprint, factors_of_scalars: Iterable[float] = (1.0,)
    ) -> list[tuple[_T, tuple[float, ...], float]]:
        """Each hit with its factor on every replay (wanted = factor · item) and its error.

        Arguments:
            factors_of_scalars: any two numbers are equal up to a factor, so numbers are found only if they are
                equal up to one of these (on the first replay).
        """
        if wanted.first.size == 1:
            return self._find_scalars(wanted, factors_of_scalars)
        start = bisect_left(self._entries, wanted.key - TOLERANCE, key=lambda e: e[0])
        hits: list[tuple[_T, tuple[float, ...], float]] = []
        for position in range(start, len(self._entries)):
            key, _, reference, item = self._entries[position]
            if key > wanted.key + TOLERANCE:
                break
            equal = factors(wanted, reference)
            if equal is not None:
                hits.append((item, *equal))
        return hits

    def _find_scalars(
        self, wanted: Fingerprint, by: Iterable[float]
    ) -> list[tuple[_T, tuple[float, ...], float]]:
        sizes = [wanted.first.norm / abs(f) for f in by if f and math.isfinite(f)]
        buckets = {_bucket(size) + d for size in sizes if 0 < size < math.inf for d in (-1, 0, 1)}
        found = (pair for bucket in sorted(buckets) for pair in self._scalars.get(bucket, ()))
        hits: list[tuple[_T, tuple[float, ...], float]] = []
        for reference, item in found:
            equal = factors(wanted, reference)
            if equal is not None:
                hits.append((item, *equal))
        return hits


def _bucket(size: float) -> int:
    """Numbers that differ by less than a millionth are in the same bucket, or in one beside it."""
    return math.floor(math.log(size) * 1e6)
