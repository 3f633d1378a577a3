"""The values of the look-up arrays that definitions mention and the program does not compute.

<out>.argmax, <out>.argmin     where the largest and smallest entries are
<mask>.where0, <mask>.where1   the places where a mask is true
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tracer.ops.axes import Operand
from tracer.ops.reductions import reduced


def auxiliary(
    op: str, output: str, operands: Sequence[Any], arguments: Mapping[str, Any]
) -> dict[str, np.ndarray[Any, Any]]:
    """The look-up arrays of one operation, for the values that its operands carry.

    Args:
        op, output, operands, arguments: as for `define`; operands must carry their values.

    Returns:
        Whole number arrays by name; empty for an operation that needs none.
    """
    if op in ("max", "amax", "min", "amin"):
        what = "argmax" if op in ("max", "amax") else "argmin"
        return _extremes(np.asarray(operands[0].value), what, output, dict(arguments))
    if op in ("getitem", "setitem", "add_at"):
        found: dict[str, np.ndarray[Any, Any]] = {}
        items = operands[1] if isinstance(operands[1], tuple) else (operands[1],)
        for item in items:
            if isinstance(item, Operand) and item.boolean:
                for d, places in enumerate(np.nonzero(np.asarray(item.value))):
                    found[f"{item.name}.where{d}"] = places
        return found
    return {}


def _extremes(
    x: np.ndarray[Any, Any], what: str, output: str, arguments: dict[str, Any]
) -> dict[str, np.ndarray[Any, Any]]:
    over = reduced(x.ndim, arguments.get("axis"))
    kept = [p for p in range(x.ndim) if p not in over]
    moved = np.transpose(x, (*kept, *over))
    flat = moved.reshape((*[x.shape[p] for p in kept], -1))
    place = getattr(np, what)(flat.real if flat.dtype.kind == "c" else flat, axis=-1)
    places = np.unravel_index(place, [x.shape[p] for p in over])
    if arguments.get("keepdims"):
        places = tuple(np.expand_dims(p, over) for p in places)
    running = [p for p, position in zip(places, over, strict=True) if x.shape[position] != 1]
    if len(running) == 1:
        return {f"{output}.{what}": running[0]}
    return {f"{output}.{what}{n}": p for n, p in enumerate(running)}
