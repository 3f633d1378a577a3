"""Formula trees in MathML Core.

In: a tree.  Out: a ``<math>`` element as text.  Every symbol carries the variable it stands for
(``data-s``), the whole a spoken text (``aria-label``) and its LaTeX (an annotation).  Invariant: the
text is well-formed XML whatever the names in the tree are, and holds elements of MathML Core only.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tracer.formula.latex import to_latex
from tracer.formula.spoken import to_spoken
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

_PRODUCTS = {"": '<mspace width="0.17em"/>', "⊙": "<mo>⊙</mo>", "·": "<mo>⋅</mo>"}
_APPLY = "<mo>&#x2061;</mo>"


def to_mathml(tree: Tree, *, display: str = "block", latex: str | None = None) -> str:
    """A ``<math>`` element; ``display`` is ``block`` or ``inline``; ``latex`` is given if it is known already."""
    tex = to_latex(tree) if latex is None else latex
    return (
        f'<math display="{display}" aria-label="{_escaped(to_spoken(tree))}"><semantics>{_grouped(tree)}'
        f'<annotation encoding="application/x-tex">{_escaped(tex)}</annotation></semantics></math>'
    )


def _escaped(text: str) -> str:
    """Text for XML: no markup, no characters that XML does not have."""
    if not text.isprintable():
        text = "".join(c if c >= " " and c not in "\ufffe\uffff" else "\ufffd" for c in text)
    return escape(text, quote=True)


def _grouped(tree: Tree) -> str:
    """A tree as exactly one element."""
    text = _element(tree)
    single = isinstance(tree, (Symbol, Number, Text, Fraction, Partial, Root, Subscript, Power, Row, Delta))
    return text if single else f"<mrow>{text}</mrow>"


def _element(tree: Tree) -> str:
    """A tree as one or several elements in a row."""
    match tree:
        case Symbol():
            return _symbol(tree)
        case Number(text):
            return f"<mn>{_escaped(text)}</mn>"
        case Text(text):
            return f"<mtext>{_escaped(text)}</mtext>"
        case Operator(text):
            return f"<mo>{_escaped(text)}</mo>"
        case Row(items):
            return f"<mrow>{''.join(_element(item) for item in items)}</mrow>"
        case Parenthesised(body):
            return _fenced("(", _element(body), ")")
        case Plus(parts):
            return _plus(parts)
        case Times(factors, operator):
            return _PRODUCTS[operator].join(_element(factor) for factor in factors)
        case Relation(left, sign, right):
            return f"{_element(left)}<mo>{_escaped(sign)}</mo>{_element(right)}"
        case Fraction(above, below):
            return f"<mfrac>{_grouped(above)}{_grouped(below)}</mfrac>"
        case Power(Apply(function, arguments), exponent):
            name = f"<msup><mi>{_escaped(function)}</mi>{_grouped(exponent)}</msup>"
            return _applied(name, arguments)
        case Power(Subscript(base, indices), exponent):
            return f"<msubsup>{_grouped(base)}{_indices(indices)}{_grouped(exponent)}</msubsup>"
        case Power(Symbol(subscript=digits) as base, exponent) if digits:
            return _raised(base, _grouped(exponent))
        case Power(base, exponent):
            return f"<msup>{_grouped(base)}{_grouped(exponent)}</msup>"
        case Root(body):
            return f"<msqrt>{_element(body)}</msqrt>"
        case Absolute(body):
            return _fenced("|", _element(body), "|")
        case Conjugate(body):
            return f'<mover accent="true">{_grouped(body)}<mo stretchy="true">‾</mo></mover>'
        case Subscript(base, indices):
            return f"<msub>{_grouped(base)}{_indices(indices)}</msub>"
        case Transpose(body):
            return _transpose(body)
        case Sum():
            return _sum(tree)
        case Partial():
            return _partial(tree)
        case Delta(indices):
            return f"<msub><mi>δ</mi>{_indices(indices)}</msub>"
        case Bracket(body):
            return _fenced("[", _element(body), "]")
        case Apply(function, arguments):
            return _applied(f"<mi>{_escaped(function)}</mi>", arguments)
        case Cases():
            return _cases(tree)
        case UnderShape(body, shape):
            return f'<munder>{_grouped(body)}<mtext class="shp">{_escaped(shape)}</mtext></munder>'


def _applied(name: str, arguments: Sequence[Tree]) -> str:
    inner = "<mo>,</mo>".join(_element(argument) for argument in arguments)
    return f"<mrow>{name}{_APPLY}{_fenced('(', inner, ')')}</mrow>"


def _variable(key: str) -> str:
    return f' class="s" data-s="{_escaped(key)}"' if key else ""


def _symbol(symbol: Symbol) -> str:
    variable = _variable(symbol.key)
    if not symbol.subscript:
        return f"<mi{variable}>{_escaped(symbol.base)}</mi>"
    return f"<msub{variable}><mi>{_escaped(symbol.base)}</mi><mn>{_escaped(symbol.subscript)}</mn></msub>"


def _fenced(opening: str, inner: str, closing: str) -> str:
    return f'<mrow><mo fence="true">{opening}</mo>{inner}<mo fence="true">{closing}</mo></mrow>'


def _plus(parts: Sequence[tuple[int, Tree]]) -> str:
    (sign, first), *rest = parts
    text = ('<mo form="prefix">−</mo>' if sign < 0 else "") + _element(first)
    return text + "".join(f"<mo>{'−' if sign < 0 else '+'}</mo>{_element(part)}" for sign, part in rest)


def _indices(indices: Sequence[Tree]) -> str:
    simple = all(
        isinstance(index, Symbol) and len(index.base) == 1 and not index.subscript for index in indices
    )
    joint = "" if simple else "<mo>,</mo>"
    return f"<mrow>{joint.join(_element(index) for index in indices)}</mrow>"


def _raised(symbol: Symbol, above: str) -> str:
    """A symbol that has a subscript, with something above it."""
    base, subscript = _escaped(symbol.base), _escaped(symbol.subscript)
    return f"<msubsup{_variable(symbol.key)}><mi>{base}</mi><mn>{subscript}</mn>{above}</msubsup>"


def _transpose(body: Tree) -> str:
    top = '<mo lspace="0" rspace="0">⊤</mo>'
    if isinstance(body, Symbol) and body.subscript:
        return _raised(body, top)
    if isinstance(body, Subscript):
        return f"<msubsup>{_grouped(body.base)}{_indices(body.indices)}{top}</msubsup>"
    return f"<msup>{_grouped(body)}{top}</msup>"


def _sum(tree: Sum) -> str:
    bound = "<mo>,</mo>".join(_element(index) for index in tree.bound)
    if tree.lower is not None:
        bound += f"<mo>=</mo>{_element(tree.lower)}"
    if tree.upper is None:
        return f"<munder><mo>∑</mo><mrow>{bound}</mrow></munder>{_element(tree.body)}"
    return (
        f"<munderover><mo>∑</mo><mrow>{bound}</mrow>{_grouped(tree.upper)}</munderover>{_element(tree.body)}"
    )


def _partial(tree: Partial) -> str:
    rows = []
    for symbol, indices in ((tree.of, tree.of_indices), (tree.wrt, tree.wrt_indices)):
        shown = _grouped(symbol)
        if indices:
            bare = isinstance(symbol, Symbol) and not symbol.subscript
            shown = f"<msub>{shown if bare else _fenced('(', shown, ')')}{_indices(indices)}</msub>"
        rows.append(f'<mrow><mo lspace="0" rspace="0">∂</mo>{shown}</mrow>')
    return f"<mfrac{_variable(tree.key)}>{''.join(rows)}</mfrac>"


def _cases(tree: Cases) -> str:
    rows = []
    for value, test in tree.pieces:
        condition = "<mtext>otherwise</mtext>" if test is None else f"<mtext>if </mtext>{_element(test)}"
        rows.append(f"<mtr><mtd>{_element(value)}</mtd><mtd>{condition}</mtd></mtr>")
    return f'<mrow><mo fence="true">{{</mo><mtable>{"".join(rows)}</mtable></mrow>'
