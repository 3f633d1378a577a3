"""Single factors as whole arrays: an entry `A[i, j]` becomes the array ``A``, a delta the identity matrix.

In: factors and the declared axes of the arrays.  Out: nodes of the array tree, each index along an
axis of its own.  Invariant: an array of positions stands in for every index expression that is not a
plain slice, so that each factor has a form.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tracer.calculus.printing.array_tree import (
    Along,
    Applied,
    Comparison,
    Diagonal,
    Extent,
    Identity,
    Named,
    Node,
    Number,
    OneHot,
    Picked,
    Place,
    Plus,
    Positions,
    Product,
    Reshaped,
    Slice,
    Triangle,
    align,
    broadcast,
    number_of,
    real,
)
from tracer.calculus.printing.names import Names, NoForm
from tracer.calculus.printing.reading import indices_of_index, sides_of
from tracer.calculus.terms import (
    Affine,
    Axis,
    Condition,
    Delta,
    Entry,
    Factor,
    Function,
    Index,
    IndexExpr,
    Mask,
    Size,
)


def leaf(factor: Factor, names: Names) -> Node:
    """The array of a factor over all positions of its indices.

    Raises:
        NoForm: an entry repeats an index in a way that no array expression has.
    """
    match factor:
        case Entry():
            return entry_array(factor, names)
        case Size(axis):
            return Extent(axis)
        case Delta(over, at):
            return _delta(over, at, names)
        case Mask():
            left, relation, right = sides_of(factor)
            return _comparison(relation, _side(left, names), _side(right, names))
        case Condition(relation, left, right):
            return _condition(relation, left, right, names)
        case Function(name, arguments):
            arrays = together([number_of(entry_array(argument, names)) for argument in arguments])
            return Applied(name, tuple(arrays), broadcast(array.axes for array in arrays))


def together(nodes: Sequence[Node]) -> list[Node]:
    """Arrays aligned to the union of their axes: as they are if they broadcast, else by the largest."""
    try:
        broadcast(node.axes for node in nodes)
    except NoForm:
        pass
    else:
        if _broadcast_by_index(nodes):
            return list(nodes)
    largest = max((node.axes for node in nodes), key=lambda axes: len(real(axes)), default=())
    order: list[Index | None] = list(largest)
    for node in nodes:
        order += [index for index in real(node.axes) if index not in order]
    return [align(node, order) for node in nodes]


def _broadcast_by_index(nodes: Sequence[Node]) -> bool:
    """Whether no index would come to stand along two axes."""
    axes = real(broadcast(node.axes for node in nodes))
    return len(set(axes)) == len(axes)


def _side(side: Entry | Fraction, names: Names) -> Node:
    return entry_array(side, names) if isinstance(side, Entry) else Number(side)


def positions(index: IndexExpr, names: Names) -> Node:
    """An index expression as an array of integers."""
    match index:
        case int():
            return Number(Fraction(index))
        case Index():
            return Positions(index)
        case Entry():
            return entry_array(index, names)
        case Affine(parts, constant, sizes):
            summands: list[tuple[int, Node]] = []
            for atom, coefficient in parts:
                node = positions(atom, names)
                if isinstance(coefficient, Axis):
                    summands.append((1, Product((Extent(coefficient), node), node.axes)))
                elif abs(coefficient) == 1:
                    summands.append((coefficient, node))
                else:
                    scaled = Product((Number(Fraction(abs(coefficient))), node), node.axes)
                    summands.append((1 if coefficient > 0 else -1, scaled))
            summands += [(1, Extent(axis)) for axis in sizes]
            if constant or not summands:
                summands.append((1 if constant >= 0 else -1, Number(Fraction(abs(constant)))))
            summands.sort(key=lambda summand: summand[0] < 0)
            nodes = together([node for _, node in summands])
            signs = [sign for sign, _ in summands]
            if signs == [1]:
                return nodes[0]
            return Plus(tuple(zip(signs, nodes, strict=True)), broadcast(node.axes for node in nodes))


def _compared(relation: str, left: IndexExpr, right: IndexExpr, names: Names) -> Node:
    return _comparison(relation, positions(left, names), positions(right, names))


def _comparison(relation: str, left: Node, right: Node) -> Node:
    first, second = together([left, right])
    return Comparison(relation, first, second, broadcast((first.axes, second.axes)))


def _delta(over: Index | int, at: IndexExpr, names: Names) -> Node:
    match over, at:
        case int(), int():
            return Number(Fraction(over == at))
        case (Index() as index, int(place)) | (int(place), Index() as index):
            return OneHot(index.axis, place, (index,))
        case Index(), Index() if over != at:
            return Identity((over, at))
        case _, Affine():
            raise NoForm("entries are moved to other positions, which takes statements")
        case Index(), Entry():
            array = entry_array(at, names)
            if isinstance(array, Named) and over not in array.axes and None not in array.axes:
                return OneHot(over.axis, array, (*array.axes, over))
    return _compared("==", over, at, names)


def _condition(relation: str, left: IndexExpr, right: IndexExpr, names: Names) -> Node:
    if isinstance(left, Index) and isinstance(right, Index) and left != right:
        if relation == "<=":
            return Triangle((right, left))
        if relation == ">=":
            return Triangle((left, right))
    return _compared(relation, left, right, names)


def entry_array(entry: Entry, names: Names) -> Node:
    """The array of an entry: by its name, or subscripted where the indices ask for it."""
    declared = names.axes(entry.array)
    truth = names.is_boolean(entry.array)
    axes = declared if declared is not None else _assumed(entry)
    if len(axes) != len(entry.indices):
        raise NoForm(f"{entry.array} has {len(axes)} axes, and is used with {len(entry.indices)} indices")
    if any(isinstance(index, Entry) for index in entry.indices) or any(
        isinstance(index, Affine) and not _is_slice(index) for index in entry.indices
    ):
        return _reshaped(entry, truth) or _looked_up(entry, names, truth)
    own = [index for index in entry.indices if isinstance(index, Index)]
    if len(set(own)) < len(own):
        if len(entry.indices) == 2 and len(own) == 2:
            return Diagonal(Named(entry.array, (own[0], own[0]), truth), (own[0],))
        return _looked_up(entry, names, truth)
    used = [index for expr in entry.indices for index in indices_of_index(expr)]
    if len(set(used)) < len(used):  # A[i, i + 1]: two slices would be a block, not a diagonal
        return _looked_up(entry, names, truth)
    places: list[Place] = []
    along: list[Index | None] = []
    for index, axis in zip(entry.indices, axes, strict=True):
        if isinstance(index, Index):
            places.append(None if axis is None or index.axis == axis else Slice(index))
            along.append(index)
        elif isinstance(index, Affine):
            places.append(_slice(index, axis, names))
            along.append(real(indices_of_index(index))[0])
        elif axis is None and index == 0:
            places.append(None)
            along.append(None)
        else:
            assert isinstance(index, int)
            places.append(index)
    if all(place is None for place in places):
        return Named(entry.array, tuple(along), truth)
    return Picked(entry, tuple(places), tuple(along), truth)


def _assumed(entry: Entry) -> tuple[Axis | None, ...]:
    """Axes of an array that was not declared; a number is taken for a position, which is right either way."""
    return tuple(index.axis if isinstance(index, Index) else Axis("?") for index in entry.indices)


def _is_slice(index: Affine) -> bool:
    """Whether positions are evenly spaced and increasing, or all of an axis backwards."""
    if len(index.parts) != 1:
        return False
    atom, step = index.parts[0]
    if not isinstance(atom, Index) or not isinstance(step, int):
        return False
    return step > 0 or (step == -1 and index.constant == -1 and index.sizes == (atom.axis,))


def _slice(index: Affine, axis: Axis | None, names: Names) -> Place:
    atom, step = index.parts[0]
    assert isinstance(atom, Index)
    assert isinstance(step, int)
    if step < 0:
        return Slice(atom, reverse=True) if axis == atom.axis else positions(index, names)
    start = Affine((), index.constant, index.sizes)
    return Slice(atom, positions(start, names) if start != Affine(()) else None, step)


def _reshaped(entry: Entry, truth: bool) -> Node | None:
    """``t[D·i + j]`` over all i and j: the vector t as a matrix."""
    match entry.indices:
        case (
            Affine(parts=((Index() as row, Axis() as width), (Index() as column, 1)), constant=0, sizes=()),
        ):
            if column.axis == width and row != column:
                return Reshaped(Named(entry.array, (None,), truth), (row, column))
    return None


def _looked_up(entry: Entry, names: Names, truth: bool) -> Node:
    """Subscripts with arrays of positions, by NumPy's rules of where their axes go."""
    places: list[Place] = []
    looked: list[int] = []
    inside = [indices_of_index(x) for x in entry.indices if isinstance(x, (Entry, Affine))]
    shared = tuple(dict.fromkeys(index for indices in inside for index in indices))
    own = [index for index in entry.indices if isinstance(index, Index)]
    shared += tuple(dict.fromkeys(index for index in own if own.count(index) > 1 and index not in shared))
    for place, index in enumerate(entry.indices):
        if isinstance(index, Index) and index not in shared:
            declared = names.axes(entry.array)
            whole = declared is None or declared[place] in (None, index.axis)
            places.append(None if whole else Slice(index))
        elif isinstance(index, int):
            places.append(index)
            looked.append(place)
        else:
            places.append(align(positions(index, names), shared))
            looked.append(place)
    block = broadcast(p.axes for p in places if not isinstance(p, (int, Slice)) and p is not None)
    if block != shared:
        raise NoForm(f"the positions in {entry.array} do not span their indices")
    kept = {p: x for p, x in enumerate(entry.indices) if p not in looked and isinstance(x, Index)}
    axes: Along
    if looked == list(range(looked[0], looked[-1] + 1)):
        before = [index for place, index in kept.items() if place < looked[0]]
        after = [index for place, index in kept.items() if place > looked[0]]
        axes = (*before, *block, *after)
    else:
        axes = (*block, *kept.values())
    return Picked(entry, tuple(places), axes, truth)
