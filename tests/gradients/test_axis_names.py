"""Axes are called what the author calls them, by who gave the size and never by the number."""

from __future__ import annotations

import pytest

from tests.building.explained import analysed_source, analysis, explanation
from tracer.matching.analysis import Analysis


def axes_of(found: Analysis, name: str) -> tuple[str, ...]:
    node = next(n for n in found.tape.window_nodes() if name in n.names)
    return tuple(found.graph.axis_text(a) for a in found.graph.axes(node.id))


@pytest.mark.parametrize(
    ("program", "axes"),
    [
        (
            "spiral_python2",
            {
                "X": ("num_examples", "D"),
                "W": ("D", "h"),
                "b": ("1", "h"),
                "W2": ("h", "K"),
                "b2": ("1", "K"),
                "hidden": ("num_examples", "h"),
                "scores": ("num_examples", "K"),
                "logprobs": ("num_examples",),
                "dW2": ("h", "K"),
                "db2": ("1", "K"),
                "dhidden": ("num_examples", "h"),
                "dW": ("D", "h"),
                "loss": (),
            },
        ),
        (
            "ascent_with_stale_weights",
            {"H": ("N", "M"), "A": ("N", "K"), "P": ("N", "K"), "T": ("N", "K"), "V": ("D", "M"), "c": ("M",), "W": ("M", "K"), "d": ("K",)},
        ),
        (
            "square_sizes",
            {"X": ("N", "D"), "W": ("D", "H"), "Z": ("N", "H"), "V": ("H", "1"), "out": ("N", "1"), "dW": ("D", "H"), "dA": ("N", "H")},
        ),
        (
            "relu_mean_squares",
            {"first.w": ("features", "units"), "a1": ("batch", "units"), "guess": ("batch", "1"), "grad_w1": ("features", "units")},
        ),
        ("line_through_points", {"x": ("n", "d"), "w": ("d",), "guess": ("n",), "dw": ("d",), "offset": ()}),
        ("two_layer_net", {"X": ("N", "D"), "W1": ("D", "h"), "W2": ("h", "K"), "dscores": ("N", "K"), "dhidden": ("N", "h")}),
    ],
)
def test_the_axes_have_the_names_of_the_author(program: str, axes: dict[str, tuple[str, ...]]) -> None:
    found = analysis(program)
    assert {name: axes_of(found, name) for name in axes} == axes


def test_a_number_of_points_per_class_does_not_name_the_axis_of_all_points() -> None:
    """N is 7 and K is 3 there; the axis of N * K is not N."""
    found = analysis("spiral_python2")
    assert axes_of(found, "X")[0] not in ("N", "K")
    assert "N" not in {a for line in explanation("spiral_python2").lines for p in line.parts if p.verdict for a in p.axes or ()}


PRODUCT = """\
import numpy as np
N, K, D = 4, 3, 2
X = np.random.randn(N * K, D)
t = np.random.randn(N * K)
w = np.zeros(D)
for i in range(4):
    r = X.dot(w) - t
    loss = np.sum(r ** 2)
    dw = 2 * X.T.dot(r)
    w -= 0.1 * dw
"""


def test_an_axis_without_a_variable_is_called_by_the_expression_of_its_size() -> None:
    found = analysed_source(PRODUCT)
    assert axes_of(found, "X") == ("N * K", "D")
    assert axes_of(found, "dw") == ("D",)


def test_an_axis_whose_size_is_a_plain_number_gets_a_neutral_name() -> None:
    found = analysed_source(PRODUCT.replace("N * K", "12").replace("D))", "2))").replace("D)", "2)"))
    names = axes_of(found, "X")
    assert len(set(names)) == 2
    assert not {"N", "K", "D"} & set(names)
    assert all(n.startswith("d") for n in names)


def test_a_size_that_is_read_off_an_array_names_its_axis() -> None:
    found = analysed_source(
        PRODUCT.replace("N * K", "12").replace("w = np.zeros(D)", "rows, columns = X.shape\nw = np.zeros(columns)")
    )
    assert axes_of(found, "X") == ("rows", "D")
    assert axes_of(found, "w") == ("D",)


def test_axes_of_one_size_and_different_variables_have_different_names() -> None:
    found = analysed_source(PRODUCT.replace("N, K, D = 4, 3, 2", "N, K, D = 2, 1, 2"))
    assert axes_of(found, "X") == ("N * K", "D")


def test_one_variable_that_sizes_two_axes_names_both() -> None:
    source = PRODUCT.replace("X = np.random.randn(N * K, D)", "X = np.random.randn(N, N)").replace("D", "N").replace("N * K", "N")
    assert axes_of(analysed_source(source.replace("N, K, N = 4, 3, 2", "N = 4")), "X") == ("N", "N")
