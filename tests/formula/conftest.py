"""Expressions to be shown, and checks that every LaTeX and MathML text has to pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import pytest

from tracer.calculus.printing import DeclaredNames
from tracer.calculus.terms import Axis, Condition, Delta, Entry, Expr, Function, Index, Mask, Size, Term

CORE = {
    "mover",
    "math",
    "mrow",
    "mi",
    "mn",
    "mo",
    "mtext",
    "mspace",
    "msub",
    "msup",
    "msubsup",
    "mfrac",
    "msqrt",
    "munder",
    "munderover",
    "mtable",
    "mtr",
    "mtd",
    "semantics",
    "annotation",
}

N, D, H, K = Axis("N"), Axis("D"), Axis("h"), Axis("K")
i, j, a, k, k2 = Index("i", N), Index("j", D), Index("a", H), Index("k", K), Index("k2", K)
DECLARED: dict[str, tuple[Axis | None, ...]] = {
    "X": (N, D),
    "W1": (D, H),
    "W2": (H, K),
    "hidden_layer": (N, H),
    "dscores": (N, K),
    "probs": (N, K),
    "b2": (None, K),
    "y": (N,),
    "E": (K, D),
    "reg": (),
    "alpha": (),
}


def term(coefficient: Any, bound: tuple[Index, ...], *factors: Any) -> Term:
    """A term; a factor alone has the exponent one."""
    pairs = tuple(f if isinstance(f, tuple) else (f, 1) for f in factors)
    return Term(Fraction(coefficient), bound, tuple((f, Fraction(e)) for f, e in pairs))


X, W1, W2 = Entry("X", (i, j)), Entry("W1", (j, a)), Entry("W2", (a, k))
HIDDEN, SCORES, PROBS = Entry("hidden_layer", (i, a)), Entry("dscores", (i, k)), Entry("probs", (i, k))
Y = Entry("y", (i,))
EXPRESSIONS: dict[str, tuple[Expr, tuple[Index | int, ...]]] = {
    "back": ((term(1, (k,), SCORES, W2),), (i, a)),
    "masked": ((term(1, (k,), SCORES, W2, Mask(">", HIDDEN, Fraction(0))),), (i, a)),
    "weights": ((term(1, (i,), HIDDEN, SCORES), term(1, (), Entry("reg"), W2)), (a, k)),
    "bias": ((term(1, (i,), SCORES),), (0, k)),
    "forward": ((term(1, (a,), HIDDEN, W2), term(1, (), Entry("b2", (0, k)))), (i, k)),
    "softmax": ((term(1, (), PROBS, (Size(N), -1)), term(-1, (), Delta(k, Y), (Size(N), -1))), (i, k)),
    "jacobian": (
        (
            term(1, (), PROBS, SCORES),
            term(-1, (k2,), PROBS, Entry("probs", (i, k2)), Entry("dscores", (i, k2))),
        ),
        (i, k),
    ),
    "loss": ((term(-1, (i,), Function("log(x0)", (Entry("probs", (i, Y)),)), (Size(N), -1)),), ()),
    "decay": ((term(Fraction(1, 2), (a, k), Entry("reg"), (W2, 2)),), ()),
    "sigmoid": ((term(1, (), Function("1/(1 + exp(-x0))", (X,))),), (i, j)),
    "tanh": ((term(1, (), HIDDEN, Function("1 - tanh(x0)**2", (HIDDEN,))),), (i, a)),
    "roots": (
        (
            term(
                Fraction(3, 2), (), (X, Fraction(-1, 2)), (Entry("reg"), Fraction(1, 3)), (Entry("alpha"), 2)
            ),
        ),
        (i, j),
    ),
    "functions": ((term(1, (), Function("Max(0, x0) + Abs(x0) + sqrt(x0) - exp(x0 - 1)", (X,))),), (i, j)),
    "piecewise": ((term(1, (), Function("Piecewise((x0, x0 > 1), (2, True))", (X,))),), (i, j)),
    "rows": ((term(1, (), Entry("E", (Y, j))),), (i, j)),
    "scatter": ((term(1, (i,), X, Delta(k, Y)),), (k, j)),
    "triangle": ((term(1, (k2,), Entry("probs", (i, k2)), Condition("<=", k2, k)),), (i, k)),
    "nothing": ((), (i, j)),
}


@pytest.fixture
def names() -> DeclaredNames:
    """The arrays of a two-layer network."""
    return DeclaredNames(DECLARED, integers=frozenset("y"))


@pytest.fixture(params=list(EXPRESSIONS))
def expression(request: pytest.FixtureRequest) -> tuple[Expr, tuple[Index | int, ...]]:
    """Each expression in turn."""
    return EXPRESSIONS[request.param]


@pytest.fixture
def expressions() -> dict[str, tuple[Expr, tuple[Index | int, ...]]]:
    """All expressions by name."""
    return EXPRESSIONS


def _latex_balances(latex: str) -> None:
    plain = re.sub(r"\\[\\{}]", "", latex)
    depth = 0
    for character in plain:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0, latex
    assert depth == 0, latex
    assert len(re.findall(r"\\left(?![a-z])", latex)) == len(re.findall(r"\\right(?![a-z])", latex))
    assert sorted(re.findall(r"\\begin\{(\w+)\}", latex)) == sorted(re.findall(r"\\end\{(\w+)\}", latex))
    assert len(re.findall(r"\\begin\{", latex)) == len(re.findall(r"\\end\{", latex))
    assert not re.search(r"(?<!\\)[$%#&]", latex.replace(" & ", "")), latex


@pytest.fixture(scope="session")
def latex_balances() -> Callable[[str], None]:
    """Fails if braces, fences or environments of LaTeX do not balance, or a special sign is bare."""
    return _latex_balances


def _mathml(text: str) -> tuple[ElementTree.Element, str]:
    root = ElementTree.fromstring(text)
    names = {element.tag for element in root.iter()}
    assert names <= CORE, names - CORE
    counts = {"msub": 2, "msup": 2, "msubsup": 3, "mfrac": 2, "munder": 2, "munderover": 3, "semantics": 2}
    for element in root.iter():
        if element.tag in counts:
            assert len(element) == counts[element.tag], ElementTree.tostring(element)
    shown = root.find("semantics")
    assert shown is not None
    return root, "".join(shown[0].itertext()).replace("\u2061", "")


@pytest.fixture(scope="session")
def read_mathml() -> Callable[[str], tuple[ElementTree.Element, str]]:
    """The parsed element and the text it shows; fails on anything that is not MathML Core."""
    return _mathml
