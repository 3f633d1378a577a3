"""Formula trees as one line of Unicode text, for terminals.

In: a tree.  Out: text such as ``∂L/∂hidden[i,j] = Σ_k ∂L/∂scores[i,k] · W₂[j,k]``.  Invariant: what
stands side by side or below a stroke in two dimensions gets parentheses where one line needs them.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracer.formula.building import Level, at_least
from tracer.formula.tree import (
    Absolute,
    Apply,
    Bracket,
    Cases,
    Conjugate,
    Delta,
    Fraction,
    Number,
    Operator,
    Parenthesised,
    Partial,
    Plus,
    Power,
    Relation,
    Root,
    Row,
    Subscript,
    Sum,
    Symbol,
    Text,
    Times,
    Transpose,
    Tree,
    UnderShape,
)

_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def to_text(tree: Tree) -> str:
    """The text of a tree."""
    match tree:
        case Symbol(_, base, subscript):
            return base + subscript.translate(_LOWERED)
        case Number(text) | Text(text) | Operator(text):
            return text
        case Row(items):
            return " ".join(to_text(item) for item in items)
        case Parenthesised(body):
            return f"({to_text(body)})"
        case Plus(parts):
            return _plus(parts)
        case Times(factors, operator):
            return _times(factors, operator)
        case Relation(left, sign, right):
            return f"{to_text(left)} {sign} {to_text(right)}"
        case Fraction(above, below):
            upper = above if isinstance(above, Partial) else at_least(above, Level.PRODUCT)
            return f"{to_text(upper)} / {to_text(at_least(below, Level.RAISED))}"
        case Power(base, exponent):
            return to_text(base) + _exponent(exponent)
        case Root(body):
            return f"√({to_text(body)})"
        case Absolute(body):
            return f"|{to_text(body)}|"
        case Conjugate(body):
            return f"conj({to_text(body)})"
        case Subscript(Symbol(_, base="𝟏"), indices):
            return f"1_{_listed(indices)}"
        case Subscript(base, indices):
            shown = base.body if isinstance(base, Parenthesised) and isinstance(base.body, Symbol) else base
            return f"{to_text(shown)}[{_listed(indices)}]"
        case Transpose(body):
            return f"{to_text(body)}ᵀ"
        case Sum():
            return _sum(tree)
        case Partial():
            return _partial(tree)
        case Delta(indices):
            return f"δ({_listed(indices)})"
        case Bracket(body):
            return f"[{to_text(body)}]"
        case Apply(function, arguments):
            return f"{function}({', '.join(to_text(argument) for argument in arguments)})"
        case Cases(pieces):
            return f"{{{'; '.join(_piece(value, test) for value, test in pieces)}}}"
        case UnderShape(body):
            return to_text(body)


def _listed(trees: Sequence[Tree]) -> str:
    return ",".join(to_text(tree) for tree in trees)


def _piece(value: Tree, test: Tree | None) -> str:
    return f"{to_text(value)} otherwise" if test is None else f"{to_text(value)} if {to_text(test)}"


def _plus(parts: Sequence[tuple[int, Tree]]) -> str:
    (sign, first), *rest = parts
    text = ("−" if sign < 0 else "") + to_text(first)
    return text + "".join(f" {'−' if sign < 0 else '+'} {to_text(part)}" for sign, part in rest)


def _times(factors: Sequence[Tree], operator: str) -> str:
    """Matrices stand side by side; entries, numbers and quotients have a dot between them."""
    texts = [
        f"({to_text(factor)})" if isinstance(factor, Fraction) else to_text(factor) for factor in factors
    ]
    if operator == "":
        matrices = all(isinstance(f, (Symbol, Transpose, Parenthesised, Sum, UnderShape)) for f in factors)
        return (" " if matrices else " · ").join(texts)
    return f" {operator} ".join(texts)


def _exponent(exponent: Tree) -> str:
    if isinstance(exponent, Number) and exponent.text.isdigit():
        return exponent.text.translate(_RAISED)
    text = to_text(exponent)
    return f"^{text}" if isinstance(exponent, (Symbol, Number)) else f"^({text})"


def _sum(tree: Sum) -> str:
    bound = _listed(tree.bound)
    if tree.lower is not None:
        bound += f"={to_text(tree.lower)}"
    if tree.upper is not None:
        bound += f"…{to_text(tree.upper)}"
    return f"Σ_{bound if bound.isalnum() else '{' + bound + '}'} {to_text(tree.body)}"


def _partial(tree: Partial) -> str:
    of, wrt = to_text(tree.of), to_text(tree.wrt)
    of += f"[{_listed(tree.of_indices)}]" if tree.of_indices else ""
    wrt += f"[{_listed(tree.wrt_indices)}]" if tree.wrt_indices else ""
    return f"∂{of}/∂{wrt}"
