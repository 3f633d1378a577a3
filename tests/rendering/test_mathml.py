"""MathML made fit for a page: smaller, cut at its clauses, and never another formula."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from tests.rendering.fixture import explanation
from tracer.formula import to_mathml
from tracer.formula.tree import Number, Relation, Row, Subscript, Symbol, Text
from tracer.rendering.mathml import clauses, lean, left_alone, sides

W = Symbol("W2", "W", "2")
T = Symbol("t1", "t", "1")
EQUATION = to_mathml(Relation(Subscript(W, (Symbol("", "i"),)), "=", Subscript(T, (Symbol("", "i"),))))
WHERE = to_mathml(
    Row(
        (
            Relation(W, "=", T), Text(" where "), Relation(T, "=", Number("3")), Text(", "),
            Relation(Symbol("t2", "t", "2"), "=", Number("4")),
        )
    )
)  # fmt: skip


def shown(mathml: str) -> str:
    """The symbols that a reader sees, in order."""
    without = re.sub(r"<annotation.*?</annotation>", "", mathml)
    return "".join(re.sub(r"<[^>]*>", " ", without).split())


def formulas() -> list[str]:
    parts = [part for line in explanation().lines for part in line.parts]
    found = [part.formula.matrix.mathml for part in parts if part.formula and part.formula.matrix]
    return [*found, *(step.mathml for part in parts if part.derivation for step in part.derivation.steps)]


@pytest.mark.parametrize("mathml", [EQUATION, WHERE, *formulas()])
def test_a_lean_formula_shows_the_same_symbols(mathml: str) -> None:
    small = lean(mathml, {"W2"})
    assert shown(small) == shown(mathml)
    assert len(small) < len(mathml)
    assert "aria-label" not in small
    assert "annotation" not in small
    quoted = re.sub(r"(\w[\w-]*)=([^\s\"/>]+)", r'\1="\2"', small)
    ElementTree.fromstring(quoted)  # elements are closed in order


def test_only_variables_of_the_page_keep_their_mark() -> None:
    small = lean(EQUATION, {"W2"})
    assert "data-s=W2" in small
    assert "t1" not in small


def test_a_formula_is_cut_at_its_explanations() -> None:
    whole, first, second = clauses(WHERE)
    assert [shown(whole), shown(first), shown(second)] == ["W2=t1", "where&#xa0;t1=3", "t2=4"]
    assert "annotation" in whole  # the text that is copied is that of the whole
    assert clauses(EQUATION) == (EQUATION,)


def test_the_two_sides_of_an_equation_are_its_symbols() -> None:
    left, rest = sides(EQUATION)
    assert shown(left) + shown(rest) == shown(EQUATION)
    assert shown(rest).startswith("=")
    assert shown(left_alone(EQUATION)) == shown(left)


@pytest.mark.parametrize("text", ["", "x = 1", "<b>x</b>", "<math><mi>x</mi></math>"])
def test_what_is_no_equation_is_left_as_it_is(text: str) -> None:
    assert sides(text) == ("", text)
    assert clauses(text) == (text,)
    assert left_alone(text) == ""
