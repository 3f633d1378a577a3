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
    arrays_in_term,
    constant,
    entry,
    indices_in_term,
    make_term,
    multiply,
    of_factor,
    power,
    scale,
    substitute,
)
from tracer.calculus.canonical import canonical_key, simplify, term_key
from tracer.calculus.comparisons import simpler_mask
from tracer.calculus.deadline import Deadline
from tracer.calculus.definitions import (
    as_multiples,
    at_entry,
    chosen_part_of,
    number_values,
    only_factor,
    positive_part_of,
)
from tracer.calculus.exponentials import related_exponentials
from tracer.calculus.indexing import NotRepresentable
from tracer.calculus.linearised import as_equations, join_roots
from tracer.calculus.masked import over_all_entries
from tracer.calculus.patterns import Lemma, rewrite
from tracer.calculus.renaming import rename_arrays
from tracer.calculus.terms import (
    Axis,
    Condition,
    Definition,
    Delta,
    Entry,
    Expr,
    Factor,
    Function,
    Index,
    Mask,
    Size,
    Term,
)

#: Functions whose values are positive, whatever the argument.
POSITIVE = frozenset({"exp(x0)", "cosh(x0)", "2**x0"})


class Rewriter:
    """Normal forms with respect to definitions and lemmas."""

    def __init__(
        self,
        definitions: Mapping[str, Definition],
        lemmas: Iterable[Lemma] = (),
        keep: Iterable[str] = (),
        most_terms: int = 400,
        counts: Mapping[Axis, Entry] | None = None,
    ) -> None:
        """Prepare.

        Args:
            definitions: what each array is; in program order.
            lemmas: further equalities, on which results then rest.
            keep: arrays that stand for themselves.
            most_terms: how many terms an expression may grow to.
            counts: the scalars that hold the sizes of axes.
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
        self._atoms = self._find_atoms()
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

    def _find_atoms(self) -> frozenset[str]:
        """Arrays that are not unfolded: scalar functions, and sums that something is divided by."""
        atoms = set(self.keep)
        for name, definition in self.definitions.items():
            has_function = any(isinstance(f, Function) for t in definition.expr for f, _ in t.factors)
            split = _is_product(definition.expr) and len(definition.expr[0].factors) > 1
            if has_function and not split:
                atoms.add(name)
            for term in definition.expr:
                for factor, exponent in term.factors:
                    if isinstance(factor, Function):
                        divided = [a.array for a in factor.arguments if factor.name.startswith("log")]
                    elif isinstance(factor, Entry) and (exponent < 0 or exponent.denominator != 1):
                        divided = [factor.array]
                    else:
                        continue
                    for array in divided:
                        atoms |= self._divisors(array, exponent.denominator != 1)
        return frozenset(atoms)

    def _divisors(self, array: str, fractional: bool) -> set[str]:
        """What stays when something is divided by this array: itself, or the sums it is a product of."""
        definition = self.definitions.get(array)
        if definition is None:
            return set()
        if fractional or not _is_product(definition.expr):
            return {array}
        found: set[str] = set()
        for factor, exponent in definition.expr[0].factors:
            if isinstance(factor, Entry):
                found |= self._divisors(factor.array, exponent.denominator != 1)
        return found

    def normal(self, expr: Expr, budget_seconds: float = 1.0) -> Expr:
        """The expression unfolded and rewritten until nothing changes.

        Raises:
            TooLarge: if it grows beyond the limit, or the time is over.
        """
        self._deadline = Deadline(budget_seconds)
        current = simplify(rename_arrays(expr, self.same))
        key = canonical_key(current)
        for _ in range(12):
            current = self._apply(self._unfold(current))
            new = canonical_key(current)
            if new == key:
                break
            key = new
        return current

    def joined(self, expr: Expr) -> Expr:
        """The expression in the program's own arrays: a square under a root is the root squared."""
        return simplify(join_roots(expr, self.squares)) if self.squares else expr

    def reduce(self, expr: Expr) -> Expr:
        """The expression with sums recognised and lemmas applied, without unfolding."""
        return self._apply(simplify(expr))

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
                waiting += simplify(unfolded)
        return simplify(tuple(done))

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
        if definition is None or factor.array in self._atoms:
            return None
        whole = exponent.denominator == 1
        if not whole or exponent > 6:
            return None
        if exponent < 0 and not _is_product(definition.expr):
            return None
        try:
            value = at_entry(definition, factor)
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
        for _ in range(30):
            self._check(len(expr))
            changed = False
            result: list[Term] = []
            for term in expr:
                new = self._apply_once(term)
                changed = changed or new is not None
                result += (term,) if new is None else new
            if not changed:
                return expr
            expr = simplify(tuple(result))
        return expr

    def _apply_once(self, term: Term) -> Expr | None:
        new = self._positive_part(term)
        if new is not None:
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

    def _positive_part(self, term: Term) -> Expr | None:
        """[h > 0] = [z > 0] where h is the positive part of z."""
        for position, (factor, _) in enumerate(term.factors):
            if not isinstance(factor, Mask) or factor.relation != ">" or factor.right != 0:
                continue
            side = factor.left
            if not isinstance(side, Entry) or side.array not in self.definitions:
                continue
            definition = self.definitions[side.array]
            others = term.factors[:position] + term.factors[position + 1 :]
            function = only_factor(definition.expr)
            if isinstance(function, Function) and function.name in POSITIVE:
                self.used[side.array] = None
                return (Term(term.coefficient, term.bound, others),)
            inner = positive_part_of(definition)
            if inner is None:
                chosen = self._chosen_part(definition, side)
                if chosen is None:
                    continue
                self.used[side.array] = None
                product = multiply((Term(term.coefficient, (), others),), chosen)
                return tuple(Term(t.coefficient, term.bound + t.bound, t.factors) for t in product)
            at = substitute(
                entry(inner.array, *inner.indices),
                {f: i for f, i in zip(definition.free, side.indices, strict=True) if isinstance(f, Index)},
            )
            looked = at[0].factors[0][0]
            if not isinstance(looked, Entry):
                continue
            self.used[side.array] = None
            made = make_term(term.coefficient, term.bound, (*others, (Mask(">", looked, Fraction(0)), ONE)))
            return () if made is None else (made,)
        return None

    def _chosen_part(self, definition: Definition, side: Entry) -> Expr | None:
        """[Y w > 0] = [Y > 0] w at an entry, where w is 0 or 1."""
        found = chosen_part_of(definition)
        if found is None:
            return None
        kept, weight = found
        mask = make_term(ONE, (), ((Mask(">", kept, Fraction(0)), ONE),))
        assert mask is not None
        whole = Definition(definition.array, definition.free, multiply((mask,), weight))
        return at_entry(whole, side)

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
        self._rules[name] = _reversed(definition, base)
        return self._rules[name]


