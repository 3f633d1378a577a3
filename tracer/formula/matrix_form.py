"""The matrix form of an expression as a formula: ``(G W₂ᵀ) ⊙ [Z > 0]``.

In: an expression and what `matrix_code` needs of the program, with symbols.  Out: a formula tree made
from the same array tree as the code.  Invariant: what the code computes is what the formula says;
where whole arrays have no sign of their own, entries with indices are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tracer.calculus.printing import array_tree as arrays
from tracer.calculus.printing.array_form import array_form
from tracer.calculus.printing.array_tree import Node
from tracer.calculus.printing.letters import Letters
from tracer.calculus.printing.names import Names
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
from tracer.formula.symbols import Symbols, letter
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
    def __init__(self, letters: Letters, symbols: Symbols, names: Names) -> None:
        self.letters = letters
        self.symbols = symbols
        self.entries = IndexWriter(letters, symbols, names)

    def write(self, node: Node) -> Tree:
        match node:
            case arrays.Named(name):
                return self.symbols.array(name)
            case arrays.Number(value):
                return number(value)
            case arrays.Extent(axis):
                return self.symbols.size(axis)
            case arrays.Positions(index):
                return letter(self.letters[index])
            case arrays.Picked(picked):
                return self.entries.entry(picked)
            case arrays.Reshaped(array):
                return nodes.Apply("reshape", (self.write(array),))
            case arrays.Diagonal(array):
                return nodes.Apply("diag", (self.write(array),))
            case arrays.Identity():
                return nodes.Symbol("", "I")
            case arrays.OneHot(_, at):
                one = nodes.Number("1")
                place = number(at) if isinstance(at, int) else self.write(at)
                return nodes.Subscript(one, (place,))
            case arrays.Triangle(axes):
                row, column = (letter(self.letters[index]) for index in axes if index is not None)
                return nodes.Bracket(nodes.Relation(column, "≤", row))
            case arrays.Comparison(relation, left, right):
                return nodes.Bracket(nodes.Relation(self.write(left), SIGNS[relation], self.write(right)))
            case arrays.Applied(function, arguments):
                return function_tree(function, [self.write(argument) for argument in arguments])
            case arrays.Product(factors):
                return self._product(factors)
            case arrays.Quotient(above, below):
                return fraction(self.write(above), self.write(below))
            case arrays.Power(base, exponent):
                return self._power(self.write(base), exponent)
            case arrays.Plus(parts):
                return plus([(sign, self.write(part)) for sign, part in parts])
            case arrays.Matmul():
                return self._matmul(node)
            case arrays.Reduced():
                return self._reduced(node)
            case arrays.Transposed():
                return self._transposed(node)
            case arrays.Expanded(array):
                return self.write(array)
            case arrays.Repeated(array):
                return nodes.Number("0") if array is None else self.write(array)
            case arrays.Einsum():
                return self._einsum(node)

    def _power(self, base: Tree, exponent: Fraction) -> Tree:
        return nodes.Root(base) if exponent == Fraction(1, 2) else power(base, number(exponent))

    def _product(self, factors: Sequence[Node]) -> Tree:
        """Scalars in front, side by side; arrays with ⊙ between them."""
        scalars = [self.write(factor) for factor in factors if not factor.axes]
        whole = [self.write(factor) for factor in factors if factor.axes]
        scalars = [scalar for scalar in scalars if scalar != nodes.Number("1")]
        if not whole:
            return times(scalars)
        if len(whole) > 1:
            whole = [_plain_product(tree) for tree in whole]
        product = times(whole, "⊙")
        if not scalars:
            return product
        return times([*scalars, product])

    def _matmul(self, node: arrays.Matmul) -> Tree:
        """A product of matrices; a vector on the left is a row."""
        left, right = self.write(node.left), self.write(node.right)
        if len(node.left.axes) == 1:
            left = transposed(left)
        return times([_plain_factor(left), _plain_factor(right)])

    def _reduced(self, node: arrays.Reduced) -> Tree:
        """A sum over an axis: over rows or columns of the array, or over all of its entries."""
        if isinstance(node.array, arrays.Diagonal):
            return nodes.Apply("tr", (self.write(node.array.array),))
        bound = [index for place in node.positions if (index := node.array.axes[place]) is not None]
        body = self.write(node.array)
        if not isinstance(node.array, arrays.Picked):  # a picked array already shows its indices
            shown = [letter(self.letters[index]) for index in node.array.axes if index is not None]
            body = _with_indices(node.array, body, shown)
        return sum_over([letter(self.letters[index]) for index in bound], body)

    def _transposed(self, node: arrays.Transposed) -> Tree:
        if node.order == (1, 0) or node.order[:-2] == tuple(range(len(node.order) - 2)):
            return transposed(self.write(node.array))
        return nodes.Apply("permute", (self.write(node.array),))

    def _einsum(self, node: arrays.Einsum) -> Tree:
        factors = []
        for operand in node.operands:
            shown = [letter(self.letters[index]) for index in operand.axes if index is not None]
            factors.append(_with_indices(operand, self.write(operand), shown))
        return sum_over([letter(self.letters[index]) for index in node.bound], times(factors))


def _with_indices(node: Node, tree: Tree, indices: Sequence[Tree]) -> Tree:
    """Entries of an array; an array that is shown by its entries already has them."""
    return tree if isinstance(node, arrays.Picked) or not indices else entry(tree, indices)


def _plain_product(tree: Tree) -> Tree:
    """A factor beside ⊙: products of matrices and quotients are enclosed."""
    return nodes.Parenthesised(tree) if isinstance(tree, nodes.Times) and tree.operator == "" else tree


def _plain_factor(tree: Tree) -> Tree:
    """A factor of a product of matrices."""
    return (
        at_least(tree, Level.PRODUCT)
        if not isinstance(tree, nodes.Times) or tree.operator == ""
        else (nodes.Parenthesised(tree))
    )
