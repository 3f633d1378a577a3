"""What is stacked from several arrays is one of them where its place is a number: also under a division and in a comparison."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tracer.calculus import add, constant, entry, multiply, power, prove_equal, scale
from tracer.calculus.algebra import of_factor
from tracer.calculus.terms import Axis, Definition, Delta, Entry, Expr, Index, Mask

I, J = Index("i", Axis("n")), Index("j", Axis("m"))


def stacked(name: str, *items: str) -> Definition:
    """Items with the axis m, one after the other along n."""
    each = (multiply(of_factor(Delta(I, k)), entry(item, J)) for k, item in enumerate(items))
    return Definition(name, (I, J), add(*each))


def positive(array: str, *at: Index | int) -> Expr:
    return of_factor(Mask(">", Entry(array, at), Fraction(0)))


# h = 1 + e, so that it is no product; p is the stack of h and g, and q one less it.
DEFINITIONS = {
    "h": Definition("h", (J,), add(constant(1), entry("e", J))),
    "p": stacked("p", "h", "g"),
    "q": Definition("q", (I, J), add(constant(1), scale(entry("p", I, J), -1))),
    "r": Definition("r", (I, J), power(entry("p", I, J), -1)),
}


@pytest.mark.parametrize(("place", "item"), [(0, "h"), (1, "g")])
def test_one_over_a_stack_is_one_over_the_item(place: int, item: str) -> None:
    other = "g" if item == "h" else "h"
    inverse = power(entry("p", place, J), -1)
    assert prove_equal(inverse, power(entry(item, J), -1), DEFINITIONS).proved
    assert not prove_equal(inverse, power(entry(other, J), -1), DEFINITIONS).proved


def test_fractions_of_items_cancel() -> None:
    left = multiply(entry("q", 0, J), power(entry("p", 0, J), -1))
    right = add(power(entry("h", J), -1), constant(-1))
    assert prove_equal(left, right, DEFINITIONS).proved
    assert not prove_equal(left, add(power(entry("g", J), -1), constant(-1)), DEFINITIONS).proved


def test_an_entry_of_a_stack_is_positive_where_the_item_is() -> None:
    assert prove_equal(positive("p", 1, J), positive("g", J), DEFINITIONS).proved
    assert not prove_equal(positive("p", 1, J), positive("h", J), DEFINITIONS).proved
    assert not prove_equal(positive("p", 1, J), positive("e", J), DEFINITIONS).proved


def test_nothing_is_known_of_an_item_whose_place_is_not() -> None:
    assert not prove_equal(power(entry("p", I, J), -1), power(entry("g", J), -1), DEFINITIONS).proved


@pytest.mark.parametrize("aside", [(), ("w",)])
def test_what_is_set_aside_is_looked_into_where_nothing_else_helps(aside: tuple[str, ...]) -> None:
    definitions = {"w": Definition("w", (J,), scale(entry("e", J), 2)), "d": Definition("d", (J,), entry("w", J))}
    assert prove_equal(entry("d", J), scale(entry("e", J), 2), definitions, aside=aside).proved
    assert not prove_equal(entry("d", J), scale(entry("e", J), 3), definitions, aside=aside).proved