def _reversed(definition: Definition, base: Expr) -> Lemma | None:
    if not base or (_is_product(base) and len(base[0].factors) < 2):
        return None
    free = {i for i in definition.free if isinstance(i, Index)}
    leading = [t for t in base if free <= indices_in_term(t)]
    if not leading:
        return None
    lead = max(leading, key=lambda t: (len(t.bound), _weight(t), term_key(t)))
    scalars = tuple((f, e) for f, e in lead.factors if isinstance(f, Size) or _is_scalar(f))
    core = Term(
        ONE, lead.bound, tuple((f, e) for f, e in lead.factors if not (isinstance(f, Size) or _is_scalar(f)))
    )
    if not core.factors or any(e < 0 for _, e in core.factors):
        return None
    inverse = (Term(1 / lead.coefficient, (), tuple((f, -e) for f, e in scalars)),)
    rest = tuple(t for t in base if t is not lead)
    name = entry(definition.array, *definition.free)
    value = multiply(inverse, add(name, scale(rest, -1)))
    lemma = Lemma(core, value, definition.array)
    # A rule that fits its own right side would never come to an end.
    if not lemma.usable or any(rewrite(t, lemma) is not None for t in value):
        return None
    return lemma


def _weight(term: Term) -> Fraction:
    return sum((abs(e) for f, e in term.factors if not (isinstance(f, Size) or _is_scalar(f))), Fraction(0))


def _is_scalar(factor: Factor) -> bool:
    return isinstance(factor, Entry) and not factor.indices


def _is_product(expr: Expr) -> bool:
    """Whether it is one term without sums, deltas, masks and conditions, so that it can be divided by."""
    return (
        len(expr) == 1
        and not expr[0].bound
        and not any(isinstance(f, (Delta, Mask, Condition)) for f, _ in expr[0].factors)
    )


def unfold(expr: Expr, definitions: Mapping[str, Definition], keep: Iterable[str] = ()) -> Expr:
    """Every array replaced by what it is, except ``keep`` and what is divided by or a scalar function.

    Raises:
        TooLarge: if the expression grows too much.
    """
    return Rewriter(definitions, keep=keep)._unfold(rename_arrays(expr, number_values(definitions)))
