"""Short numeric fingerprints of arrays, and an index that finds equal arrays up to a factor.

Comes in: the values of one node on several replays.  Goes out: a `Fingerprint`, which is the same
for two arrays exactly if they differ by a constant factor, an axis of size one, or an axis along
which both are constant.  Invariant: a look-up never compares arrays, only fingerprints, so its cost
does not grow with the arrays; what it finds is still only a candidate for a proof.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterable
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


class Fingerprint(Struct, frozen=True):
    """Norm, number of entries and three Gaussian projections of the normalised value, one row a replay."""

    norms: tuple[float, ...]
    sizes: tuple[int, ...]
    projections: NDArray[np.float64]

    @property
    def key(self) -> float:
        return abs(float(self.projections[0, 0]))


@lru_cache(maxsize=512)
def _gaussian(size: int) -> NDArray[np.float64]:
    return np.random.default_rng(size + 20011).standard_normal((_PROJECTIONS, size))


def squeeze(value: Any) -> NDArray[np.float64]:
    """Drop the axes of size one and those along which the array is constant."""
    array = np.asarray(value, dtype=float)
    for axis in reversed(range(array.ndim)):
        if array.shape[axis] == 1 or (array.size and bool((array == array.take([0], axis)).all())):
            array = array.take(0, axis)
    return array


def fingerprint(values: list[Any], transposed: bool = False) -> Fingerprint | None:
    """The fingerprint of one quantity on several replays; None if it is zero or not finite anywhere."""
    norms: list[float] = []
    sizes: list[int] = []
    rows: list[NDArray[np.float64]] = []
    for value in values:
        array = squeeze(value)
        flat = np.ascontiguousarray(array.T if transposed else array).reshape(-1)
        norm = float(np.sqrt(np.einsum("i,i->", flat, flat)))
        if not np.isfinite(norm) or norm < 1e-150:
            return None
        norms.append(norm)
        sizes.append(flat.size)
        # Not a matrix product: threads of a linear algebra library cost more than they bring here.
        rows.append(np.einsum("ij,j->i", _gaussian(flat.size), flat / norm))
    return Fingerprint(tuple(norms), tuple(sizes), np.array(rows))


def factors(found: Fingerprint, reference: Fingerprint) -> tuple[tuple[float, ...], float] | None:
    """The factor of ``found`` over ``reference`` on each replay, and the error; None if they differ."""
    if found.sizes != reference.sizes:
        return None
    signs = np.sign(np.sum(found.projections * reference.projections, axis=1))
    error = float(np.abs(found.projections * signs[:, None] - reference.projections).max())
    if not error < TOLERANCE:
        return None
    scale = tuple(float(s * a / b) for s, a, b in zip(signs, found.norms, reference.norms, strict=True))
    return scale, error


@dataclass
class FingerprintIndex(Generic[_T]):
    """Finds the entries whose fingerprint is that of a given array, up to a factor."""

    _entries: list[tuple[float, int, Fingerprint, _T]] = field(default_factory=list)
    _scalars: dict[int, list[tuple[Fingerprint, _T]]] = field(default_factory=dict)

    def add(self, print_: Fingerprint, item: _T) -> None:
        if set(print_.sizes) == {1}:
            self._scalars.setdefault(_bucket(print_.norms[0]), []).append((print_, item))
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
        if set(wanted.sizes) == {1}:
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
        sizes = [wanted.norms[0] / abs(f) for f in by if f and math.isfinite(f)]
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
