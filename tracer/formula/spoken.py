"""Formula trees as words, for a screen reader.

In: a tree.  Out: English words and the names of variables, without any signs that would be skipped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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

_WORDS = {
    "=": "equals",
    "≠": "is not equal to",
    "<": "is less than",
    "≤": "is at most",
    ">": "is greater than",
    "≥": "is at least",
    "≈": "is about",
    "←": "becomes",
    ",": "comma",
    "+": "plus",
    "−": "minus",
    "→": "to",
    "∞": "infinity",
}
_PRODUCTS = {"": "times", "⊙": "elementwise times", "·": "times"}
_POWERS = {"2": "squared", "3": "cubed"}
_FUNCTIONS = {
    "exp": "exponential",
    "log": "logarithm",
    "sgn": "sign",
    "max": "maximum",
    "min": "minimum",
    "ceil": "ceiling",
}


def to_spoken(tree: Tree) -> str:
    """The words of a tree."""
    match tree:
        case Symbol(_, base, subscript):
            return " ".join(part for part in (_WORDS.get(base, _name(base)), subscript) if part)
        case Number(text) | Text(text):
            return text
        case Operator(text):
            return _WORDS.get(text, text)
        case Row(items):
            return " ".join(to_spoken(item) for item in items)
        case Parenthesised(body):
            return f"open parenthesis {to_spoken(body)} close parenthesis"
        case Plus(parts):
            return _plus(parts)
        case Times(factors, operator):
            return f" {_PRODUCTS[operator]} ".join(to_spoken(factor) for factor in factors)
        case Relation(left, sign, right):
            return f"{to_spoken(left)} {_WORDS[sign]} {to_spoken(right)}"
        case Fraction(above, below):
            return f"{to_spoken(above)} over {to_spoken(below)}"
        case Power(base, Number(text)) if text in _POWERS:
            return f"{to_spoken(base)} {_POWERS[text]}"
        case Power(base, exponent):
            return f"{to_spoken(base)} to the power {to_spoken(exponent)}"
        case Root(body):
            return f"square root of {to_spoken(body)}"
        case Absolute(body):
            return f"absolute value of {to_spoken(body)}"
        case Conjugate(body):
            return f"conjugate of {to_spoken(body)}"
        case Subscript(Symbol(_, base="𝟏"), indices):
            return f"one-hot rows of {_listed(indices)}"
        case Subscript(base, indices):
            return f"{to_spoken(base)} sub {_listed(indices)}"
        case Transpose(body):
            return f"{to_spoken(body)} transposed"
        case Sum(bound, body, lower, upper):
            start = "" if lower is None else f" from {to_spoken(lower)}"
            end = "" if upper is None else f" to {to_spoken(upper)}"
            return f"sum over {_listed(bound)}{start}{end} of {to_spoken(body)}"
        case Partial():
            return _partial(tree)
        case Delta(indices):
            return f"Kronecker delta {_listed(indices)}"
        case Bracket(body):
            return f"one where {to_spoken(body)}, else zero"
        case Apply(function, arguments):
            return f"{_FUNCTIONS.get(function, function)} of {' and '.join(to_spoken(a) for a in arguments)}"
        case Cases(pieces):
            return ", ".join(
                f"{to_spoken(value)} {'otherwise' if test is None else 'if ' + to_spoken(test)}"
                for value, test in pieces
            )
        case UnderShape(body, shape):
            return f"{to_spoken(body)}, shape {shape.replace('×', 'by')},"


def _name(base: str) -> str:
    """A variable's name; ⟨G, X⟩ is the scalar that stands for a loss with the gradient G by X."""
    plain = re.sub("⟨([^⟩]*), ([^⟩]*)⟩", r"the inner product of \1 and \2", base)
    return plain.replace("_", " ").replace(" + ", " plus ")


def _listed(trees: Sequence[Tree]) -> str:
    return " ".join(to_spoken(tree) for tree in trees)


def _plus(parts: Sequence[tuple[int, Tree]]) -> str:
    (sign, first), *rest = parts
    text = ("minus " if sign < 0 else "") + to_spoken(first)
    return text + "".join(f" {'minus' if sign < 0 else 'plus'} {to_spoken(part)}" for sign, part in rest)


def _partial(tree: Partial) -> str:
    of, wrt = to_spoken(tree.of), to_spoken(tree.wrt)
    of += f" sub {_listed(tree.of_indices)}" if tree.of_indices else ""
    wrt += f" sub {_listed(tree.wrt_indices)}" if tree.wrt_indices else ""
    return f"the derivative of {of} with respect to {wrt}"
