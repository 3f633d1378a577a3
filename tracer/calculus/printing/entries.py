"""Entries, deltas, masks and conditions as Python text, and the product of a term's factors.

In: factors, the letters of their indices, the names of the arrays.  Out: `Code`.  The same text serves
open grids, where a letter is an array of positions, and loops, where it is an integer.
Invariant: truth values are never added or negated, for NumPy's logic is not arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tracer.calculus.printing.code import (
    Binding,
    Code,
    compare,
    number,
    power,
    product,
    source,
    subscript,
    total,
    weighted,
)
from tracer.calculus.printing.letters import Letters
from tracer.calculus.printing.names import Names
from tracer.calculus.printing.reading import sides_of
from tracer.calculus.printing.scalar import as_written, scalar_code
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


def is_truth(factor: Factor, names: Names) -> bool:
    """Whether the text of a factor is a truth value rather than a number."""
    if isinstance(factor, Entry):
        return names.is_boolean(factor.array)
    return isinstance(factor, (Delta, Mask, Condition))


@dataclass(frozen=True)
class EntryWriter:
    """Writes factors with the given letters for indices and names for arrays.

    With ``guarded``, positions that a condition may exclude are clipped into their axis, so that
    they can be evaluated before the condition discards them.
    """

    names: Names
    letters: Letters
    guarded: bool = False

    def size(self, axis: Axis) -> Code:
        return source(self.names.size(axis))

    def index(self, index: IndexExpr) -> Code:
        """An index expression, as it stands between brackets."""
        match index:
            case int():
                return number(index)
            case Index():
                return Code(self.letters[index])
            case Entry():
                return self.entry(index)
            case Affine(parts, constant, sizes):
                summands = [self._multiple(atom, coefficient) for atom, coefficient in parts]
                summands += [(1, self.size(axis)) for axis in sizes]
                if constant or not summands:
                    summands.append((-1 if constant < 0 else 1, number(abs(constant))))
                summands.sort(key=lambda part: part[0] < 0)
                return total(summands)

    def _multiple(self, atom: Index | Entry, coefficient: int | Axis) -> tuple[int, Code]:
        if isinstance(coefficient, Axis):
            return 1, product([self.size(coefficient), self.index(atom)])
        sign = -1 if coefficient < 0 else 1
        scale = [number(abs(coefficient))] if abs(coefficient) != 1 else []
        return sign, product([*scale, self.index(atom)])

    def entry(self, entry: Entry) -> Code:
        texts = [self.index(index).text for index in entry.indices]
        axes = self.names.axes(entry.array) if self.guarded else None
        for place, axis in enumerate(axes or ()):
            index = entry.indices[place]
            inside = isinstance(index, (int, Entry)) or (isinstance(index, Index) and index.axis == axis)
            if axis is not None and not inside:
                last = f"{self.size(axis).at_least(Binding.SUM)} - 1"
                texts[place] = f"np.clip({texts[place]}, 0, {last})"
        return subscript(self.names.array(entry.array), texts)

    def _number_of(self, entry: Entry) -> Code:
        if self.names.is_boolean(entry.array):
            return product([Code("1.0"), self.entry(entry)])
        return self.entry(entry)

    def _side(self, side: Entry | Fraction) -> Code:
        return self.entry(side) if isinstance(side, Entry) else number(side)

    def factor(self, factor: Factor) -> Code:
        """The text of a factor; deltas, masks and conditions are comparisons in parentheses."""
        match factor:
            case Entry():
                return self.entry(factor)
            case Size(axis):
                return self.size(axis)
            case Delta(over, at):
                return compare(self.index(over), "==", self.index(at))
            case Mask():
                left, relation, right = sides_of(factor)
                return compare(self._side(left), relation, self._side(right))
            case Condition(relation, left, right):
                return compare(self.index(left), relation, self.index(right))
            case Function(name, arguments):
                return scalar_code(name, [self._number_of(argument) for argument in arguments])

    def product(
        self,
        coefficient: Fraction,
        factors: Sequence[tuple[Factor, Fraction]],
        sizes: Sequence[Axis] = (),
    ) -> Code:
        """``coefficient · Π factor^exponent · Π sizes`` for a positive coefficient, always a number."""
        above: list[Code] = []
        truths: list[Code] = []
        below: list[Code] = []
        for factor, exponent in (as_written(*pair) for pair in factors):
            code = self.factor(factor)
            if exponent < 0:
                below.append(power(code, -exponent))
            elif is_truth(factor, self.names):
                truths.append(code)
            else:
                above.append(power(code, exponent))
        above += [self.size(axis) for axis in sizes]
        if truths and not above and coefficient.numerator == 1:  # a sign before a truth value is an error
            above.append(Code("1.0"))
        return weighted(coefficient, [*above, *truths], below)


def in_brackets(codes: Sequence[Code]) -> str:
    """Texts in a row, each safe as a part of a shape."""
    texts = [code.at_least(Binding.SUM) for code in codes]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"
