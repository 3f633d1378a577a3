"""No loss is computed, and the backward pass starts from labels: the cross-entropy, or the squared error, is inferred."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.building.explained import judged_source, parts
from tracer.api import Explanation

FOLDER = Path(__file__).parents[1] / "programs" / "without_a_loss"
PROGRAMS = {p.stem: p.read_text(encoding="utf-8") for p in sorted(FOLDER.glob("*.py"))}

SCRIPT = "labels_taken_from_probabilities"
METHOD = "labels_in_a_method"
LAYERS = "layers_that_update_while_going_backward"
SLOPES = "errors_times_slopes_in_a_class"

WITH_LOSS = PROGRAMS[SCRIPT].replace(
    "    dscores = probs\n", "    loss = -np.log(probs[range(N), y]).sum() / N\n    dscores = probs\n"
)
STALE = PROGRAMS[LAYERS].replace(
    "        dx = grad @ self.W.T\n        self.W -= lr * dW\n        self.b -= lr * db\n        return dx\n",
    "        self.W -= lr * dW\n        self.b -= lr * db\n        return grad @ self.W.T\n",
)
ALSO_STALE_BELOW = STALE.replace("Dense(4, 8), ReLU(),", "Dense(4, 6), ReLU(), Dense(6, 8), ReLU(),")

#: The program, what is planted, and the kind that is named on that line.
FAULTS = [
    (SCRIPT, "dhidden[hidden_layer <= 0] = 0", "dhidden[hidden_layer > 0] = 0", "missing mask"),
    (SCRIPT, "dW2 = np.dot(hidden_layer.T, dscores)", "dW2 = np.dot((hidden_layer > 0).T, dscores)", "wrong operand"),
    (METHOD, "(1 - self.a1 ** 2)", "(1 - self.a1)", "missing derivative"),
    (METHOD, "db1 = delta2.sum(axis=0)", "db1 = delta2.mean(axis=0)", "factor"),
    (SLOPES, " * sigmoid_deriv(self.layer1))", ")", "missing derivative"),
]


def wrong(found: Explanation) -> list[tuple[int, str]]:
    return [(n, p.diagnosis.kind) for n, p in parts(found) if p.verdict == "wrong" and p.diagnosis is not None]


def line_of(source: str, text: str) -> int:
    return source[: source.index(text)].count("\n") + 1


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_program_steps_along_the_gradients_of_an_inferred_loss(name: str) -> None:
    found = judged_source(PROGRAMS[name])
    assert [loss.inferred for loss in found.losses] == [True]
    assert not wrong(found)
    assert [(n, p.source) for n, p in parts(found) if p.verdict == "unexplained"] == []
    updates = [p for _, p in parts(found) if p.role == "update" and p.of is not None]
    assert updates
    assert {p.optimiser for p in updates} <= {"gradient descent", "gradient descent with weight decay", "rmsprop"}


@pytest.mark.parametrize(("name", "right", "planted", "kind"), FAULTS, ids=[f"{f[0]}: {f[2]}" for f in FAULTS])
def test_a_fault_is_named(name: str, right: str, planted: str, kind: str) -> None:
    source = PROGRAMS[name]
    assert (line_of(source, right), kind) in wrong(judged_source(source.replace(right, planted)))


@pytest.mark.parametrize("source", [STALE, ALSO_STALE_BELOW], ids=["one layer", "two layers"])
def test_weights_that_a_layer_updates_before_it_passes_the_gradient_on_are_stale(source: str) -> None:
    assert source not in PROGRAMS.values()
    assert set(wrong(judged_source(source))) == {(line_of(source, "return grad @ self.W.T"), "stale operand")}


@pytest.mark.parametrize("source", [PROGRAMS[SCRIPT], WITH_LOSS], ids=["inferred", "computed"])
def test_weight_decay_that_the_loss_does_not_have_is_a_convention(source: str) -> None:
    found = judged_source(source)
    assert not wrong(found)
    decaying = {p.wrt for _, p in parts(found) if p.role == "update" and (p.optimiser or "").endswith("decay") and p.wrt}
    assert decaying == {"W", "W2"}


def test_weight_decay_that_makes_weights_grow_is_none() -> None:
    source = WITH_LOSS.replace("dW2 += reg * W2", "dW2 -= reg * W2")
    assert {n for n, _ in wrong(judged_source(source))} == {line_of(source, "dW2 -= reg * W2")}


def test_the_iteration_in_which_summed_gradients_become_a_step_is_explained() -> None:
    found = judged_source(PROGRAMS["policy_updated_every_few_episodes"])
    assert any("Iterations 3 to 5 are explained as one step: only then does this loop update the parameters" in n.what for n in found.notices)
    steps = {p.optimiser for _, p in parts(found) if p.role == "update" and p.source.startswith("policy[name] +=")}
    assert steps == {"rmsprop"}


def test_a_policy_that_an_error_of_a_critic_weights_is_not_said_to_go_the_wrong_way() -> None:
    program = FOLDER.parent / "critics" / "actor_and_critic_with_one_error.py"
    found = judged_source(program.read_text(encoding="utf-8"))
    assert not wrong(found)
    assert {p.verdict for _, p in parts(found) if p.source == "dlog[a] += 1"} == {"proved"}


SELDOM = """\
import numpy as np
np.random.seed(0)
X, y = np.random.randn(12, 3), np.random.randint(4, size=12)
W = 0.1 * np.random.randn(3, 4)


def value(p, y):
    return -np.log(p[np.arange(12), y]).mean()


for i in range(40):
    p = np.exp(X @ W)
    p /= p.sum(axis=1, keepdims=True)
    if i % 20 == 0:
        print(value(p, y))
    d = p.copy()
    d[np.arange(12), y] -= 1
    dW = X.T @ d / 12
    W -= 0.5 * dW
"""


def test_a_step_is_explained_though_only_another_iteration_computes_a_loss() -> None:
    found = judged_source(SELDOM)
    assert {p.verdict for _, p in parts(found) if p.target == "dW"} == {"proved"}
    assert not wrong(found)
    planted = judged_source(SELDOM.replace("X.T @ d / 12", "X.T @ p / 12"))
    assert {p.verdict for _, p in parts(planted) if p.target == "dW"}.isdisjoint({"proved", "checked"})


HEADS = (FOLDER.parent / "critics" / "actor_and_critic_with_two_heads.py").read_text(encoding="utf-8")


def test_advantages_that_are_held_constant_are_no_missing_term() -> None:
    assert not wrong(judged_source(HEADS))


def test_a_fault_beside_constant_advantages_is_found() -> None:
    planted = HEADS.replace("dWp, dbp = h.T @ dz", "dWp, dbp = (1 - h * h).T @ dz")
    assert (line_of(HEADS, "dWp, dbp ="), "wrong operand") in wrong(judged_source(planted))


def test_entries_that_are_copied_at_a_computed_place_are_no_labels() -> None:
    source = PROGRAMS[SCRIPT].replace(
        "    dscores = probs\n", "    seen = np.zeros(2)\n    k = i * 0 + 1\n    seen[k] = probs[k, k]\n    dscores = probs\n"
    )
    assert source != PROGRAMS[SCRIPT]
    assert [loss.inferred for loss in judged_source(source).losses] == [True]
