"""A definition the other way round: with m[i] = Σ_k e[i, k], the sum becomes m.

Comes in: the definition of an array, and the same unfolded.  Goes out: the lemma that writes its leading product as
its name; None if there is none that comes to an end.
"""

from __future__ import annotations

from fractions import Fraction

from tracer.calculus.algebra import ONE, add, entry, indices_in_term, multiply, scale
from tracer.calculus.atoms import is_product
from tracer.calculus.canonical import term_key
from tracer.calculus.patterns import Lemma, rewrite
from tracer.calculus.terms import Definition, Entry, Expr, Factor, Index, Size, Term


def reversed_definition(definition: Definition, base: Expr) -> Lemma | None:
    """The rule that recognises what an array is; its other terms and factors go to the other side."""
    if not base or (is_product(base) and len(base[0].factors) < 2):
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
