"""Where in the memory of one array another one lies.

In: an array and a view of it that no recorded operation made.  Out: the plain operation that gives the view, or the
positions of its entries.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def simple_index(root: np.ndarray, view: np.ndarray) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
    """The plain operation that gives ``view`` from ``root``: a row, a transpose or a reshape."""
    if view.dtype != root.dtype or root.ndim == 0:
        return None
    offset = view.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    if (
        offset == 0
        and view.shape == root.shape[::-1]
        and view.strides == root.strides[::-1]
        and root.ndim > 1
    ):
        return "transpose", (), {"axes": None}
    if view.shape == root.shape[1:] and view.strides == root.strides[1:] and root.strides[0]:
        row, rest = divmod(offset, root.strides[0])
        if rest == 0 and 0 <= row < root.shape[0]:
            return "getitem", (int(row),), {}
    both = root.flags.c_contiguous and view.flags.c_contiguous
    if offset == 0 and view.size == root.size and both:
        return "reshape", (), {"shape": tuple(view.shape)}
    return None


def flat_positions(root: np.ndarray, view: np.ndarray) -> np.ndarray | None:
    """Positions in ``root`` (C order) of the entries that ``view`` shows; ``None`` if it shows others too."""
    size = root.dtype.itemsize
    if view.dtype.itemsize != size or root.size == 0 or view.size == 0:
        return None
    bounds = np.lib.array_utils.byte_bounds if hasattr(np.lib, "array_utils") else np.byte_bounds  # type: ignore[attr-defined]
    low, high = bounds(root)
    view_low, view_high = bounds(view)
    offset = view.__array_interface__["data"][0] - low
    if (
        view_low < low
        or view_high > high
        or offset % size
        or any(s % size for s in (*view.strides, *root.strides))
    ):
        return None
    memory = np.full((high - low) // size, -1, np.intp)
    start = (root.__array_interface__["data"][0] - low) // size
    strided = np.lib.stride_tricks.as_strided
    scale = memory.itemsize

    def shown(first: int, array: np.ndarray) -> np.ndarray:
        return strided(memory[first:], array.shape, tuple(s // size * scale for s in array.strides))

    shown(start, root)[...] = np.arange(root.size).reshape(root.shape)
    positions = shown(offset // size, view).copy()
    return None if (positions < 0).any() else positions


def index_of(array: np.ndarray, entry: Any) -> tuple[int, ...] | None:
    """The index of the entry of ``array`` that an array without axes, or a record, shows; ``None`` if it shows a copy."""
    offset = entry.__array_interface__["data"][0] - array.__array_interface__["data"][0]
    found = []
    for at in sorted(range(array.ndim), key=lambda k: -abs(array.strides[k])):
        stride = array.strides[at]
        step = offset // stride if stride else 0
        offset -= step * stride
        found.append((at, int(step)))
    if offset or any(not 0 <= step < array.shape[at] for at, step in found):
        return None
    return tuple(step for _, step in sorted(found))
