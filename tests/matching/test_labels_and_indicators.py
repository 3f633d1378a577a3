"""The loss reads labels, the gradient the zeros and ones that stand for them: both are drawn as one."""

from __future__ import annotations

import pytest

from tests.building.explained import explained_source, parts

HEAD = """\
import numpy as np
rng = np.random.default_rng(0)
N, D, K = 12, 4, 3
X, W = rng.normal(size=(N, D)), rng.normal(size=(D, K)) * 0.1
"""
LABELS_FIRST = "y = rng.integers(0, K, N)\nY = np.eye(K)[y]\n"
INDICATORS_FIRST = "Y = np.zeros((N, K))\nY[np.arange(N), np.arange(N) % K] = 1\ny = Y.argmax(axis=1)\n"
ROWS = """\
for i in range(3):
    S = X @ W
    P = np.exp(S) / np.exp(S).sum(1, keepdims=True)
    loss = -np.log(P[np.arange(N), y]).mean()
    dS = (P - Y) / N
    dW = X.T @ dS
    W -= 0.1 * dW
"""
COLUMNS = """\
Y, W = Y.T, rng.normal(size=(K, D)) * 0.1
for i in range(3):
    S = W @ X.T
    P = np.exp(S) / np.exp(S).sum(0)
    loss = -np.log(P[y, np.arange(N)]).mean()
    dS = (P - Y) / N
    dW = dS @ X
    W = W - 0.1 * dW
"""
RIGHT = {
    "labels first": HEAD + LABELS_FIRST + ROWS,
    "indicators first": HEAD + INDICATORS_FIRST + ROWS,
    "columns": HEAD + LABELS_FIRST + COLUMNS,
}


def verdicts(source: str) -> dict[str | None, str | None]:
    return {p.target: p.verdict for _, p in parts(explained_source(source)) if p.whole and p.target in ("dS", "dW")}


@pytest.mark.parametrize("name", RIGHT)
def test_the_gradient_by_indicators_is_that_of_the_loss_by_labels(name: str) -> None:
    found = explained_source(RIGHT[name])
    gradients = [p for _, p in parts(found) if p.whole and p.target in ("dS", "dW")]
    assert [p.verdict for p in gradients] == ["checked", "checked"]
    assert any("one-hot, at y" in a for p in gradients if p.evidence is not None for a in p.evidence.assumptions)


@pytest.mark.parametrize(
    ("right", "other"),
    [("(P - Y)", "(P - Y[:, ::-1])"), ("(P - Y)", "(P - 2 * Y)"), ("Y = np.eye(K)[y]\n", "Y = np.eye(K)[y][::-1]\n")],
)
def test_other_indicators_are_not_the_gradient(right: str, other: str) -> None:
    source = RIGHT["labels first"]
    assert right in source
    assert not {"checked", "proved"} & set(verdicts(source.replace(right, other)).values())
