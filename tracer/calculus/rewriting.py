"""Rewriting with definitions: everything unfolded, sums recognised, equal values given one name.

In come definitions and lemmas; out go expressions in which arrays are replaced by what they are, as far
as that keeps them polynomials.  An array that is divided by stays as a name, and its definition is used the
other way round: with m[i] = Σ_k e[i, k], the sum becomes m.  Invariant: every step is an equality.

What holds only away from ties (an entry that is exactly 0) is a step of its own, and is reported.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction

from tracer.calculus.adjoint import TooLarge
from tracer.calculus.algebra import (
    ONE,
    add,
    arrays_in,
    arrays_in_term,
    constant,
    entry,
    make_term,
    multiply,
    of_factor,
    power,
    scale,
)
from tracer.calculus.atoms import find_atoms, is_item, is_product
from tracer.calculus.canonical import canonical_key, simplify
from tracer.calculus.comparisons import simpler_mask
from tracer.calculus.deadline import Deadline
from tracer.calculus.definitions import as_multiples, at_entry, number_values, only_factor
from tracer.calculus.exponentials import related_exponentials
from tracer.calculus.indexing import NotRepresentable
from tracer.calculus.known_signs import with_known_sign
from tracer.calculus.linearised import as_equations, join_roots
from tracer.calculus.masked import over_all_entries
from tracer.calculus.patterns import Lemma, rewrite
from tracer.calculus.renaming import rename_arrays
from tracer.calculus.reversed_definitions import reversed_definition
from tracer.calculus.symmetric import equals_transpose, is_square, marked, oriented, unmarked
from tracer.calculus.terms import Axis, Definition, Entry, Expr, Factor, Function, Mask, Size, Term

#: How often an expression is unfolded and rewritten at most, and how often lemmas are applied to it in between.
_MOST_ROUNDS, _MOST_APPLICATIONS = 12, 30
#: A higher power of a sum is not written out.
_HIGHEST_POWER = 6
#: Seconds in which arrays are looked at for symmetry.
_LONGEST_FOR_SYMMETRY = 0.2


class Rewriter:
    """Normal forms with respect to definitions and lemmas."""

    def __init__(
        self,
        definitions: Mapping[str, Definition],
        lemmas: Iterable[Lemma] = (),
        keep: Iterable[str] = (),
        most_terms: int = 400,
        counts: Mapping[Axis, Entry] | None = None,
        symmetric: Iterable[str] | None = None,
    ) -> None:
        """Prepare.

        Args:
            definitions: what each array is; in program order.
            lemmas: further equalities, on which results then rest.
            keep: arrays that stand for themselves.
            most_terms: how many terms an expression may grow to.
            counts: the scalars that hold the sizes of axes.
            symmetric: if not None, arrays that equal their transposes are known as such: these, and those that are seen
                to by their definitions.
        """
        self.counts = counts or {}
        definitions, self.squares = as_equations(definitions)
        self.same = number_values(definitions)
        self.definitions = {
            name: Definition(name, d.free, rename_arrays(d.expr, self.same))
            for name, d in definitions.items()
            if name not in self.same
        }
        self.keep = frozenset(self.same.get(k, k) for k in keep)
        self.definitions = related_exponentials(as_multiples(self.definitions))
        self.most_terms = most_terms
        self.used: dict[str, None] = {}
        self._deadline = Deadline(math.inf)
        self._named = self._functions()
        self._atoms = find_atoms(self.definitions, self.keep)
        self._symmetric = symmetric is not None
        if symmetric is not None:
            self._mark(self._find_symmetric(symmetric))
        self._rules: dict[str, Lemma | None] = {}
        self._lemmas = [
            Lemma(renamed[0], rename_arrays(lemma.value, self.same), lemma.says)
            for lemma in lemmas
            if len(renamed := rename_arrays((lemma.pattern,), self.same)) == 1 and lemma.usable
        ]

    def _functions(self) -> dict[str, list[Definition]]:
        """Arrays that are a scalar function and nothing else, by the text of the function."""
        named: dict[str, list[Definition]] = {}
        for definition in self.definitions.values():
            function = only_factor(definition.expr)
            if isinstance(function, Function):
                named.setdefault(function.name, []).append(definition)
        return named

    def _find_symmetric(self, given: Iterable[str]) -> dict[str, str]:
        """The names by which arrays that equal their transposes are known, in the order of the program."""
        names = {array: marked(array) for array in (self.same.get(g, g) for g in given) if array not in self.definitions}
        self._deadline = Deadline(_LONGEST_FOR_SYMMETRY)
        for array, definition in self.definitions.items():
            if not is_square(definition):
                continue
            try:
                has_function = any(isinstance(f, Function) for t in definition.expr for f, _ in t.factors)
                plain = rename_arrays(definition.expr, names)
                if equals_transpose(definition, plain) or (
                    not has_function  # it would be found to be itself
                    and equals_transpose(definition, rename_arrays(self._unfold(definition.expr), names))
                ):
                    names[array] = marked(array)
            except TooLarge:
                continue
        return names

    def _mark(self, names: Mapping[str, str]) -> None:
        """Call arrays by other names."""
        self.same = {**{name: names.get(first, first) for name, first in self.same.items()}, **names}
        self.definitions = {
            names.get(n, n): Definition(names.get(n, n), d.free, oriented(rename_arrays(d.expr, names)))
            for n, d in self.definitions.items()
        }
        self.keep = frozenset(names.get(k, k) for k in self.keep)
        self._atoms = frozenset(names.get(a, a) for a in self._atoms)
        self._named = self._functions()

    def _simplify(self, expr: Expr) -> Expr:
        return simplify(oriented(expr)) if self._symmetric else simplify(expr)

    def normal(self, expr: Expr, budget_seconds: float = 1.0) -> Expr:
        """The expression unfolded and rewritten until nothing changes.

        Raises:
            TooLarge: if it grows beyond the limit, or the time is over.
        """
        self._deadline = Deadline(budget_seconds)
        current = self._simplify(rename_arrays(expr, self.same))
        key = canonical_key(current)
        for _ in range(_MOST_ROUNDS):
            current = self._apply(self._unfold(current))
            new = canonical_key(current)
            if new == key:
                break
            key = new
        return current

    def joined(self, expr: Expr) -> Expr:
        """The expression in the program's own arrays: a square under a root is the root squared."""
        if self._symmetric:
            expr = rename_arrays(expr, {a: unmarked(a) for a in arrays_in(expr)})
        return simplify(join_roots(expr, self.squares)) if self.squares else expr

    def reduce(self, expr: Expr) -> Expr:
        """The expression with sums recognised and lemmas applied, without unfolding."""
        return self._apply(self._simplify(expr))

    def _check(self, terms: int) -> None:
        if terms > self.most_terms:
            raise TooLarge(f"an expression of {terms} terms")
        if self._deadline.is_over():
            raise TooLarge("the time for rewriting is over")

    def _unfold(self, expr: Expr) -> Expr:
        done: list[Term] = []
        waiting = list(expr)
        while waiting:
            term = waiting.pop()
            self._check(len(done) + len(waiting))
            unfolded = self._unfold_once(term)
            if unfolded is None:
                done.append(term)
            else:
                waiting += self._simplify(unfolded)
        return self._simplify(tuple(done))

    def _unfold_once(self, term: Term) -> Expr | None:
        """The term with one factor replaced by what it is; ``None`` if there is nothing to replace."""
        over_places = over_all_entries(term, self.definitions)
        if over_places is not None:
            return (over_places,)
        for position, (factor, exponent) in enumerate(term.factors):
            value = self._value(factor, exponent, term)
            if value is None:
                continue
            others = term.factors[:position] + term.factors[position + 1 :]
            rest = Term(term.coefficient, (), others)
            product = multiply((rest,), value)
            return tuple(Term(t.coefficient, term.bound + t.bound, t.factors) for t in product)
        return None

    def _value(self, factor: Factor, exponent: Fraction, term: Term) -> Expr | None:
        match factor:
            case Entry():
                return self._entry(factor, exponent)
            case Function():
                return self._function(factor, exponent)
            case Mask():
                return self._mask(factor, term)
            case Size():
                scalar = self.counts.get(factor.axis)
                return None if scalar is None else of_factor(scalar, exponent)
            case _:
                return None

    def _entry(self, factor: Entry, exponent: Fraction) -> Expr | None:
        definition = self.definitions.get(factor.array)
        if definition is None or factor.array in self.keep:
            return None
        whole = exponent.denominator == 1
        if not whole or exponent > _HIGHEST_POWER:
            return None
        stays = factor.array in self._atoms or (exponent < 0 and not is_product(definition.expr))
        if stays and not any(isinstance(i, int) for i in factor.indices):
            return None
        try:
            value = at_entry(definition, factor)
            if stays:  # at a place with a number what is stacked is one of its items
                value = simplify(value)
                if not is_item(value):
                    return None
            value = power(value, exponent)
        except (NotRepresentable, ValueError):
            return None
        self.used[factor.array] = None
        return value

    def _function(self, factor: Function, exponent: Fraction) -> Expr | None:
        """A scalar function that some array holds is written as that array."""
        for definition in self._named.get(factor.name, ()):
            pattern = Lemma(definition.expr[0], entry(definition.array, *definition.free), "")
            found = rewrite(Term(ONE, (), ((factor, ONE),)), pattern)
            if found is not None and pattern.usable:
                self.used[definition.array] = None
                return power(found, exponent) if exponent.denominator == 1 else None
        return None

    def _mask(self, mask: Mask, term: Term) -> Expr | None:
        """A simpler mask, or a known one."""
        negative = mask.relation == ">" and mask.left == 0 and isinstance(mask.right, Entry)
        if negative and any(f == mask.right and e >= 1 for f, e in term.factors):
            # x [0 > x] = x − x [x > 0], also where x = 0.
            positive = make_term(ONE, (), ((Mask(">", mask.right, Fraction(0)), ONE),))
            return add(constant(1), scale((positive,), -1)) if positive is not None else None
        new = simpler_mask(mask, self.definitions)
        if new is None:
            return None
        made = make_term(ONE, (), ((new, ONE),))
        return () if made is None else (made,)

    def _apply(self, expr: Expr) -> Expr:
        """Lemmas and definitions the other way round, until none fits."""
        for _ in range(_MOST_APPLICATIONS):
            self._check(len(expr))
            changed = False
            result: list[Term] = []
            for term in expr:
                new = self._apply_once(term)
                changed = changed or new is not None
                result += (term,) if new is None else new
            if not changed:
                return expr
            expr = self._simplify(tuple(result))
        return expr

    def _apply_once(self, term: Term) -> Expr | None:
        signed = with_known_sign(term, self.definitions)
        if signed is not None:
            new, array = signed
            self.used[array] = None
            return new
        for lemma in self._lemmas:
            found = rewrite(term, lemma)
            if found is not None:
                self.used[lemma.says] = None
                return found
        arrays = arrays_in_term(term)
        for name in self._atoms:
            rule = self._rule(name)
            if rule is not None and not arrays.isdisjoint(arrays_in_term(rule.pattern)):
                found = rewrite(term, rule)
                if found is not None:
                    self.used[name] = None
                    return found
        return None

    def _rule(self, name: str) -> Lemma | None:
        """The definition of an atom the other way round: its leading product becomes its name."""
        if name in self._rules:
            return self._rules[name]
        self._rules[name] = None
        definition = self.definitions.get(name)
        if (
            definition is None
            or name in self.keep
            or any(isinstance(f, Function) for t in definition.expr for f, _ in t.factors)
        ):
            return None
        base = self._unfold(definition.expr)
        self._rules[name] = reversed_definition(definition, base)
        return self._rules[name]


def unfold(expr: Expr, definitions: Mapping[str, Definition], keep: Iterable[str] = ()) -> Expr:
    """Every array replaced by what it is, except ``keep`` and what is divided by or a scalar function.

    Raises:
        TooLarge: if the expression grows too much.
    """
    return Rewriter(definitions, keep=keep)._unfold(rename_arrays(expr, number_values(definitions)))
