"""Numeric vector-Jacobian products of operations that only move entries about.

Comes in: an operation whose result holds copies of its operands' entries (indexing, reshaping, stacking,
padding…).  The operation itself is asked where each entry went: it is applied to the positions instead
of the values.  That gives the exact numbers, but no formula, so gradients that pass here are at most
*checked*.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.tape.functions import resolve
from tracer.tape.node import Node, Ref
from tracer.tape.tape import references

MOVES_ENTRIES = frozenset(
    "getitem take_flat reshape transpose swapaxes expand_dims squeeze broadcast_to tile repeat flip roll "
    "concatenate vstack hstack stack column_stack c_ r_ array copy pad diag diagonal tril triu take".split()
)
WRITES_ENTRIES = frozenset(("setitem", "put_flat"))


def moved_entries(node: Node, operand: int, values: list[Any], adjoint: NDArray[Any]) -> NDArray[Any] | None:
    """The contribution of ``node`` to the adjoint of ``operand``; None if the operation does more than move."""
    if operand not in references(node.args):
        return None
    shape = np.shape(values[operand])
    size = int(np.prod(shape, dtype=int))
    positions = np.arange(1, size + 1).reshape(shape)
    if node.op in MOVES_ENTRIES:
        moved = np.asarray(_apply(node, operand, values, positions, 0)).astype(int)
        if not _are_copies(moved, values[operand], values[node.id]):
            return None
        incoming = _numbers(adjoint)
        gradient = np.zeros(size + 1, dtype=incoming.dtype)
        np.add.at(gradient, np.broadcast_to(moved, incoming.shape).ravel(), incoming.ravel())
        return gradient[1:].reshape(shape)
    if node.op in WRITES_ENTRIES and isinstance(node.args[0], Ref):
        if operand == node.args[0].node:
            kept = np.asarray(_apply(node, operand, values, positions, 0))
            return np.where(kept > 0, adjoint, 0.0)
        base = np.zeros(np.shape(values[node.args[0].node]), dtype=int)
        written = np.asarray(_apply(node, operand, values, positions, 0, base=base)).astype(int)
        if not _are_copies(written, values[operand], values[node.id]):
            return None
        incoming = _numbers(adjoint)
        gradient = np.zeros(size + 1, dtype=incoming.dtype)
        np.add.at(gradient, written.ravel(), incoming.ravel())
        return gradient[1:].reshape(shape)
    return None


def _are_copies(moved: NDArray[Any], operand: Any, result: Any) -> bool:
    """Whether the entries of a result are those of an operand that stand at the positions, wherever one is given.

    What a mean is put around an array has a position too, of no meaning.
    """
    found, given = np.broadcast_to(moved, np.shape(result)), np.ravel(operand)
    there = found > 0
    if not np.any(there):
        return True
    places = found[there] - 1
    return bool(np.max(places) < given.size) and np.array_equal(given[places], np.asarray(result)[there], equal_nan=True)


def _numbers(adjoint: NDArray[Any]) -> NDArray[Any]:
    """An adjoint as real numbers, or complex ones."""
    given = np.asarray(adjoint)
    return np.asarray(given, dtype=complex if given.dtype.kind == "c" else float)


def _apply(
    node: Node,
    operand: int,
    values: list[Any],
    positions: NDArray[Any],
    other: int,
    base: NDArray[Any] | None = None,
) -> Any:
    """Apply the operation to positions in the place of ``operand`` and to ``other`` for all other real operands."""

    from tracer.tape.tape import substitute

    def plain(argument: Any, first: bool = False) -> Any:
        if isinstance(argument, Ref):
            value = values[argument.node]
            if argument.node == operand:
                return positions
            if first and base is not None:
                return base
            if np.asarray(value).dtype.kind in "fc" or node.op in _JOINING:  # whole numbers too, if they are entries
                return np.full(np.shape(value), other)
            return value
        if isinstance(argument, tuple | list):
            return type(argument)(plain(item) for item in argument)
        given = substitute(argument, values)
        if node.op not in _JOINING or isinstance(given, str):
            return given
        return np.full(np.shape(np.r_[given]) if isinstance(given, slice) else (), other)

    arguments = tuple(
        plain(a, first=k == 0) if k != 1 or node.op not in _INDEXED else substitute(a, values)
        for k, a in enumerate(node.args)
    )
    return resolve(node.op)(*arguments, **{k: substitute(v, values) for k, v in node.kwargs.items()})


#: Operations of which all arguments by place are entries.
_JOINING = frozenset("concatenate vstack hstack stack column_stack c_ r_ array".split())
_INDEXED = frozenset(("getitem", "setitem", "take_flat", "put_flat", "take"))
