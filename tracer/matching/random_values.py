"""Random numbers in the place of others, of which they keep the pattern that a program may rely on.

Comes in: recorded numbers.  Goes out: others of the same shape, and what was kept of their pattern if a proof may
rest on it: shares that sum to 1, symmetry, zeros and ones.  Nothing here knows of tapes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: By how much shares that sum to 1 may miss it, also in single precision.
_ROUNDED = 1e-5
#: What keeps a logarithm from 0 is no larger than this beside other entries, and is made so much smaller.
_NEXT_TO_NOTHING, _SMALLER = 1e-6, 1e-40


def like_a_parameter(shape: tuple[int, ...], terms: int, positive: bool, rng: np.random.Generator) -> Any:
    """Numbers for a parameter.

    Arguments:
        terms: of how many products with it a sum is made; their sum shall be about one, so that nothing saturates.
        positive: whether it is never negative, as the memory of an optimiser.
    """
    if positive and shape:
        return rng.uniform(0.05, 1.0, shape)
    if shape == ():
        return float(rng.standard_normal())
    return rng.standard_normal(shape) * (terms**-0.5 if terms else 0.8)


def like_complex_numbers(value: NDArray[Any], free: bool, terms: int, rng: np.random.Generator) -> tuple[Any, str | None]:
    """Complex numbers in the place of others, and what was kept of their pattern unless they are ``free``."""
    shape, kept = value.shape, None
    drawn = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    if free or not value.size or not np.all(np.isfinite(value)):
        pass
    elif len(shape) == 2 and shape[0] == shape[1] > 1 and np.allclose(value, value.conj().T, rtol=1e-12, atol=0):
        drawn, kept = (drawn + drawn.conj().T) / 2, "entries are Hermitian"
    elif np.allclose(np.abs(value), 1, rtol=1e-12, atol=0):
        return drawn / np.abs(drawn) if shape else complex(drawn / abs(drawn)), "entries have the size 1"
    elif not np.any(value.imag):
        drawn, kept = drawn.real + 0j, "entries are real"
    return drawn * (terms or 1) ** -0.5 if shape else complex(drawn), kept


def like_a_setting(value: float, rng: np.random.Generator) -> float:
    """A number of the same sign; between 0 and 1, if it is."""
    if value == 0 or not np.isfinite(value):
        return value
    if 0 < value < 1:
        return float(rng.uniform(0.3, 0.7))
    return float(np.sign(value) * rng.uniform(1.2, 2.5))


def like_a_draw(value: NDArray[Any], rng: np.random.Generator) -> Any:
    """What the program itself draws: from between 0 and 1, if all of it is there, else from a normal distribution."""
    inside = bool(value.size) and float(value.min()) >= 0 and float(value.max()) <= 1
    drawn = rng.uniform(0, 1, value.shape) if inside else rng.standard_normal(value.shape)
    return drawn if value.shape else float(drawn)


def like_data(
    array: NDArray[np.float64], compared: bool, terms: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], str | None]:
    """New values for an array that no update changes, and what was kept of its pattern."""
    if array.size == 0 or not np.all(np.isfinite(array)):
        return array, None
    integral = bool(np.all(array == np.round(array))) and float(np.ptp(array)) > 0
    levels = set(np.unique(array).tolist()) if integral and array.size < 10**7 else set()
    if integral and compared:
        return array[rng.permutation(len(array))], None
    shares = _sums_to_one(array)
    if shares is not None:
        axis, which = shares
        weights = np.exp(rng.standard_normal(array.shape))
        return weights / weights.sum(axis=axis, keepdims=True), f"{which} sum to 1"
    if integral and levels <= {0.0, 1.0}:
        return rng.uniform(0.05, 0.95, array.shape), None
    if array.ndim == 2 and _are_shares(array, float(array.sum())):
        return _other_shares(array, rng)
    if integral and levels <= {-1.0, 1.0}:
        return np.where(rng.uniform(size=array.shape) < 0.5, -1.0, 1.0), None
    if _is_symmetric(array):
        return _other_symmetric(array, rng), "entries are symmetric"
    if _holds_symmetric_slices(array):
        return _other_slices(array, rng), "slices are symmetric"
    if float(array.min()) >= 0 and float(np.ptp(array)) > 0:
        return rng.uniform(0.05, 1.0, array.shape), None
    return rng.standard_normal(array.shape) * (terms**-0.5 if terms else 0.8), None


def _sums_to_one(array: NDArray[np.float64]) -> tuple[int, str] | None:
    """The axis along which an array holds shares of 1, such as labels, hard or smooth, and how that is said."""
    if array.ndim == 0 or float(array.min()) < 0:
        return None
    for axis, which in ((-1, "rows" if array.ndim > 1 else "entries"), (0, "columns")):
        several = array.shape[axis] > 1 and array.ndim <= 3 and (axis == -1 or array.ndim == 2)
        if several and bool(np.all(np.abs(array.sum(axis=axis) - 1) <= _ROUNDED)) and float(np.ptp(array)) > 0:
            return axis, which
    return None


def _are_shares(array: NDArray[np.float64], total: float) -> bool:
    """Whether entries that are not negative have the sum 1, as chances of pairs."""
    return float(array.min()) >= 0 and abs(total - 1) <= _ROUNDED and float(np.ptp(array)) > 0


def _other_shares(array: NDArray[np.float64], rng: np.random.Generator) -> tuple[NDArray[np.float64], str]:
    """Other shares of pairs; symmetric, and nothing for an element with itself, if it was so."""
    drawn = np.exp(rng.standard_normal(array.shape))
    if not _is_symmetric(array):
        return drawn / drawn.sum(), "entries sum to 1"
    drawn = drawn + drawn.T
    own = np.diagonal(array)
    if float(own.max()) > _NEXT_TO_NOTHING * float(array.max()):
        return drawn / drawn.sum(), "entries are symmetric and sum to 1"
    np.fill_diagonal(drawn, 0.0)
    drawn /= drawn.sum()
    np.fill_diagonal(drawn, own * _SMALLER)
    return drawn, "entries are symmetric, sum to 1 and are 0 on the diagonal"


def _is_symmetric(array: NDArray[np.float64]) -> bool:
    square = array.ndim == 2 and array.shape[0] == array.shape[1] > 1
    return square and bool(np.allclose(array, array.T, rtol=1e-12, atol=0)) and float(np.ptp(array)) > 0


def _other_symmetric(array: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Another symmetric matrix; of entries, or eigenvalues, that are not negative if those of the first are not."""
    other = rng.standard_normal(array.shape)
    if float(np.linalg.eigvalsh(array)[0]) >= -1e-9 * float(np.max(np.abs(array))):
        return np.asarray(other @ other.T / len(array))
    if float(array.min()) >= 0:
        other = rng.uniform(0.05, 1.0, array.shape)
    return (other + other.T) / 2


