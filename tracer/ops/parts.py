"""Functions that give several arrays at once: each part has its own formula.

In comes the number of the part, the name of the function and its operands; out goes the row of that part.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tracer.ops.axes import Operand
from tracer.ops.linear_algebra import eigh, lstsq, parts_looked_up, qr, slogdet, svd
from tracer.ops.reductions import whole
from tracer.ops.signals import one_of
from tracer.ops.table import OPERATIONS, Row, looked_up, operation
from tracer.ops.writing import NoFormula

#: The rows of the functions that give several arrays; they get ``part`` and ``out`` by keyword.
PARTS: dict[str, Callable[..., Row]] = {
    "meshgrid": one_of,
    "linalg.eigh": eigh,
    "linalg.slogdet": slogdet,
    "linalg.svd": svd,
    "linalg.qr": qr,
    "linalg.lstsq": lstsq,
}


@operation("part_of")
def part_of(part: Any, name: str, *operands: Any, out: Operand, **arguments: Any) -> Row:
    """out = one of the arrays that a function gives, such as the Q of a QR decomposition"""
    if name not in PARTS:
        raise NoFormula("part_of", f"there is no formula for the parts of {name}")
    return PARTS[name](*operands, part=whole(part), out=out, **arguments)


def statement(op: str, operands: Sequence[Any]) -> str:
    """The formula that a row states, such as the equation that defines an inverse; ``""`` if there is no row."""
    if op == "part_of" and len(operands) > 1 and operands[1] in PARTS:
        return inspect.getdoc(PARTS[operands[1]]) or ""
    row = OPERATIONS.get(op)
    return "" if row is None else row.formula


@looked_up("part_of")
def of_parts(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays that the formulas of parts mention."""
    return parts_looked_up(output, operands[1], operands[2:])
