"""The values of the arrays that definitions mention and the program does not compute.

<out>.argmax, <out>.argmin     where the largest and smallest entries are
<mask>.where0, <mask>.where1   the places where a mask is true
<out>.picked0, <out>.picked1   the places along each axis that are written in an index, as in X[:, [0, 2]]
<array>.value                  the array itself, where no derivative passes through it

Others are described in the room of the row that mentions them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tracer.calculus.complex_values import conjugate_of, is_complex
from tracer.calculus.linearised import value_of
from tracer.ops.axes import Operand
from tracer.ops.indexing import along
from tracer.ops.selection import PICKED, lists_in
from tracer.ops.table import LOOK_UPS, by_name


def auxiliary(
    op: str, output: str, operands: Sequence[Any], arguments: Mapping[str, Any]
) -> dict[str, np.ndarray[Any, Any]]:
    """The look-up arrays of one operation, for the values that its operands carry.

    Args:
        op, output, operands, arguments: as for `define`; operands must carry their values.

    Returns:
        Arrays by name; empty for an operation that needs none.
    """
    find = LOOK_UPS.get(op)
    return {} if find is None else find(output, operands, arguments)


def held_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of arrays, each once more under the name of its value held fixed; of complex ones the conjugates too."""
    mirrored = {conjugate_of(name): np.conj(value) for name, value in values.items() if is_complex(name)}
    plain = {**values, **mirrored}
    return {**plain, **{value_of(name): value for name, value in plain.items()}}


def places_in_index(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """Where the masks in an index are true, and the places that are written in it."""
    found: dict[str, Any] = {f"{output}{PICKED}{k}": v for k, v in lists_in(operands[0], operands[1]).items()}
    items = operands[1] if isinstance(operands[1], tuple) else (operands[1],)
    for item in items:
        if isinstance(item, Operand) and item.boolean:
            for d, places in enumerate(np.nonzero(np.asarray(item.value))):
                found[f"{item.name}.where{d}"] = places
    return found


for _op in ("getitem", "setitem", "add_at"):
    LOOK_UPS[_op] = places_in_index


def places_taken(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The same of ``np.take``."""
    given = by_name("X indices axis", operands, arguments)
    return places_in_index(output, (given["X"], along(given["X"], given["indices"], given.get("axis"))), {})


LOOK_UPS["take"] = places_taken
