"""Functions that give several arrays at once: each part has its own formula.

In comes the number of the part, the name of the function and its operands; out goes the row of that part.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tracer.ops.axes import Operand, broadcast
from tracer.ops.decompositions import decomposed, qr, svd
from tracer.ops.differences import gradient, neighbours_of
from tracer.ops.eigenvalues import eig, eigh
from tracer.ops.linear_systems import inverses, lstsq, normal_equations, slogdet
from tracer.ops.reductions import axis_at, whole
from tracer.ops.repeating import split
from tracer.ops.scalar_functions import mantissa, quotient_and_rest, rounded_parts, whole_and_rest
from tracer.ops.signals import one_of
from tracer.ops.table import (
    FOR_COMPLEX,
    OPERATIONS,
    UNDIFFERENTIABLE,
    Row,
    looked_up,
    operation,
    same_for_complex,
)
from tracer.ops.writing import NoFormula


def one_broadcast(*arrays: Operand, part: int, out: Operand) -> Row:
    """out[i, j] = X[j], one of the arrays of ``np.broadcast_arrays``"""
    index = broadcast(*(a.axes for a in arrays), table=out.table)
    return index, arrays[part][index]


def unstacked(X: Operand, *, part: int, out: Operand, axis: Any = 0) -> Row:
    """out[i] = X[k, i], one of the arrays of ``np.unstack``"""
    position, free = axis_at(axis, X.ndim), list(X.indices())
    at = [*free[:position], part if X.shape[position] > 1 else 0, *free[position + 1 :]]
    return tuple(free[:position] + free[position + 1 :]), X.at(*at)


def deep_part(X: Operand, sections: Any, *, part: int, out: Operand) -> Row:
    """out[i, j, k] = X[i, j, k + start], one of the arrays of ``np.dsplit``"""
    return split(X, sections, 2, part, out=out)


#: The rows of the functions that give several arrays; they get ``part`` and ``out`` by keyword.
PARTS: dict[str, Callable[..., Row]] = {
    "meshgrid": one_of,
    "broadcast_arrays": one_broadcast,
    "unstack": unstacked,
    "dsplit": deep_part,
    "gradient": gradient,
    "divmod": quotient_and_rest,
    "modf": whole_and_rest,
    "frexp": mantissa,
    "linalg.eig": eig,
    "linalg.eigh": eigh,
    "linalg.slogdet": slogdet,
    "linalg.svd": svd,
    "linalg.qr": qr,
    "linalg.lstsq": lstsq,
}

#: Those of which not every part is written for complex numbers too.
_OF_REAL_NUMBERS = frozenset(("divmod", "modf", "frexp"))


@operation("part_of")
def part_of(part: Any, name: str, *operands: Any, out: Operand, **arguments: Any) -> Row:
    """out = one of the arrays that a function gives, such as the Q of a QR decomposition"""
    if name not in PARTS:
        raise NoFormula("part_of", UNDIFFERENTIABLE.get(name, f"there is no formula for the parts of {name}"))
    if name in _OF_REAL_NUMBERS and any(isinstance(o, Operand) and o.complex for o in (*operands, out)):
        raise NoFormula(name, "its formula is one of real numbers, and these are complex")
    return PARTS[name](*operands, part=whole(part), out=out, **arguments)


def statement(op: str, operands: Sequence[Any], of_complex: bool = False) -> str:
    """The formula that a row states, such as the equation that defines an inverse; ``""`` if there is no row.

    Arguments:
        of_complex: whether an operand is complex: some operations have a row of their own then.
    """
    if of_complex and op in FOR_COMPLEX:
        return inspect.getdoc(FOR_COMPLEX[op]) or ""
    if op == "part_of" and len(operands) > 1 and operands[1] in PARTS:
        return inspect.getdoc(PARTS[operands[1]]) or ""
    row = OPERATIONS.get(op)
    return "" if row is None else row.formula


@looked_up("part_of")
def of_parts(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays that the formulas of parts mention."""
    part, name, *arrays = operands
    if name == "gradient":
        return neighbours_of(output, arrays, arguments, whole(part))
    if name in ("divmod", "modf", "frexp"):
        return rounded_parts(output, name, arrays)
    if name == "linalg.slogdet":
        return inverses(output, arrays, {})
    if name == "linalg.lstsq":
        return normal_equations(output, arrays, {})
    return (
        decomposed(output, name, arrays, arguments, whole(part))
        if name in ("linalg.eig", "linalg.eigh", "linalg.svd", "linalg.qr")
        else {}
    )


same_for_complex("part_of")
