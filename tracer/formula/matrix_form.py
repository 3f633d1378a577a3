"""The matrix form of an expression as a formula: ``(G W₂ᵀ) ⊙ [Z > 0]``.

In: an expression and what `matrix_code` needs of the program, with symbols.  Out: a formula tree made
from the same array tree as the code.  Invariant: what the code computes is what the formula says;
where whole arrays have no sign of their own, entries with indices are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from tracer.calculus.printing import array_tree as arrays
from tracer.calculus.printing.array_form import array_form
from tracer.calculus.printing.array_tree import Node
from tracer.calculus.printing.letters import Letters
from tracer.calculus.printing.names import Names, NoForm
from tracer.calculus.terms import Expr, Index
from tracer.formula import tree as nodes
from tracer.formula.building import (
    Level,
    at_least,
    entry,
    fraction,
    number,
    plus,
    power,
    sum_over,
    times,
    transposed,
)
from tracer.formula.functions import function_tree
from tracer.formula.index_form import SIGNS, IndexWriter
from tracer.formula.symbols import ONE_HOT, Symbols, letter
from tracer.formula.tree import Tree


def matrix_formula(
    expr: Expr,
    free: tuple[Index | int, ...],
    names: Names,
    symbols: Symbols,
    letters: Letters | None = None,
) -> Tree:
    """The matrix form of an expression.

    Args:
        expr: the expression.
        free: the axes of the result; an integer stands for an axis of size one.
        names: declared axes of the arrays.
        symbols: how arrays and sizes are shown.
        letters: letters for those indices that have to be shown.

    Raises:
        NoForm: there is no matrix form; `index_form` always has one.
    """
    known = (letters or Letters()).extended(free, expr)
    return _MatrixWriter(known, symbols, names).write(array_form(expr, free, names))


class _MatrixWriter:
    """Writes array trees: as whole arrays where each has a sign, else by their entries."""

    def __init__(self, letters: Letters, symbols: Symbols, names: Names) -> None:
        self.letters = letters
        self.symbols = symbols
        self.by_index = IndexWriter(letters, symbols, names)

    def write(self, node: Node) -> Tree:
        """The formula of a whole expression."""
        return self.entries(node) if _needs_entries(node) else self.whole(node)

    def whole(self, node: Node) -> Tree:
        """An array by its own sign."""
        match node:
            case arrays.Named(name):
                return self.symbols.array(name)
            case arrays.Picked(picked):
                return nodes.Subscript(self.symbols.array(picked.array), (self.whole(_rows(node)),))
            case arrays.Reshaped(array):
                return nodes.Apply("reshape", (self.whole(array),))
            case arrays.Transformed(function=function, length=length):
                inner, places = arrays.nested_transforms(node)
                filled = () if length is None else (self.symbols.size(length.axis),)
                if len(places) == 1 and node.position != -1:
                    filled = (*filled, nodes.Text(f"axis {len(node.axes) + node.position}"))
                several = "" if len(places) == 1 else "2" if len(places) == 2 else "n"
                return nodes.Apply(f"{function}{several}", (self.whole(inner), *filled))
            case arrays.Diagonal(array):
                return nodes.Apply("diag", (self.whole(array),))
            case arrays.Identity():
                return nodes.Symbol("", "I")
            case arrays.OneHot(_, at):
                place = number(at) if isinstance(at, int) else self.whole(at)
                return nodes.Subscript(nodes.Symbol("", ONE_HOT), (place,))
            case arrays.Product(factors):
                outer = self._outer(node)
                return self._product(factors) if outer is None else outer
            case arrays.Quotient(above, below) if not below.axes and _reaches(above):
                front, long = self._split(above)
                return times([fraction(front, self.whole(below)), long])
            case arrays.Matmul(left, right):
                first, second = self.whole(left), self.whole(right)
                if len(left.axes) == 1:  # vectors stand: v @ A is Aᵀ v, and u @ v is uᵀ v
                    first, second = (transposed(second), first) if len(right.axes) == 2 else (transposed(first), second)
                return times([_plain_factor(first), _plain_factor(second)])
            case arrays.Reduced():
                return self._reduced(node)
            case arrays.Transposed(array, order):
                if order == (*range(len(order) - 2), len(order) - 1, len(order) - 2):
                    return transposed(self.whole(array))
                return nodes.Apply("permute", (self.whole(array),))
            case arrays.Expanded(array):
                return self.whole(array)
            case arrays.Repeated(array):
                return nodes.Number("0") if array is None else self.whole(array)
            case arrays.Einsum() | arrays.Triangle() | arrays.Positions():
                return self.entries(node)
            case _:
                return self._entrywise(node, self.whole)

    def entries(self, node: Node) -> Tree:
        """The entry of an array at its own indices."""
        match node:
            case arrays.Named(name):
                return entry(self.symbols.array(name), self._shown(node.axes))
            case arrays.Positions(index):
                return letter(self.letters[index])
            case arrays.Picked(picked):
                return self.by_index.entry(picked)
            case arrays.Diagonal(array):
                return entry(self.whole(array), self._shown((*node.axes, *node.axes)))
            case arrays.Identity(axes):
                first, second = self._shown(axes)
                return nodes.Delta((first, second))
            case arrays.OneHot(_, at, axes):
                place = number(at) if isinstance(at, int) else self.entries(at)
                return nodes.Delta((self._shown(axes)[-1], place))
            case arrays.Triangle(axes):
                row, column = self._shown(axes)
                return nodes.Bracket(nodes.Relation(column, "≤", row))
            case arrays.Product(factors):
                trees = [self.entries(factor) for factor in factors]
                return times([tree for tree in trees if tree != nodes.Number("1")])
            case arrays.Matmul(left, right, over) if _needs_entries(node):
                return sum_over(self._shown((over,)), times([self.entries(left), self.entries(right)]))
            case arrays.Matmul() | arrays.Reshaped() | arrays.Transformed():
                return entry(self.whole(node), self._shown(node.axes))
            case arrays.Reduced():
                return self._reduced(node)
            case arrays.Transposed(array) | arrays.Expanded(array):
                return self.entries(array)
            case arrays.Repeated(array):
                return nodes.Number("0") if array is None else self.entries(array)
            case arrays.Einsum(operands, bound):
                return sum_over(self._shown(bound), times([self.entries(operand) for operand in operands]))
            case _:
                return self._entrywise(node, self.entries)

    def _entrywise(self, node: Node, write: Callable[[Node], Tree]) -> Tree:
        """Nodes that are written alike for whole arrays and for entries."""
        match node:
            case arrays.Number(value):
                return number(value)
            case arrays.Extent(axis):
                return self.symbols.size(axis)
            case arrays.RealPart(array):
                return nodes.Apply("Re", (write(array),))
            case arrays.Comparison(relation, left, right):
                return nodes.Bracket(nodes.Relation(write(left), SIGNS[relation], write(right)))
            case arrays.Applied(function, arguments):
                return function_tree(function, [write(argument) for argument in arguments])
            case arrays.Quotient(above, below):
                return fraction(write(above), write(below))
            case arrays.Power(base, exponent):
                raised = write(base)
                if exponent == Fraction(1, 2):
                    return nodes.Root(raised)
                return power(raised, number(exponent))
            case arrays.Plus(parts):
                return plus([(sign, write(part)) for sign, part in parts])
        raise NoForm(f"{type(node).__name__} has no sign")

    def _shown(self, axes: Sequence[Index | None]) -> list[Tree]:
        return [letter(self.letters[index]) for index in axes if index is not None]

    def _outer(self, node: arrays.Product) -> Tree | None:
        """u vᵀ for a product of vectors along two axes, which has no entry by entry sign without broadcasting."""
        axes = arrays.real(node.axes)
        vectors = [f for f in node.factors if len(arrays.real(f.axes)) == 1]
        if len(axes) != 2:
            return None
        columns, rows = ([f for f in vectors if arrays.real(f.axes) == (axis,)] for axis in axes)
        if not columns or not rows:
            return None
        column, row = (_plain_factor(self._product(some)) for some in (columns, rows))
        standing = all(len(_flat(factor).axes) == 1 for factor in rows)
        outer = times([column, transposed(row) if standing else row])
        scalars = [self.whole(f) for f in node.factors if not arrays.real(f.axes)]
        kept = [at_least(scalar, Level.PRODUCT) for scalar in scalars if scalar != nodes.Number("1")]
        others = [self.whole(f) for f in node.factors if len(arrays.real(f.axes)) > 1]
        if not others:
            return times([*kept, column, transposed(row) if standing else row])
        product = times([*map(_plain_product, others), nodes.Parenthesised(outer)], "⊙")
        return times([*kept, at_least(product, Level.REACHING)]) if kept else product

    def _product(self, factors: Sequence[Node]) -> Tree:
        """Scalars in front, side by side; arrays with ⊙ between them."""
        scalars = [self.whole(factor) for factor in factors if not factor.axes]
        several = [self.whole(factor) for factor in factors if factor.axes]
        scalars = [scalar for scalar in scalars if scalar != nodes.Number("1")]
        if len(several) > 1:
            several = [_plain_product(tree) for tree in several]
        if not scalars or not several:
            return times(several, "⊙") if several else times(scalars)
        product = at_least(times(several, "⊙"), Level.REACHING)
        return nodes.Times((*(at_least(scalar, Level.PRODUCT) for scalar in scalars), product))

    def _split(self, node: Node) -> tuple[Tree, Tree]:
        """What stands in front of a sum or product of matrices, and the sum or product."""
        if isinstance(node, arrays.Product):
            *front, last = node.factors
            return times([self.whole(factor) for factor in front]), self.whole(last)
        return nodes.Number("1"), self.whole(node)

    def _reduced(self, node: arrays.Reduced) -> Tree:
        """A sum over axes, of entries."""
        if isinstance(node.array, arrays.Diagonal):
            return nodes.Apply("tr", (self.whole(node.array.array),))
        bound = [node.array.axes[place] for place in node.positions]
        return sum_over(self._shown(bound), self.entries(node.array))


def _reaches(node: Node) -> bool:
    """Whether a node is a sum or a product of matrices, with scalars in front at most."""
    if isinstance(node, arrays.Product):
        *front, last = node.factors
        return _reaches(last) and not any(factor.axes for factor in front)
    return isinstance(node, (arrays.Reduced, arrays.Matmul))


def _rows(node: arrays.Picked) -> Node:
    """The positions of the rows that are picked."""
    place = node.places[0]
    assert isinstance(place, arrays.Named)
    return place


def _picks_rows(node: arrays.Picked) -> bool:
    """Whether an array of positions picks rows, as ``E[y]`` does: it is written E_y."""
    return isinstance(node.places[0], arrays.Named) and all(place is None for place in node.places[1:])


def _needs_entries(node: Node) -> bool:
    """Whether some array in a tree can only be shown by its entries."""
    match node:
        case arrays.Picked():
            return not _picks_rows(node)
        case arrays.Identity((Index() as first, Index() as second)):
            return first.axis != second.axis
        case arrays.Positions():
            return True
        case arrays.Reduced() | arrays.Einsum() | arrays.Triangle():
            return False
        case arrays.Product(parts) | arrays.Applied(_, parts):
            return any(_needs_entries(part) for part in parts)
        case arrays.Plus(signed):
            return any(_needs_entries(part) for _, part in signed)
        case arrays.Matmul(left, right):
            return any(isinstance(_plain(n), arrays.Triangle) or _needs_entries(n) for n in (left, right))
        case arrays.Quotient(left, right) | arrays.Comparison(_, left, right):
            return _needs_entries(left) or _needs_entries(right)
        case arrays.Power(inner) | arrays.Transposed(inner) | arrays.Expanded(inner) | arrays.Reshaped(inner):
            return _needs_entries(inner)
        case arrays.RealPart(inner):
            return _needs_entries(inner)
        case arrays.Repeated(repeated, axes):
            if repeated is None:
                return False
            is_partial = bool(repeated.axes) and arrays.real(repeated.axes) != arrays.real(axes)
            return is_partial or _needs_entries(repeated)
        case _:
            return False


def _flat(node: Node) -> Node:
    """The vector that was given a second axis."""
    return node.array if isinstance(node, arrays.Expanded) else node


def _plain(node: Node) -> Node:
    return node.array if isinstance(node, arrays.Transposed) else node


def _plain_product(tree: Tree) -> Tree:
    """A factor beside ⊙: products of matrices are enclosed."""
    return nodes.Parenthesised(tree) if isinstance(tree, nodes.Times) and tree.operator == "" else tree


def _plain_factor(tree: Tree) -> Tree:
    """A factor of a product of matrices: products entry by entry, and sums, are enclosed."""
    if isinstance(tree, nodes.Times) and tree.operator == "⊙":
        return nodes.Parenthesised(tree)
    return at_least(tree, Level.PRODUCT)
