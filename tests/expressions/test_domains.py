"""What numbers the arrays of an expression may hold is found by trying."""

from __future__ import annotations

import numpy as np
import pytest

from tracer.expressions.inputs import Inputs, find_inputs
from tracer.expressions.reading import read_expression
from tracer.expressions.shapes import read_shapes, sizes_of


def found(expression: str, *shapes: str) -> Inputs:
    given = read_shapes(shapes)
    return find_inputs(read_expression(expression, given), given)


@pytest.mark.parametrize(
    "expression,shapes,kinds",
    [
        ("X @ W", "X=N,D W=D,h", {"X": "real", "W": "real"}),
        ("1 / x", "x=N", {"x": "real"}),
        ("np.linalg.inv(A)", "A=D,D", {"A": "real"}),
        ("np.log(X) + Z", "X=N Z=N", {"X": "positive", "Z": "real"}),
        ("np.log(X @ W)", "X=N,D W=D,h", {"X": "positive", "W": "positive"}),
        ("np.arcsin(x)", "x=N", {"x": "between -1 and 1"}),
        ("np.log(1 - x) + np.log(x)", "x=N", {"x": "between 0 and 1"}),
        ("np.log(x - 1)", "x=N", {"x": "greater than 1"}),
        ("np.linalg.cholesky(A)", "A=D,D", {"A": "positive definite"}),
        ("P[np.arange(N), y]", "P=N,K y=N", {"P": "real", "y": "integer"}),
        ("-np.log(P[np.arange(N), y])", "P=N,K y=N", {"P": "positive", "y": "integer"}),
        (
            "U[o] @ V[c] + U[k] @ V[c]",
            "U=M,d V=K,d o= c= k=",
            {"U": "real", "V": "real", **dict.fromkeys("ock", "integer")},
        ),
    ],
)
def test_the_most_general_numbers_at_which_it_is_finite(
    expression: str, shapes: str, kinds: dict[str, str]
) -> None:
    inputs = found(expression, *shapes.split())
    assert inputs.kinds == kinds
    for seed in range(5):
        assert np.all(np.isfinite(inputs.value(inputs.draw(seed))))


def test_positions_reach_the_end_of_the_axis_that_they_select_from() -> None:
    inputs = found("E[i]", "i=N", "E=V,d")
    assert inputs.below == {"i": inputs.sizes["V"]}
    drawn = {int(k) for seed in range(40) for k in inputs.draw(seed)["i"]}
    assert drawn == set(range(inputs.sizes["V"]))


def test_named_axes_have_sizes_that_no_other_axis_has() -> None:
    sizes = sizes_of(read_shapes(["X=N,3", "W=D,4", "b=1,h"]))
    assert set(sizes) == {"N", "D", "h"}
    assert len(set(sizes.values()) | {1, 3, 4}) == 6


def test_named_axes_have_sizes_that_no_number_of_the_expression_is() -> None:
    inputs = found("np.repeat(x, 3) * 5", "x=N")
    assert inputs.sizes["N"] not in (3, 5)


def test_one_of_many_arrays_may_need_positive_numbers() -> None:
    names = "abcdefghij"
    for needy in "aej":
        expression = f"np.log({needy}) * " + " * ".join(names)
        inputs = found(expression, *(f"{name}=N" for name in names))
        assert [name for name in names if inputs.kinds[name] != "real"] == [needy]
    together = found("np.log(" + " + ".join(names) + ")", *(f"{name}=N" for name in names))
    assert np.all(np.isfinite(together.value(together.draw(1))))
