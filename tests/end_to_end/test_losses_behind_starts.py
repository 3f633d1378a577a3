"""Programs that write no loss at all, only what the backward pass starts from: the loss is inferred, or said not to be known."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.building.explained import judged_source, parts
from tracer.api import Explanation

FOLDER = Path(__file__).parents[1] / "programs" / "only_the_start"
PROGRAMS = {p.stem: p.read_text(encoding="utf-8") for p in sorted(FOLDER.glob("*.py"))}

#: What the report says that the backward pass fits.
SAYS = {
    "adversaries_with_numbers_as_targets": "binary cross-entropy with the target 0 + binary cross-entropy with the target 1; "
    "binary cross-entropy with the target 1",
    "hinge_from_a_mask": "the hinge loss",
    "margins_of_several_classes": "the hinge loss of several classes",
    "triplets_with_a_mask": "the hinge loss of a difference",
    "pairs_that_are_ranked": "binary cross-entropy with the target 1",
    "counts_with_an_exponential_mean": "the negative log-likelihood of Poisson counts y",
    "errors_that_are_clipped": "the Huber loss with delta",
    "quantiles_by_where": "the quantile loss with tau",
    "code_and_picture": "binary cross-entropy with the target x + the divergence of a normal distribution from the standard one",
    "mixture_of_densities": "minus the sum of log(joint.sum(axis=1, keepdims=True))",
    "critic_of_constants": "minus the sum of f_real + the sum of f_fake; minus the sum of f_fake",
    "contrastive_divergence": "a difference of free energies",
    "actor_and_critic_without_a_call": "cross-entropy weighted by adv, which is held constant + half the sum of squared errors",
    "values_with_an_estimated_target": "half the sum of squared errors, the target target held constant",
}
UNKNOWN = "nobody_knows_which"

#: The program, what is planted, and the kind that is named on that line.
FAULTS = [
    ("adversaries_with_numbers_as_targets", "hr.T @ d_real + hf.T", "hr.T @ d_real - hf.T", "sign"),
    ("adversaries_with_numbers_as_targets", "dgh = dfake @ G2.T * (1 - gh ** 2)", "dgh = dfake @ G2.T", "missing derivative"),
    ("pairs_that_are_ranked", "Xj.T @ dhj", "Xi.T @ dhj", "wrong operand"),
    ("counts_with_an_exponential_mean", "db = r.mean()", "db = mu.mean()", "wrong operand"),
    ("errors_that_are_clipped", "dh * (a > 0)", "dh", "missing mask"),
    ("code_and_picture", "dhd = dlogits @ Wo.T * (1 - hd ** 2)", "dhd = dlogits @ Wo.T * (1 - hd)", "missing derivative"),
    (UNKNOWN, "dh * (a > 0)", "dh", "missing mask"),
    (UNKNOWN, "h.T @ dout", "a.T @ dout", "wrong operand"),
    (UNKNOWN, "dh = dout @ W2.T", "dh = -dout @ W2.T", "sign"),
]

#: Starts that are the gradient of no known loss: what is planted, and the line that is not known then.
WRONG_STARTS = [
    ("adversaries_with_numbers_as_targets", "(p_real - 1) / n", "(p_real + 1) / n"),
    ("counts_with_an_exponential_mean", "r = mu - y", "r = mu + y"),
    ("errors_that_are_clipped", "np.clip(r, -delta, delta)", "np.clip(r, 0, delta)"),
    ("quantiles_by_where", "np.where(r > 0, 1 - tau, -tau)", "np.where(r > 0, 1 - tau, tau)"),
]


@cache
def explained(name: str) -> Explanation:
    return judged_source(PROGRAMS[name])


def wrong(found: Explanation) -> list[tuple[int, str]]:
    return [(n, p.diagnosis.kind) for n, p in parts(found) if p.verdict == "wrong" and p.diagnosis is not None]


def unknown(found: Explanation) -> set[int]:
    return {n for n, p in parts(found) if p.verdict == "unexplained"}


def line_of(source: str, text: str) -> int:
    assert text in source
    return source[: source.index(text)].count("\n") + 1


def test_every_program_is_asked_about() -> None:
    assert PROGRAMS.keys() == SAYS.keys() | {UNKNOWN}


@pytest.mark.parametrize("name", SAYS)
def test_the_loss_is_inferred_from_what_the_backward_pass_starts_with(name: str) -> None:
    found = explained(name)
    assert any(f"the backward pass fits {SAYS[name]}" in note.what for note in found.notices)
    assert not wrong(found)
    assert not unknown(found)
    assert {loss.inferred for loss in found.losses} == {True}
    assert any(p.verdict in ("proved", "checked") for _, p in parts(found))


def test_a_start_of_no_known_loss_is_not_judged_and_what_follows_is() -> None:
    found = explained(UNKNOWN)
    assert unknown(found) == {line_of(PROGRAMS[UNKNOWN], "dout =")}
    assert {p.verdict for _, p in parts(found) if p.target and p.target.startswith("d") and p.target != "dout"} == {"proved"}
    assert any("is the gradient of none that is known here" in note.what for note in found.notices)


@pytest.mark.parametrize(("name", "right", "planted", "kind"), FAULTS, ids=[f"{f[0]}: {f[2]}" for f in FAULTS])
def test_a_fault_after_the_start_is_named(name: str, right: str, planted: str, kind: str) -> None:
    source = PROGRAMS[name]
    assert set(wrong(judged_source(source.replace(right, planted)))) == {(line_of(source, right), kind)}


@pytest.mark.parametrize(("name", "right", "planted"), WRONG_STARTS, ids=[f[2] for f in WRONG_STARTS])
def test_a_fault_of_the_start_is_not_explained_by_a_loss_that_nobody_has(name: str, right: str, planted: str) -> None:
    source = PROGRAMS[name]
    found = judged_source(source.replace(right, planted))
    assert line_of(source, right) in unknown(found)
    assert not wrong(found)


def test_a_critic_whose_policy_starts_from_nothing_known_is_not_told_to_read_the_wrong_variable() -> None:
    right = "dlogits *= adv[:, None] / n\n"
    bonus = "        dlogits += 0.01 * self.pi * (np.log(self.pi) - np.log(self.pi).mean()) / n\n"
    source = PROGRAMS["actor_and_critic_without_a_call"]
    found = judged_source(source.replace(right, right + bonus))
    assert not wrong(found)
    assert line_of(source, "dlogits = self.pi") in unknown(found)
    assert line_of(source, "logits = self.h") not in unknown(found)


@pytest.mark.parametrize("right, planted", [("dz + mu / N", "dz - mu / N"), ("np.exp(logvar) - 1", "np.exp(logvar)")])
def test_a_divergence_is_added_only_whole(right: str, planted: str) -> None:
    found = judged_source(PROGRAMS["code_and_picture"].replace(right, planted))
    assert not any("divergence" in note.what for note in found.notices)
    assert line_of(PROGRAMS["code_and_picture"], right) in unknown(found)


PERCEPTRON = """
import numpy as np

