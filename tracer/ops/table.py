"""The table of operations, and the definition of an array from its operation and operands.

A row is a function that writes one entry of the result; its docstring is the formula.  In come the
canonical name of an operation and its operands, out goes a `Definition`.  Invariant: a definition says
what NumPy computes, for all sizes of the axes that are not one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeVar

from msgspec import Struct

from tracer.calculus import contract
from tracer.calculus.terms import Definition, Expr, Index
from tracer.ops.axes import AxisTable, Operand, broadcast
from tracer.ops.settling import settle, settle_index
from tracer.ops.writing import Form, Later, NoFormula, number

#: What a row gives: the indices of the entry of the result, and the entry.
Row = tuple[tuple[Index | int, ...], Form]
#: The same, where the entry is written when it is asked for.
LaterRow = tuple[tuple[Index | int, ...], Later]
_Write = TypeVar("_Write", bound=Callable[..., Row | LaterRow])


class Operation(Struct, frozen=True):
    """One row of the table."""

    names: tuple[str, ...]
    formula: str
    write: Callable[..., Row | LaterRow]
    takes: frozenset[str]
    any_keyword: bool


OPERATIONS: dict[str, Operation] = {}


def operation(*names: str) -> Callable[[_Write], _Write]:
    """Enter a row under its canonical names.

    The function gets the operands, the arguments by keyword, and ``out``, the operand that is the result,
    if it has a parameter of that name.
    """

    def enter(write: _Write) -> _Write:
        row = _row(names, write)
        for name in names:
            if name in OPERATIONS:
                raise ValueError(f"{name} stands in the table already")
            OPERATIONS[name] = row
        return write

    return enter


def _row(names: tuple[str, ...], write: Callable[..., Row | LaterRow]) -> Operation:
    parameters = inspect.signature(write).parameters
    several = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return Operation(names, inspect.getdoc(write) or "", write, frozenset(parameters), several)


def elementwise(*names: str) -> Callable[[Callable[..., Form]], Callable[..., Form]]:
    """Enter a row that is the same scalar formula at every position, with NumPy's broadcasting."""

    def enter(write: Callable[..., Form]) -> Callable[..., Form]:
        def at_every_position(*operands: Any, out: Operand) -> Row:
            arrays = [o for o in operands if isinstance(o, Operand)]
            index = broadcast(*(a.axes for a in arrays), table=out.table)
            if len(index) < out.ndim:
                index = (0,) * (out.ndim - len(index)) + index
            return index, write(
                *(
                    o[index] if isinstance(o, Operand) else None if o is None else number(o)
                    for o in operands
                )
            )

        at_every_position.__doc__ = write.__doc__
        operation(*names)(at_every_position)
        if len(inspect.signature(write).parameters) == 2:
            _enter_outer(names, write)
        return write

    return enter


def _enter_outer(names: tuple[str, ...], write: Callable[..., Form]) -> None:
    """Enter the row of ``np.add.outer`` and the like: the same formula of each entry of the one with each of the other."""

    def of_each_pair(a: Any, b: Any, *, out: Operand) -> Row:
        index = tuple(x.indices() if isinstance(x, Operand) else () for x in (a, b))
        entries = (x[i] if isinstance(x, Operand) else number(x) for x, i in zip((a, b), index, strict=True))
        return index[0] + index[1], write(*entries)

    of_each_pair.__doc__ = f"{write.__doc__}, for each entry of a with each of b: out[i, j]"
    if all("." not in name for name in names):
        operation(*(f"{name}.outer" for name in names))(of_each_pair)


#: The values of look-up arrays: from the name of the result, operands with values, and arguments.
LookUp = Callable[[str, Sequence[Any], Mapping[str, Any]], dict[str, Any]]

#: How the look-up arrays of an operation get their values, by its name.
LOOK_UPS: dict[str, LookUp] = {}


def looked_up(*names: str) -> Callable[[LookUp], LookUp]:
    """Enter how the arrays that a row mentions and the program does not compute get their values.

    The function gets the name of the result, the operands with their values, and the arguments by keyword;
    it gives arrays by name, each called ``<out>.<what>``.
    """

    def enter(find: LookUp) -> LookUp:
        for name in names:
            if name in LOOK_UPS:
                raise ValueError(f"the look-ups of {name} stand in the table already")
            LOOK_UPS[name] = find
        return find

    return enter


