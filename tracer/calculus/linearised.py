"""Operations that are defined by an equation, such as A · out = 1: the result by its value and its differential.

    out[f] = out.value[f] + Σ_a J[f, a] (X[a] − X.value[a])

``X.value`` is the value of X, held fixed: a name that no derivative passes through.  So the formula is true
as it stands, and its derivative by X is J, which may be written in the result itself (J of an inverse is
−out ⊗ out).  Once a derivative is taken the two are the same, and `held` writes X for X.value.

In come and out go expressions.  Invariant: what is written here equals the result at every point, and its first
derivative is that of the operation; nothing is said of further derivatives, so no such formula is unfolded.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from tracer.calculus.algebra import arrays_in, entry, make_term, power, scale
from tracer.calculus.canonical import simplify
from tracer.calculus.renaming import rename_arrays
from tracer.calculus.terms import Definition, Entry, Expr, Term

#: What follows the name of an array in the name of its value, and of its inverse, both held fixed.
VALUE, INVERSE = ".value", ".inverse"


def value_of(array: str) -> str:
    """The name of the value of an array."""
    return array + VALUE


def inverse_of(array: str) -> str:
    """The name of the inverse of a matrix, which no derivative passes through."""
    return array + INVERSE


def held(expr: Expr) -> Expr:
    """A derivative, with every array written for its value: they are equal, and no further derivative is taken."""
    values = {a: a.removesuffix(VALUE) for a in arrays_in(expr) if a.endswith(VALUE)}
    return rename_arrays(expr, values) if values else expr


def is_linearised(definition: Definition) -> bool:
    """Whether the definition says what the result is by its value and its differential."""
    return any(a.endswith(VALUE) for a in arrays_in(definition.expr))


def radicand(definition: Definition) -> Expr | None:
    """E if the definition is that of a square root, out = ½ out.value + ½ E / out.value; else ``None``.

    This is one step of Heron's method from the root: true at the root, and with the derivative ∂E / 2 out.
    """
    root = Entry(value_of(definition.array), definition.free)
    half = Term(Fraction(1, 2), (), ((root, Fraction(1)),))
    if half not in definition.expr:
        return None
    result: list[Term] = []
    for term in definition.expr:
        if term == half:
            continue
        if (root, Fraction(-1)) not in term.factors:
            return None
        others = [(f, e) for f, e in term.factors if f != root]
        made = make_term(term.coefficient, term.bound, others)
        if made is not None:
            result.append(made)
    expr = scale(tuple(result), 2)
    return None if any(a.endswith(VALUE) for a in arrays_in(expr)) else expr


def value_equation(definition: Definition) -> Definition | None:
    """What a definition says of the value alone: A⁻¹ B for ``solve(A, B)``; ``None`` if it says nothing."""
    if not is_linearised(definition):
        return definition
    inner = radicand(definition)
    if inner is not None:
        return None
    value = simplify(held(definition.expr))
    return None if definition.array in arrays_in(value) else Definition(definition.array, definition.free, value)


def as_equations(definitions: Mapping[str, Definition]) -> tuple[dict[str, Definition], dict[str, str]]:
    """The definitions as plain equations between values, for rewriting.

    A square root of a sum becomes two definitions, so that its square can be recognised as the sum.  Of other
    results only what their value says stays: A⁻¹ B for ``solve(A, B)``, nothing for a Cholesky factor.  The
    inverse of a transpose is the transpose of the inverse.

    Returns:
        The definitions in order, and for the name of each square the name of its root.
    """
    separated: dict[str, Definition] = {}
    squares: dict[str, str] = {}
    for name, definition in definitions.items():
        inner = radicand(definition)
        if inner is None and is_linearised(definition):
            value = value_equation(definition)
            if value is not None:
                for array in sorted(arrays_in(value.expr)):
                    if array.endswith(INVERSE) and array not in separated:
                        separated.update(_inverse_of_transpose(array, separated))
                separated[name] = value
            continue
        if inner is None:
            separated[name] = definition
            continue
        square = f"{name}.square"
        squares[square] = name
        separated[square] = Definition(square, definition.free, inner)
        root = power(entry(square, *definition.free), Fraction(1, 2))
        separated[name] = Definition(name, definition.free, root)
    return separated, squares


def _inverse_of_transpose(inverse: str, definitions: Mapping[str, Definition]) -> dict[str, Definition]:
    """(Aᵀ)⁻¹ as (A⁻¹)ᵀ, if the matrix is defined as a transpose."""
    definition = definitions.get(inverse.removesuffix(INVERSE))
    if definition is None or len(definition.free) != 2 or len(definition.expr) != 1:
        return {}
    (term,) = definition.expr
    if term.coefficient != 1 or term.bound or len(term.factors) != 1:
        return {}
    ((factor, exponent),) = term.factors
    i, j = definition.free
    if exponent != 1 or not isinstance(factor, Entry) or factor.indices != (j, i) or i == j:
        return {}
    # the inverse has the axes of the matrix the other way round: A[j, i], A⁻¹[i, j], (Aᵀ)⁻¹[j, i]
    transposed = entry(inverse_of(factor.array), i, j)
    found = _inverse_of_transpose(inverse_of(factor.array), definitions)
    return {**found, inverse: Definition(inverse, (j, i), transposed)}


def join_roots(expr: Expr, squares: Mapping[str, str]) -> Expr:
    """The expression with each square written as its root squared."""
    result: list[Term] = []
    for term in expr:
        factors = [
            (Entry(squares[f.array], f.indices), 2 * e)
            if isinstance(f, Entry) and f.array in squares
            else (f, e)
            for f, e in term.factors
        ]
        made = make_term(term.coefficient, term.bound, factors)
        if made is not None:
            result.append(made)
    return tuple(result)