class Perceptron:
    def __init__(self, rate):
        self.rate, self.w, self.b = rate, np.zeros(2), 0.0

    def learn(self, X, y):
        for _ in range(6):
            for i in range(len(X)):
                row = X[i]
                guess = 1 if np.dot(row, self.w) + self.b >= 0 else 0
                error = y[i] - guess
                self.w += self.rate * error * row
                self.b += self.rate * error

Perceptron(0.1).learn(np.array([[1, 1], [2, 2], [1.5, 1.5], [0, 0], [0.5, 0.5], [1, 0]]), np.array([1, 1, 1, 0, 0, 0]))
"""


def test_a_rate_is_no_bound_of_a_loss() -> None:
    found = judged_source(PERCEPTRON)
    assert not any("Huber" in note.what or "quantile" in note.what for note in found.notices)


ACTED = """\
import numpy as np
rng = np.random.default_rng(4)
W, V = rng.normal(size=(5, 6)) * 0.5, rng.normal(size=(6, 2)) * 0.5
for step in range(4):
    x = rng.normal(size=5)
    tried = np.clip(np.tanh(np.tanh(x @ W) @ V) + 0.3 * rng.normal(size=2), -1, 1)
    h = np.tanh(x @ W)
    out = np.tanh(h @ V)
    d_out = (tried - out) * (1 - out ** 2)
    d_h = d_out @ V.T * (1 - h ** 2)
    V += 0.1 * np.outer(h, d_out)
    W += 0.1 * np.outer(x, d_h)
"""


def test_a_target_made_by_another_forward_pass_is_held_constant() -> None:
    found = judged_source(ACTED)
    assert [n.what for n in found.notices if "half the sum of squared errors, the target tried held constant" in n.what]
    assert not {p.verdict for _, p in parts(found)} & {"wrong", "unexplained"}
    faulty = judged_source(ACTED.replace("d_out @ V.T * (1 - h ** 2)", "d_out @ V.T"))
    assert [p.diagnosis.kind for _, p in parts(faulty) if p.diagnosis] == ["missing derivative"]