def by_name(names: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Operands and keyword arguments together, under the names of NumPy's parameters; an axis is a whole number."""
    given = {**dict(zip(names.split(), operands, strict=False)), **arguments}
    axis = given.get("axis")
    return {**given, "axis": int(axis)} if isinstance(axis, Fraction) else given


#: Operations whose row holds for complex numbers as it stands.
SAME_FOR_COMPLEX: set[str] = set()
#: The rows of operations that are written anew for complex operands.
FOR_COMPLEX: dict[str, Callable[..., Row]] = {}


def same_for_complex(*names: str) -> None:
    """Say that the rows of operations hold for complex operands and results."""
    SAME_FOR_COMPLEX.update(names)


#: Keyword arguments that say how a result is computed, and not what it is.
_WITHOUT_EFFECT = frozenset({"optimize", "casting", "subok", "order", "copy", "device", "like", "kind", "stable"})
#: Operations that have no derivative to show, and why.
UNDIFFERENTIABLE: dict[str, str] = {}


def undifferentiable(reason: str, *names: str) -> None:
    """Say why operations have no row; the reader sees the reason."""
    for name in names:
        if name in OPERATIONS or name in UNDIFFERENTIABLE:
            raise ValueError(f"{name} stands in the table already")
        UNDIFFERENTIABLE[name] = reason


def define(
    op: str,
    output: str,
    operands: Sequence[Any],
    arguments: Mapping[str, Any],
    table: AxisTable,
    output_shape: tuple[int, ...],
    dtype: str = "float64",
    axes_only: bool = False,
) -> Definition:
    """What the result of an operation is, entry by entry.

    Args:
        op: canonical name of the operation.
        output: name of the array that is defined.
        operands: `Operand` for arrays and scalars with a name, `Fraction` for numbers, other constants and
            tuples of these as they are; an index is an int, a slice, None, Ellipsis, an operand, or a tuple.
        arguments: keyword arguments in canonical form.
        table: the axes; what the rule says about equal axes is entered into it, so that after one
            pass over all operations a second one gives formulas in which equal axes are the same one.
        output_shape: the shape of the result in the recorded run.
        dtype: the type of its entries.
        axes_only: whether only the axes are asked for, as in a first pass: then there is no formula.

    Raises:
        NoFormula: if the operation, or this way of using it, has no row.
    """
    row = OPERATIONS.get(op)
    if row is None:
        raise NoFormula(op, UNDIFFERENTIABLE.get(op, "there is no formula for this operation"))
    out = table.operand(output, output_shape, dtype=dtype)
    if dtype.startswith("complex") or any(_is_complex(a) for a in _items((*operands, *arguments.values()))):
        row = _for_complex(row, op, operands)
    given = {k: v for k, v in arguments.items() if k in row.takes or not _is_idle(k, v)}
    if "out" in row.takes:
        given["out"] = out
    if not row.any_keyword and not row.takes.issuperset(given):
        raise NoFormula(op, f"no formula with the arguments {', '.join(sorted(set(given) - row.takes))}")
    try:
        free, written = _written(row, op, operands, given, axes_only)
        free = _match(op, free, out)
    except NoFormula:
        if not _is_empty_by_its_shape(operands, arguments, output_shape):
            raise
        return Definition(output, out.indices(), ())
    settled = settle(contract(written), table)
    return Definition(output, tuple(settle_index(i, table) for i in free), settled)


def _for_complex(row: Operation, op: str, operands: Sequence[Any]) -> Operation:
    """The row of an operation of complex numbers, or on real ones with a complex result.

    Raises:
        NoFormula: if it compares them, or is written for real ones only.
    """
    write = FOR_COMPLEX.get(op)
    if write is not None and any(map(_is_complex, _items(operands))):
        return _row((op,), write)
    if op not in SAME_FOR_COMPLEX and write is None and not op.startswith("fft."):
        raise NoFormula(op, "its formula is one of real numbers, and these are complex")
    return row


def _is_complex(item: Any) -> bool:
    return isinstance(item, complex) or (isinstance(item, Operand) and item.complex)


def _items(given: Sequence[Any]) -> list[Any]:
    """The operands, and those that stand in tuples among them."""
    return [part for a in given for part in (_items(a) if isinstance(a, (tuple, list)) else (a,))]


def _is_idle(keyword: str, value: Any) -> bool:
    """Whether a keyword argument does not change what a result is but for rounding."""
    return keyword in _WITHOUT_EFFECT or (keyword == "dtype" and str(value).startswith(("float", "complex")))


def _written(
    row: Operation, op: str, operands: Sequence[Any], given: Mapping[str, Any], axes_only: bool
) -> tuple[tuple[Index | int, ...], Expr]:
    """What a row of the table says of these operands; without the formula if only the axes are asked for."""
    try:
        free, written = row.write(*operands, **given)
        return free, () if axes_only else written.expr
    except NoFormula as reason:
        raise NoFormula(op, reason.reason) from reason
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise NoFormula(op, f"no formula for arguments of this form ({error})") from error


def _is_empty_by_its_shape(
    operands: Sequence[Any], arguments: Mapping[str, Any], output_shape: tuple[int, ...]
) -> bool:
    """Whether the result has no entries for any numbers, as the differences of a single one.

    What a mask selects, and what was made from it, has entries with other numbers.
    """
    items = [part for a in (*operands, *arguments.values()) for part in (a if isinstance(a, tuple) else (a,))]
    arrays = [a for a in items if isinstance(a, Operand)]
    return 0 in output_shape and not any(a.boolean or 0 in a.shape for a in arrays)


def _match(op: str, free: tuple[Index | int, ...], out: Operand) -> tuple[Index | int, ...]:
    """Unite the axes of the result with the indices of the formula, and check their number and sizes."""
    if len(free) != out.ndim:
        raise NoFormula(op, f"the formula has {len(free)} axes and the result {out.ndim}")
    for index, axis in zip(free, out.axes, strict=True):
        if isinstance(index, Index) != (axis is not None):
            raise NoFormula(op, f"other axes have the size one than in the result, of shape {out.shape}")
        if isinstance(index, Index) and axis is not None:
            out.table.unite(index.axis, axis)
    return free
