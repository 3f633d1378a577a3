"""NumPy code in several statements, for gradients that put entries where other entries came from.

The gradient of a look-up ``E[y]`` adds rows to those positions again, that of a slice fills the slice:

    dE = np.zeros((V, D))
    np.add.at(dE, y, dH)

In: an expression, the axes of its result, names, the name of the result.  Out: statements.  Invariant:
no array that is read is changed; positions that may repeat are added with ``np.add.at``.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from tracer.calculus.complex_values import as_real_part, holds_complex
from tracer.calculus.printing.array_form import array_form
from tracer.calculus.printing.array_tree import (
    Along,
    Diagonal,
    Expanded,
    Named,
    Node,
    Picked,
    Place,
    Positions,
    Repeated,
    Reshaped,
    Slice,
    Transposed,
)
from tracer.calculus.printing.code import Binding, source
from tracer.calculus.printing.entries import in_brackets
from tracer.calculus.printing.leaves import entry_array
from tracer.calculus.printing.matrix_code import ArrayWriter
from tracer.calculus.printing.names import Names, NoForm, identifiers
from tracer.calculus.printing.open_grid import open_code
from tracer.calculus.printing.reading import arrays_of, indices_of_index
from tracer.calculus.terms import (
    Affine,
    Axes,
    Axis,
    Condition,
    Delta,
    Entry,
    Expr,
    Factor,
    Function,
    Index,
    IndexExpr,
    Mask,
    Size,
    Term,
)

_TARGET = "<target>"


def statements(expr: Expr, free: tuple[Index | int, ...], names: Names, target: str) -> str:
    """Statements that compute an expression and leave it in ``target``.

    Args:
        expr: the expression; its indices are those of ``free`` and its bound ones.
        free: the axes of the result; an integer stands for an axis of size one.
        names: Python texts and declared axes of arrays, texts of sizes.
        target: what the result is called.

    Raises:
        NoForm: a scalar function is not in NumPy, or a size has no name.
    """
    part = as_real_part(expr)
    if part is not None and any(_moves(term, free) for term in part):
        code = _statements(part, free, names, target)
        return f"{code}\n{target} = np.real({target})"
    try:
        return _statements(expr, free, names, target)
    except NoForm:
        code = open_code(expr, free, names)
        return code if target == "result" else f"{code}\n{target} = result"


def _statements(expr: Expr, free: tuple[Index | int, ...], names: Names, target: str) -> str:
    moved = [term for term in expr if _moves(term, free)]
    rest = tuple(term for term in expr if term not in moved)
    writer = ArrayWriter(_WithTarget(names, target, free))
    if not moved:
        return f"{target} = {writer.write(array_form(rest, free, names)).text}"
    if identifiers([target]) & identifiers(names.array(name) for name in arrays_of(expr)):
        raise NoForm("the result has the name of an array that is read")
    if rest:
        kind = "complex" if holds_complex(expr) else "float"
        lines = [f"{target} = {_fresh(array_form(rest, free, names), writer, kind)}"]
    else:
        sizes = [names.size(index.axis) if isinstance(index, Index) else "1" for index in free]
        shape = sizes[0] if len(sizes) == 1 else in_brackets([source(size) for size in sizes])
        lines = [f"{target} = np.zeros({shape}{', dtype=complex' if holds_complex(expr) else ''})"]
    lines += [_addition(term, free, writer, target) for term in moved]
    return "\n".join(lines)


@dataclass(frozen=True)
class _WithTarget(Names):
    """The names of the program, and the result as one more array."""

    names: Names
    target: str
    free: tuple[Index | int, ...]

    def array(self, name: str) -> str:
        return self.target if name == _TARGET else self.names.array(name)

    def axes(self, name: str) -> Axes | None:
        if name == _TARGET:
            return tuple(index.axis if isinstance(index, Index) else None for index in self.free)
        return self.names.axes(name)

    def size(self, axis: Axis) -> str:
        return self.names.size(axis)

    def is_integer(self, name: str) -> bool:
        return self.names.is_integer(name)

    def is_boolean(self, name: str) -> bool:
        return self.names.is_boolean(name)


def _moving_deltas(term: Term, free: tuple[Index | int, ...]) -> dict[Index, IndexExpr]:
    """The free indices that a term sets to another position, and that position."""
    found: dict[Index, IndexExpr] = {}
    for factor, _ in term.factors:
        if not isinstance(factor, Delta) or factor.over not in free or not isinstance(factor.over, Index):
            continue
        over, at = factor.over, factor.at
        inside = indices_of_index(at)
        bound = any(index in term.bound for index in inside)
        elsewhere = isinstance(at, Index) and at.axis != over.axis
        if over not in found and (not inside or (bound and (elsewhere or not isinstance(at, Index)))):
            found[over] = at
    return found


def _moves(term: Term, free: tuple[Index | int, ...]) -> bool:
    return bool(_moving_deltas(term, free))


def _fresh(node: Node, writer: ArrayWriter, kind: str) -> str:
    """Code of an array of numbers of a kind that shares no memory with those it is made from."""
    code = writer.write(node)
    if isinstance(node, (Named, Picked, Transposed, Expanded, Diagonal, Repeated, Reshaped)):
        return f"np.array({code.text}, dtype={kind})"
    return code.text if kind == "float" else f"np.asarray({code.text}, dtype={kind})"


def _addition(term: Term, free: tuple[Index | int, ...], writer: ArrayWriter, target: str) -> str:
    """One term, added at the positions that its deltas say."""
    moving = _moving_deltas(term, free)
    places = tuple(moving.get(index, index) if isinstance(index, Index) else 0 for index in free)
    entered = frozenset(index for at in moving.values() for index in indices_of_index(at))
    factors = tuple(
        (_substituted(factor, moving), exponent)
        for factor, exponent in term.factors
        if not (isinstance(factor, Delta) and isinstance(factor.over, Index) and factor.over in moving)
    )
    bound = tuple(index for index in term.bound if index not in entered)
    inner = replace(term, coefficient=abs(term.coefficient), bound=bound, factors=factors)
    spot = entry_array(Entry(_TARGET, places), writer.names)
    value = writer.write(array_form((inner,), _filled(spot.axes), writer.names))
    sign = "-" if term.coefficient < 0 else "+"
    if isinstance(spot, Reshaped):
        length = writer.write(spot).text.partition("[:")[2].partition("].reshape")[0]
        return f"{target}[:{length}] {sign}= {value.at_least(Binding.ATOM)}.reshape(-1)"
    if not isinstance(spot, Picked):
        raise NoForm("the positions of the result are all of it")
    if _are_distinct(spot):
        return f"{writer.write(spot).text} {sign}= {value.text}"
    positions = [_position(place, writer) for place in spot.places]
    while positions[-1] == "slice(None)":
        positions.pop()
    where = positions[0] if len(positions) == 1 else f"({', '.join(positions)})"
    return f"np.{'subtract' if sign == '-' else 'add'}.at({target}, {where}, {value.text})"


def _filled(axes: Along) -> tuple[Index | int, ...]:
    return tuple(0 if index is None else index for index in axes)


def _are_distinct(spot: Picked) -> bool:
    """Whether no position can stand twice: slices, and arrays with the position of each of their axes."""
    arrays = [place for place in spot.places if not isinstance(place, (int, Slice)) and place is not None]
    stated = {_index_of(place) for place in arrays}
    return all(index in stated for place in arrays for index in place.axes if index is not None)


def _index_of(place: Node) -> Index | None:
    while isinstance(place, (Expanded, Transposed)):
        place = place.array
    return place.index if isinstance(place, Positions) else None


def _position(place: Place, writer: ArrayWriter) -> str:
    if place is None:
        return "slice(None)"
    if isinstance(place, Slice):
        raise NoForm("slices and positions together")
    return writer.place(place)


def _substituted(factor: Factor, moving: dict[Index, IndexExpr]) -> Factor:
    """The factor with free indices replaced by the positions that a delta sets them to."""

    def entry(old: Entry) -> Entry:
        return Entry(old.array, tuple(position(index) for index in old.indices))

    def position(old: IndexExpr) -> IndexExpr:
        if isinstance(old, Index):
            return moving.get(old, old)
        if isinstance(old, Entry):
            return entry(old)
        if isinstance(old, Affine) and any(index in moving for index in indices_of_index(old)):
            raise NoForm("a position within a position")
        return old

    match factor:
        case Entry():
            return entry(factor)
        case Mask(relation, left, right):
            sides = [entry(side) if isinstance(side, Entry) else side for side in (left, right)]
            return Mask(relation, *sides)
        case Function(name, arguments):
            return Function(name, tuple(entry(argument) for argument in arguments))
        case Condition(relation, before, after):
            return Condition(relation, position(before), position(after))
        case Delta(over, at):
            if over in moving:
                raise NoForm("two deltas of one index")
            return Delta(over, position(at))
        case Size():
            return factor
