"""Short numeric fingerprints of arrays, and an index that finds equal arrays up to a factor.

Comes in: the values of one node on several replays.  Goes out: a `Fingerprint`, which is the same
for two arrays exactly if they differ by a constant factor, an axis of size one, or an axis along
which both are constant.  Invariant: a look-up never compares arrays, only fingerprints, so its cost
does not grow with the arrays; what it finds is still only a candidate for a proof.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

#: Two fingerprints agree if their projections differ by less than this (right ones differ by ~1e-15).
TOLERANCE = 1e-8
_PROJECTIONS = 3
#: So many entries are compared one by one, more of them at once.
_FEW = 4
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
    """Drop the axes of size one and those along which the array is constant.

    Complex numbers are pairs of real ones along an axis of their own, so that none is taken for a real one.
    """
    array = np.asarray(value)
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], axis=-1)
    array = np.asarray(array, dtype=float)
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
    if isinstance(value, float) or (np.ndim(value) == 0 and not np.iscomplexobj(value)):
        return _of_number(float(value))
    flat = np.ascontiguousarray(squeeze(value)).reshape(-1)
    # Not a matrix product: threads of a linear algebra library cost more than they bring here.
    norm = math.sqrt(float(np.einsum("i,i->", flat, flat)))
    if not 1e-150 <= norm < math.inf:
        return None
    return Print(norm, flat.size, np.einsum("ij,j->i", _gaussian(flat.size), flat) / norm)


_UNIT = _gaussian(1)[:, 0]


def _of_number(value: float) -> Print | None:
    """The print of a number: its size, and its sign."""
    if not 1e-150 <= abs(value) < math.inf:
        return None
    return Print(abs(value), 1, _UNIT if value > 0 else -_UNIT)


def factors(found: Fingerprint, reference: Fingerprint) -> tuple[tuple[float, ...], float] | None:
    """The factor of ``found`` over ``reference`` on each replay, and the error; None if they differ."""
    scale: list[float] = []
    error = 0.0
    for replay in range(len(found)):
        one, other = found.on(replay), reference.on(replay)
        if one is None or other is None or one.size != other.size:
            return None
        if one.size == 1:  # any two numbers are equal up to a factor
            same = (one.projections[0] > 0) == (other.projections[0] > 0)
            scale.append(one.norm / other.norm if same else -one.norm / other.norm)
            continue
        sign = float(np.sign(one.projections @ other.projections))
        error = max(error, float(np.abs(one.projections * sign - other.projections).max()))
        if not error < TOLERANCE:
            return None
        scale.append(sign * one.norm / other.norm)
    return tuple(scale), error


class FingerprintIndex(Generic[_T]):
    """Finds the entries whose fingerprint is that of a given array, up to a factor.

    Entries are only ever added; they are put in order when the next one is asked for, so that thousands of equal
    ones, as of a state that has settled after many steps of time, are compared at once.
    """

    def __init__(self) -> None:
        self._arrays: list[tuple[Fingerprint, _T]] = []
        self._scalars: dict[int, list[tuple[Fingerprint, _T]]] = {}
        self._ordered: _Ordered | None = None

    def add(self, print_: Fingerprint, item: _T) -> None:
        if print_.first.size == 1:
            self._scalars.setdefault(_bucket(print_.first.norm), []).append((print_, item))
            return
        self._arrays.append((print_, item))
        self._ordered = None

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
        if self._ordered is None:
            self._ordered = _Ordered([found for found, _ in self._arrays])
        return [(self._arrays[entry][1], scale, error) for entry, scale, error in self._ordered.equal_to(wanted)]

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


class _Ordered:
    """Fingerprints in the order of their keys, their numbers side by side."""

    def __init__(self, prints: Sequence[Fingerprint]) -> None:
        keys = np.array([p.key for p in prints])
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._prints = [prints[entry] for entry in self._order]
        #: For each replay that was asked for: the projections, norm and size of every entry, once it was read.
        self._read: dict[int, NDArray[np.float64]] = {}

    def equal_to(self, wanted: Fingerprint) -> list[tuple[int, tuple[float, ...], float]]:
        """The number of each equal entry, the factor on every replay, and the error."""
        low = int(np.searchsorted(self._keys, wanted.key - TOLERANCE))
        high = int(np.searchsorted(self._keys, wanted.key + TOLERANCE, side="right"))
        if high - low <= _FEW:
            compared = ((low + n, factors(wanted, p)) for n, p in enumerate(self._prints[low:high]))
            return [(int(self._order[place]), *equal) for place, equal in compared if equal is not None]
        left = np.arange(low, high)
        scales: list[NDArray[np.float64]] = []
        errors = np.zeros(len(left))
        for replay in range(len(wanted)):
            one = wanted.on(replay)
            if one is None:
                return []
            other = self._numbers(replay, left)
            projections = other[:, :_PROJECTIONS]
            signs = np.sign(projections @ one.projections)
            error = np.abs(signs[:, None] * one.projections - projections).max(axis=1)
            errors = np.maximum(errors, error)
            kept = (errors < TOLERANCE) & (other[:, -1] == one.size)
            scales = [s[kept] for s in (*scales, signs * one.norm / other[:, -2])]
            left, errors = left[kept], errors[kept]
        measured = np.array(scales).T.tolist()
        found = zip(self._order[left].tolist(), measured, errors.tolist(), strict=True)
        return [(entry, tuple(scale), error) for entry, scale, error in found]

    def _numbers(self, replay: int, entries: NDArray[np.intp]) -> NDArray[np.float64]:
        """The numbers of some entries on one replay, each read once; NaN where there is no print."""
        known = self._read.get(replay)
        if known is None:
            known = self._read[replay] = np.full((len(self._prints), _PROJECTIONS + 2), np.inf)
        for entry in entries[np.isinf(known[entries, -1])]:
            read = self._prints[entry].on(replay)
            known[entry] = np.nan if read is None else (*read.projections, read.norm, read.size)
        return known[entries]


def _bucket(size: float) -> int:
    """Numbers that differ by less than a millionth are in the same bucket, or in one beside it."""
    return math.floor(math.log(size) * 1e6)
