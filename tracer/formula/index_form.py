"""The index form of an expression: every sum, entry, delta and mask, as it is written on paper.

In: an expression, letters for its indices, symbols for its arrays.  Out: a formula tree such as
``Σ_k ∂L/∂S_ik (W₂)_jk``.  Invariant: one term of the tree for one term of the expression, with the
same factors and exponents; what all terms have in common is written once.
"""

from __future__ import annotations

from fractions import Fraction

from tracer.calculus.complex_values import as_real_part
from tracer.calculus.printing.common import without_common
from tracer.calculus.printing.letters import Letters
from tracer.calculus.printing.names import Names
from tracer.calculus.printing.reading import indices_of, sides_of
from tracer.calculus.printing.scalar import as_written
from tracer.calculus.terms import (
    Affine,
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
from tracer.formula import tree as nodes
from tracer.formula.building import entry as entry_of
from tracer.formula.building import fraction, number, plus, power, sum_over, times
from tracer.formula.functions import function_tree
from tracer.formula.symbols import Symbols, letter
from tracer.formula.tree import Tree

SIGNS = {">": ">", ">=": "≥", "<": "<", "<=": "≤", "==": "=", "!=": "≠"}


def index_form(
    expr: Expr,
    free: tuple[Index | int, ...],
    letters: Letters,
    symbols: Symbols,
    names: Names | None = None,
) -> Tree:
    """The index form of an expression.

    Args:
        expr: the expression.
        free: the axes of the result; an integer stands for an axis of size one.
        letters: letters of the indices; letters are added for indices that have none.
        symbols: how arrays and sizes are shown.
        names: if given, the declared axes: indices along axes of size one are then left out.

    Raises:
        NoForm: a scalar function is not a formula.
    """
    writer = IndexWriter(letters.extended(free, expr), symbols, names)
    return writer.expression(expr)


class IndexWriter:
    """Writes factors and terms as trees, with the given letters and symbols."""

    def __init__(self, letters: Letters, symbols: Symbols, names: Names | None = None) -> None:
        self.letters = letters
        self.symbols = symbols
        self.names = names

    def expression(self, expr: Expr) -> Tree:
        """A sum of terms, with what they have in common taken out."""
        real = as_real_part(expr)
        if real is not None and real != expr:  # else it is real as it stands
            return nodes.Apply("Re", (self._sum(real),))
        return self._sum(expr)

    def _sum(self, expr: Expr) -> Tree:
        coefficient, common, inner = without_common(expr) if expr else (Fraction(1), (), ())
        whole = plus([(-1 if term.coefficient < 0 else 1, self.term(term)) for term in inner])
        if not common and abs(coefficient) == 1:
            return whole if coefficient > 0 else plus([(-1, whole)])
        shared = [as_written(*pair) for pair in common]
        above = [self.power(self.factor(factor), e) for factor, e in shared if e > 0]
        below = [self.power(self.factor(factor), -e) for factor, e in shared if e < 0]
        shown = number(abs(coefficient))
        if isinstance(shown, nodes.Fraction):
            below.insert(0, shown.below)
            shown = shown.above
        if shown != nodes.Number("1"):
            above.insert(0, shown)
        product = self._quotient([*above, whole], below)
        return product if coefficient > 0 else plus([(-1, product)])

    def term(self, term: Term) -> Tree:
        """A term without its sign: coefficient and constants, sums, factors, over what is divided by."""
        bound = frozenset(term.bound)
        outer: list[Tree] = []
        inner: list[Tree] = []
        outer_below: list[Tree] = []
        inner_below: list[Tree] = []
        coefficient = abs(term.coefficient)
        shown = number(coefficient)
        if isinstance(shown, nodes.Fraction):
            outer_below.append(shown.below)
            shown = shown.above
        if shown != nodes.Number("1"):
            outer.append(shown)
        for factor, exponent in (as_written(*pair) for pair in term.factors):
            is_inner = not bound.isdisjoint(indices_of(factor))
            written = self.power(self.factor(factor), abs(exponent))
            if exponent < 0:
                (inner_below if is_inner else outer_below).append(written)
            else:
                (inner if is_inner or (bound and indices_of(factor)) else outer).append(written)
        body = self._quotient(inner, inner_below) if inner or inner_below else None
        if bound:
            signs = [letter(self.letters[index]) for index in term.bound]
            body = sum_over(signs, body if body is not None else nodes.Number("1"))
        if outer_below and not bound:
            return self._quotient([*outer, *([body] if body is not None else [])], outer_below)
        front = [self._quotient(outer, outer_below)] if outer_below else outer
        return times([*front, *([body] if body is not None else [])])

    def _quotient(self, above: list[Tree], below: list[Tree]) -> Tree:
        upper = times(above)
        return fraction(upper, times(below)) if below else upper

    def power(self, tree: Tree, exponent: Fraction) -> Tree:
        """A tree with a positive exponent."""
        if exponent == 1:
            return tree
        return nodes.Root(tree) if exponent == Fraction(1, 2) else power(tree, number(exponent))

    def factor(self, factor: Factor) -> Tree:
        """A factor, without its exponent."""
        match factor:
            case Entry():
                return self.entry(factor)
            case Size(axis):
                return self.symbols.size(axis)
            case Delta(over, at):
                return nodes.Delta((self.index(over), self.index(at)))
            case Mask():
                left, relation, right = sides_of(factor)
                sides = [self.entry(s) if isinstance(s, Entry) else number(s) for s in (left, right)]
                return nodes.Bracket(nodes.Relation(sides[0], SIGNS[relation], sides[1]))
            case Condition(relation, left, right):
                return nodes.Bracket(nodes.Relation(self.index(left), SIGNS[relation], self.index(right)))
            case Function(name, arguments):
                return function_tree(name, [self.entry(argument) for argument in arguments])

    def entry(self, entry: Entry) -> Tree:
        """An entry of an array."""
        axes = self.names.axes(entry.array) if self.names is not None else None
        if axes is None or len(axes) != len(entry.indices):
            kept = entry.indices
        else:
            kept = tuple(i for i, axis in zip(entry.indices, axes, strict=True) if axis is not None or i != 0)
        return entry_of(self.symbols.array(entry.array), [self.index(index) for index in kept])

    def index(self, index: IndexExpr) -> Tree:
        """An index expression."""
        match index:
            case int():
                return number(index)
            case Index():
                return letter(self.letters[index])
            case Entry():
                return self.entry(index)
            case Affine(parts, constant, sizes):
                summands: list[tuple[int, Tree]] = []
                for atom, coefficient in parts:
                    factors = [self.index(atom)]
                    if isinstance(coefficient, Axis):
                        sizes_of = coefficient.product or (coefficient,)
                        factors = [*(self.symbols.size(a) for a in sizes_of), *factors]
                    elif abs(coefficient) != 1:
                        factors.insert(0, number(abs(coefficient)))
                    sign = -1 if isinstance(coefficient, int) and coefficient < 0 else 1
                    summands.append((sign, times(factors)))
                summands += [(1, self.symbols.size(axis)) for axis in sizes]
                if constant or not summands:
                    summands.append((-1 if constant < 0 else 1, number(abs(constant))))
                return plus(summands)