def _holds_symmetric_slices(array: NDArray[np.float64]) -> bool:
    """Whether an array is a symmetric matrix for each place along its last axis, as differences between all pairs are."""
    square = array.ndim == 3 and array.shape[0] == array.shape[1] > 1
    return square and bool(np.array_equal(array, array.swapaxes(0, 1))) and float(np.ptp(array)) > 0


def _other_slices(array: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Other symmetric slices; not negative, and 0 for an element with itself, if they were so."""
    positive = float(array.min()) >= 0
    other = rng.uniform(0.05, 1.0, array.shape) if positive else rng.standard_normal(array.shape)
    other = (other + other.swapaxes(0, 1)) / 2
    if not np.any(np.diagonal(array)):
        other[np.arange(len(array)), np.arange(len(array))] = 0.0
    return other


def are_indicators(array: NDArray[Any]) -> bool:
    """Whether an array holds zeros and ones, and both."""
    return bool(array.size) and bool(np.all((array == 0) | (array == 1))) and float(np.ptp(array)) > 0


def other_indicators(
    array: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], str]:
    """Other zeros and ones; one in each row, or in each column, if it was so."""
    for axis, which in ((1, "rows"), (0, "columns")):
        if array.ndim == 2 and array.shape[axis] > 1 and bool(np.all(array.sum(axis=axis) == 1)):
            return rng.permuted(array, axis=axis), f"{which} are one-hot"
    return rng.permutation(array.ravel()).reshape(array.shape), "entries are 0 or 1"


def stand_at(array: NDArray[Any], places: NDArray[Any]) -> str | None:
    """Where the ones of an array stand, if it has one in each row or column, as whole numbers tell; else None."""
    if array.ndim == 1 and places.shape == ():
        array, places, which = array[None], places[None], "entries"
    elif array.ndim == 2 and places.ndim == 1:
        which = "rows" if len(array) == len(places) else "columns"
        array = array if which == "rows" else array.T
    else:
        return None
    inside = array.shape == (len(places), array.shape[1]) and bool(np.all((places >= 0) & (places < array.shape[1])))
    one_hot = inside and bool(np.all(array.sum(axis=1) == 1))
    return which if one_hot and bool(np.all(array[np.arange(len(places)), places] == 1)) else None
