"""Formula trees in LaTeX, for mathematical mode with amsmath.

In: a tree.  Out: LaTeX.  Invariant: braces, ``\\left``/``\\right`` and environments balance, whatever
the names in the tree are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tracer.formula.latex_text import MATHEMATICAL, escape_name
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

_SIGNS = {"=": "=", "≠": r"\ne", "<": "<", "≤": r"\le", ">": ">", "≥": r"\ge", "≈": r"\approx", "←": r"\leftarrow"}
_PRODUCTS = {"": r"\,", "⊙": r" \odot ", "·": r" \cdot "}
_FUNCTIONS = frozenset(
    ["exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "max", "min"]
)
#: A piece of text that is longer ends at the next space.
_LONG_PIECE = 24
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LOW = (Symbol, Number, Transpose, Subscript, Power)


def _pieces(text: str) -> list[str]:
    """A text in pieces between which a line may break: a short one is whole."""
    pieces = [""]
    for word in re.split(r"(?<= )", text):
        if len(pieces[-1]) > _LONG_PIECE:
            pieces.append("")
        pieces[-1] += word
    return pieces


def to_latex(tree: Tree) -> str:
    """The LaTeX of a tree."""
    match tree:
        case Symbol():
            return _symbol(tree)
        case Number(text):
            return text if re.fullmatch(r"[0-9.]+", text) else rf"\text{{{escape_name(text)}}}"
        case Text(text):
            return r"\allowbreak{}".join(rf"\text{{{escape_name(part)}}}" for part in _pieces(text))
        case Operator(text):
            return MATHEMATICAL.get(text, _SIGNS.get(text, escape_name(text)))
        case Row(items):
            return " ".join(to_latex(item) for item in items)
        case Parenthesised(body):
            return _fenced("(", body, ")")
        case Plus(parts):
            return _plus(parts)
        case Times(factors, operator):
            return _PRODUCTS[operator].join(to_latex(factor) for factor in factors)
        case Relation(left, sign, right):
            return f"{to_latex(left)} {_SIGNS[sign]} {to_latex(right)}"
        case Fraction(above, below):
            return rf"\frac{{{to_latex(above)}}}{{{to_latex(below)}}}"
        case Power(Apply(function, arguments), exponent):
            return _apply(function, arguments, to_latex(exponent))
        case Power(Symbol() | Subscript() as base, exponent):
            return f"{to_latex(base)}^{{{to_latex(exponent)}}}"
        case Power(base, exponent):
            return f"{_base(base)}^{{{to_latex(exponent)}}}"
        case Root(body):
            return rf"\sqrt{{{to_latex(body)}}}"
        case Absolute(body):
            return _fenced(r"\lvert ", body, r"\rvert ")
        case Conjugate(body):
            return rf"\overline{{{to_latex(body)}}}"
        case Subscript(base, indices):
            return f"{_base(base)}_{{{_indices(indices)}}}"
        case Transpose(body):
            raised = to_latex(body) if isinstance(body, (Symbol, Subscript)) else _base(body)
            return rf"{raised}^{{\top}}"
        case Sum():
            return _sum(tree)
        case Partial():
            return _partial(tree)
        case Delta(indices):
            return rf"\delta_{{{_indices(indices)}}}"
        case Bracket(body):
            return _fenced("[", body, "]")
        case Apply(function, arguments):
            return _apply(function, arguments)
        case Cases(pieces):
            return _cases(pieces)
        case UnderShape(body, shape):
            return rf"\underbrace{{{to_latex(body)}}}_{{{_shape(shape)}}}"


def _symbol(symbol: Symbol) -> str:
    if symbol.base in MATHEMATICAL:
        text = MATHEMATICAL[symbol.base]
    elif not _PLAIN_NAME.fullmatch(symbol.base):
        text = rf"\text{{{escape_name(symbol.base)}}}"
    elif symbol.upright:
        text = rf"\mathrm{{{escape_name(symbol.base)}}}"
    else:
        text = symbol.base
    return f"{text}_{{{escape_name(symbol.subscript)}}}" if symbol.subscript else text


def _is_low(tree: Tree) -> bool:
    """Whether brackets around a tree need not grow."""
    match tree:
        case Plus(parts):
            return all(_is_low(part) for _, part in parts)
        case Times(factors):
            return all(_is_low(factor) for factor in factors)
        case Relation(left, _, right):
            return _is_low(left) and _is_low(right)
        case Parenthesised(body) | Bracket(body):
            return _is_low(body)
        case Power(base, exponent):
            return _is_low(base) and _is_low(exponent)
        case Subscript(base, _) | Transpose(base):
            return _is_low(base)
        case _:
            return isinstance(tree, _LOW)


def _fenced(opening: str, body: Tree, closing: str) -> str:
    if _is_low(body):
        return f"{opening}{to_latex(body)}{closing}"
    return rf"\left{opening}{to_latex(body)}\right{closing}"


def _base(tree: Tree) -> str:
    """What carries an index or exponent, in braces if it has one already."""
    text = to_latex(tree)
    return text if isinstance(tree, (Number, Parenthesised)) or _is_bare(tree) else f"{{{text}}}"


def _is_bare(tree: Tree) -> bool:
    return isinstance(tree, Symbol) and not tree.subscript


def _plus(parts: Sequence[tuple[int, Tree]]) -> str:
    (sign, first), *rest = parts
    text = ("-" if sign < 0 else "") + to_latex(first)
    return text + "".join(f" {'-' if sign < 0 else '+'} {to_latex(part)}" for sign, part in rest)


def _indices(indices: Sequence[Tree]) -> str:
    """Indices of one letter stand side by side, others with commas."""
    texts = [to_latex(index) for index in indices]
    simple = all(
        isinstance(index, Symbol) and len(index.base) == 1 and not index.subscript for index in indices
    )
    return " ".join(texts) if simple else r",\,".join(texts)


def _sum(tree: Sum) -> str:
    lower = ", ".join(to_latex(index) for index in tree.bound)
    if tree.lower is not None:
        lower += f"={to_latex(tree.lower)}"
    upper = "" if tree.upper is None else f"^{{{to_latex(tree.upper)}}}"
    return rf"\sum_{{{lower}}}{upper} {to_latex(tree.body)}"


def _partial(tree: Partial) -> str:
    texts = []
    for symbol, indices in ((tree.of, tree.of_indices), (tree.wrt, tree.wrt_indices)):
        text = to_latex(symbol)
        if indices:
            text = (
                f"{text}_{{{_indices(indices)}}}" if _is_bare(symbol) else f"({text})_{{{_indices(indices)}}}"
            )
        texts.append(text)
    return rf"\frac{{\partial {texts[0]}}}{{\partial {texts[1]}}}"


def _apply(function: str, arguments: Sequence[Tree], exponent: str = "") -> str:
    name = rf"\{function}" if function in _FUNCTIONS else rf"\operatorname{{{escape_name(function)}}}"
    name += f"^{{{exponent}}}" if exponent else ""
    inner = ", ".join(to_latex(argument) for argument in arguments)
    if all(_is_low(argument) for argument in arguments):
        return f"{name}({inner})"
    return rf"{name}\left({inner}\right)"


def _cases(pieces: Sequence[tuple[Tree, Tree | None]]) -> str:
    lines = []
    for value, test in pieces:
        condition = r"\text{otherwise}" if test is None else r"\text{if } " + to_latex(test)
        lines.append(f"{to_latex(value)} & {condition}")
    return r"\begin{cases}" + r" \\ ".join(lines) + r"\end{cases}"


def _shape(shape: str) -> str:
    parts = [part.strip() for part in shape.split("×")]
    return r" \times ".join(
        part if re.fullmatch(r"[A-Za-z]|[0-9]+", part) else rf"\text{{{escape_name(part)}}}" for part in parts
    )
