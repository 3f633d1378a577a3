"""Programs on arrays whose forward pass is NumPy's, and whose updates are loops over single entries."""

from __future__ import annotations

import pytest

from tests.building.explained import explained_source, judged_source, parts
from tests.matching.factorised import RIGHT, factorisation
from tracer.api import Explanation
from tracer.explanation.model import Part

RATINGS = """\
import numpy as np

class Factors:
    def __init__(self, R, K, rate, reg):
        self.R, self.K, self.rate, self.reg = R, K, rate, reg
        self.P = np.random.normal(size=(R.shape[0], K))
        self.Q = np.random.normal(size=(R.shape[1], K))
        self.b_u = np.zeros(R.shape[0])
        self.b_i = np.zeros(R.shape[1])
        self.b = np.mean(R[np.where(R != 0)])

    def train(self, epochs):
        samples = [(i, j, self.R[i, j]) for i in range(5) for j in range(4) if self.R[i, j] > 0]
        for _ in range(epochs):
            self.sgd(samples)

    def sgd(self, samples):
        for i, j, r in samples:
            e = r - (self.b + self.b_u[i] + self.b_i[j] + self.P[i, :].dot(self.Q[j, :].T))
            self.b_u[i] += self.rate * (e - self.reg * self.b_u[i])
            self.b_i[j] += self.rate * (e - self.reg * self.b_i[j])
            for k in range(self.K):
                old = self.P[i, k]
                self.P[i, k] += self.rate * (e * self.Q[j, k] - self.reg * self.P[i, k])
                self.Q[j, k] += self.rate * (e * old - self.reg * self.Q[j, k])

np.random.seed(1)
Factors(np.array([[5, 3, 0, 1], [4, 0, 0, 1], [1, 1, 0, 5], [1, 0, 0, 4], [0, 1, 5, 4]]), 3, 0.1, 0.01).train(3)
"""
NET = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(12, 3)), rng.uniform(size=(12, 2))
W1, b1 = rng.normal(size=(4, 3)), np.zeros(4)
W2, b2 = rng.normal(size=(2, 4)), np.zeros(2)
rate = 0.1

def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))

for epoch in range(3):
    total = 0
    for x, t in zip(X, T):
        h = sigmoid(np.dot(W1, x) + b1)
        y = sigmoid(np.dot(W2, h) + b2)
        total += 0.5 * np.sum((y - t) ** 2)
        delta2 = (y - t) * y * (1 - y)
        delta1 = np.dot(W2.T, delta2) * h * (1 - h)
        for i in range(2):
            for j in range(4):
                W2[i][j] -= rate * delta2[i] * h[j]
            b2[i] -= rate * delta2[i]
        for i in range(4):
            for j in range(3):
                W1[i][j] -= rate * delta1[i] * x[j]
            b1[i] -= rate * delta1[i]
"""
SOFTMAX = """\
import numpy as np
rng = np.random.RandomState(1)
X, y = rng.randn(8, 4), rng.randint(0, 3, 8)
W, b = 0.1 * rng.randn(3, 4), np.zeros(3)
rate = 0.1
for step in range(3):
    loss = 0.0
    for i in range(8):
        s = W.dot(X[i]) + b
        p = np.exp(s - np.max(s))
        p /= np.sum(p)
        loss -= np.log(p[y[i]])
        for c in range(3):
            g = p[c] - (1 if c == y[i] else 0)
            for d in range(4):
                W[c, d] -= rate * g * X[i, d]
            b[c] -= rate * g
