"""A proved gradient is shown in the program's own names, as the program writes it, where that is shorter."""

from __future__ import annotations

import pytest

from tests.building.explained import explained_source
from tracer.explanation.model import Part

SCORES = """
import numpy as np
np.random.seed(1)
X = np.random.randn(6, 5)
W = np.random.randn(5, 3)
t = np.array([0, 1, 2, 0, 1, 2])
n = X.shape[0]
for it in range(3):
    s = X @ W
    loss = np.mean({loss})
    p = {p}
    ds = p.copy()
    ds[np.arange(n), t] -= 1
    ds /= n
    dW = X.T @ ds
    W = W - 0.1 * dW
"""

LOGITS = """
import numpy as np
np.random.seed(1)
X = np.random.randn(8, 4)
w = np.random.randn(4)
y = (np.random.rand(8) > 0.5).astype(float)
m = X.shape[0]
for it in range(3):
    z = X @ w
    loss = np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))
    p = 1 / (1 + np.exp(-z))
    dz = {dz}
    dw = X.T @ dz
    w = w - 0.1 * dw
"""


def last(source: str, name: str) -> Part:
    """The last whole line that a name is bound in."""
    return [p for line in explained_source(source).lines for p in line.parts if p.whole and p.target == name][-1]


@pytest.mark.parametrize(
    ("loss", "p"),
    [
        ("np.log(np.sum(np.exp(s), axis=1)) - s[np.arange(n), t]", "np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)"),
        ("np.log(np.exp(s).sum(1)) - s[np.arange(n), t]", "np.exp(s - np.log(np.exp(s).sum(1, keepdims=True)))"),
    ],
)
def test_log_sum_exp_is_shown_with_the_softmax_that_the_program_names(loss: str, p: str) -> None:
    found = last(SCORES.format(loss=loss, p=p), "ds")
    assert found.verdict == "proved"
    assert found.formula is not None
    assert found.formula.matrix.text == "∂loss/∂s = (p − 1_t) / n"
    assert found.derivation is not None
    assert "as the program writes it" in {s.rule for s in found.derivation.steps}


def test_scores_without_overflow_are_shown_with_the_sigmoid_that_the_program_names() -> None:
    found = last(LOGITS.format(dz="(p - y) / m"), "dz")
    assert found.verdict == "proved"
    assert found.formula is not None
    assert found.formula.matrix.text == "∂loss/∂z = (p − y) / m"


def test_what_is_not_equal_is_not_shown_as_the_gradient() -> None:
    found = last(LOGITS.format(dz="(p - 2 * y) / m"), "dz")
    assert found.of != "loss" or found.verdict != "proved"
    assert found.formula is None or not found.formula.matrix.text.startswith("∂loss/∂z = (p − 2")


def test_a_longer_way_to_write_it_does_not_replace_the_derived_formula() -> None:
    found = last(LOGITS.format(dz="(p * p - y + p * (1 - p)) / m"), "dz")
    assert found.verdict == "proved"
    assert found.formula is not None
    assert "p²" not in found.formula.matrix.text


ERRORS_TURNED_ROUND = """\
import numpy as np
rng = np.random.default_rng(0)
X, y, w = rng.normal(size=(6, 3)), rng.normal(size=(6, 1)), rng.normal(size=(3, 1))
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
for step in range(3):
    z = X @ w
    out = sigmoid(z)
    loss = 0.5 * np.sum((y - out) ** 2)
    delta = (y - out) * out * (1 - out)
    w += 0.1 * X.T @ delta
"""


def test_minus_a_gradient_is_told_by_the_variable_with_a_sign_before_it() -> None:
    found = explained_source(ERRORS_TURNED_ROUND)
    [delta] = [p for line in found.lines for p in line.parts if p.target == "delta" and p.whole]
    assert (delta.wrt, delta.scale, delta.verdict) == ("z", "-1", "proved")
    assert delta.formula is not None
    assert delta.formula.matrix.text.startswith("−∂loss/∂z = ")
    assert delta.formula.index is not None
    assert delta.formula.index.text.startswith("−∂loss/∂z[")