"""


def judged(found: Explanation) -> list[Part]:
    return [part for _, part in parts(found) if part.verdict is not None]


def of(found: Explanation, source: str) -> Part:
    return next(part for _, part in parts(found) if part.source == source)


@pytest.mark.parametrize("source", [RATINGS, NET, *(factorisation(RIGHT[s]) for s in ("read before", "in place"))])
def test_every_line_is_proved(source: str) -> None:
    assert {part.verdict for part in judged(judged_source(source))} == {"proved"}


def test_a_softmax_with_a_branch_for_the_class_is_checked() -> None:
    found = judged_source(SOFTMAX)
    assert {part.verdict for part in judged(found)} == {"checked"}
    assert of(found, "rate * g * X[i, d]").wrt == "W[c, d]"


def test_the_line_in_the_loop_is_told_once_in_terms_of_its_variables() -> None:
    found = judged_source(NET)
    step = of(found, "rate * delta1[i] * x[j]")
    assert (step.role, step.wrt, step.of, step.scale, step.occurrences) == ("gradient", "W1[i][j]", "total", "rate", 12)
    assert [p.source for p in judged(found)].count("rate * delta1[i] * x[j]") == 1
    update = of(found, "W1[i][j] -= rate * delta1[i] * x[j]")
    assert (update.role, update.target, update.occurrences, update.optimiser) == ("update", "W1", 12, "gradient descent")
    assert update.formula is not None
    assert update.formula.matrix.text == "W1[i][j] ← W1[i][j] − rate · ∂total/∂W1[i][j]"


def test_the_derivation_goes_by_the_array_and_picks_the_entry_at_its_end() -> None:
    step = of(explained_source(NET), "rate * delta1[i] * x[j]")
    assert step.derivation is not None
    rules = [s.rule for s in step.derivation.steps]
    assert rules.count("the entry that changes") == 1
    picked = step.derivation.steps[rules.index("the entry that changes")]
    assert picked.left == "dtotal/d(W1[i][j])[()]"
    assert "x[2]" in picked.text
    assert step.formula is not None
    assert step.entry is not None
    assert step.entry.finite_difference == pytest.approx(step.entry.value, rel=1e-5)


def test_an_inferred_loss_has_the_penalty_that_the_steps_take() -> None:
    found = explained_source(factorisation(RIGHT["read before"]))
    (loss,) = found.losses
    assert loss.inferred
    assert loss.formula is not None
    assert loss.formula.text.endswith("(β / 2) · Σ_i P[0,i]² + (β / 2) · Σ_i Q[i,1]² + eij²")
    step = of(found, "2 * eij * qkj - beta * pik")
    assert (step.wrt, step.names, step.scale) == ("P[i][k]", ("pik",), "-1")
    assert step.formula is not None
    assert step.formula.matrix.text.endswith("2 · eij · Q[1,1] − β · P[0,1]")


STEPS = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
W, V = rng.normal(size=(2, 3)), np.zeros((2, 3))
rate, mu, decay = 0.1, 0.9, 0.01
for x, t in zip(X, T):
    d = np.dot(W, x) - t
    loss = 0.5 * np.sum(d ** 2)
    for i in range(2):
        for j in range(3):
            g = {gradient}
            {step}
"""


@pytest.mark.parametrize(
    ("step", "optimiser"),
    [
        ("W[i][j] -= rate * g", "gradient descent"),
        ("W[i][j] = W[i][j] - 2 * rate * g", "gradient descent"),
        ("W[i][j] = W[i][j] - rate * g - decay * W[i][j]", "gradient descent with weight decay"),
        ("W[i, j] = (1 - decay) * W[i, j] - rate * g", "gradient descent with weight decay"),
        ("V[i][j] = mu * V[i][j] - rate * g; W[i][j] += V[i][j]", "momentum"),
        ("W[i][j] = W[i][j] - rate * g + mu * V[i][j]; V[i][j] = -g", "momentum"),
        ("V[i, j] += g * g; W[i, j] -= rate * g / (np.sqrt(V[i, j]) + 1e-8)", "adagrad"),
    ],
)
def test_the_optimiser_of_a_step_by_an_entry_is_told(step: str, optimiser: str) -> None:
    found = judged_source(STEPS.format(gradient="d[i] * x[j]", step=step))
    assert {part.verdict for part in judged(found)} == {"proved"}
    steps = [p for _, p in parts(found) if p.role == "update" and p.target == "W" and p.occurrences == 6]
    assert {(p.optimiser, p.wrt) for p in steps} == {(optimiser, "W[i, j]" if "W[i, j]" in step else "W[i][j]")}
    spoiled = judged_source(STEPS.format(gradient="d[i] * x[j - 1]", step=step))
    assert "proved" not in {part.verdict for part in judged(spoiled) if part.wrt and part.wrt.startswith("W[")}
