"""Which iteration is explained where the first ones show little: words alone, updates that do not happen, zero gradients."""

from __future__ import annotations

import pytest

from tests.recording.following import TAIL, differences, natively, recorded
from tests.recording.test_windows import iterations, record
from tracer.recording import Recording

SENTENCES = """\
import numpy as np
rng = np.random.default_rng(0)
sentences = {sentences}
U, W = rng.normal(size=(3, 3)), rng.normal(size=(3, 4))
for sentence in sentences:
    h, hs, loss = np.zeros(3), [np.zeros(3)], 0.0
    for word in sentence:
        h = np.tanh(U @ h + W[:, word])
        hs.append(h)
        loss += 0.5 * np.sum((h - 1) ** 2)
    dU, dW, dnext = np.zeros_like(U), np.zeros_like(W), np.zeros(3)
    for t in reversed(range(len(sentence))):
        dz = (hs[t + 1] - 1 + dnext) * (1 - hs[t + 1] ** 2)
        dU += np.outer(dz, hs[t])
        dW[:, sentence[t]] += dz
        dnext = U.T @ dz
    U -= 0.1 * dU
    W -= 0.1 * dW
print(U.sum())
"""
SAMPLES = """\
import numpy as np
X = np.array({samples}, dtype=float)
w = np.zeros(2)
for x in X:
    margin = w @ x
    loss = max(0.0, 1 - margin)
    if margin < 1:
        dw = -x
    else:
        dw = np.zeros(2)
    w -= 0.5 * dw
print(w)
"""
ZEROS = """\
import numpy as np
X = np.arange(40.0).reshape(10, 4) / 40
T = np.where(np.arange(10)[:, None] < {right}, 0.0, 1.0)
W, V = np.ones((4, 3)), np.zeros((3, 1))
for i in range(10):
    a = np.tanh(X[i:i + 1] @ W)
    d = a @ V - T[i:i + 1]
    loss = 0.5 * np.sum(d * d)
    dV = a.T @ d
    dW = X[i:i + 1].T @ (d @ V.T * (1 - a * a))
    W -= 0.1 * dW
    V -= 0.1 * dV
print(W.sum())
"""


def said(recording: Recording) -> list[tuple[int, str]]:
    return [(n.line, n.what) for n in recording.notices]


LACKING = {
    "sentences of one word": (
        SENTENCES.format(sentences="[[1], [2], [3], [0, 2], [1, 2, 3]]"), 3,
        (5, "Iteration 3 is explained, which goes through line 8 more than once; iteration 1 does not."),
    ),
    "samples that are right already": (
        SAMPLES.format(samples="[[2, 2], [2, 1], [3, 3], [-1, 1], [1, -3], [0, 1]]"), 3,
        (4, "Iteration 3 is explained, which carries out line 8; iteration 1 does not."),
    ),
    "gradients of zero": (
        ZEROS.format(right=4), 5, (5, "Iteration 5 is explained: in iteration 1, what line 9 gives is zero."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LACKING)
def test_the_first_iteration_that_shows_most_is_explained_and_the_report_says_why(name: str) -> None:
    source, best, (line, what) = LACKING[name]
    recording = record(source)
    assert iterations(recording) == [best - 1, best]
    assert said(recording) == [(line, what + " Use --iteration K for another.")]


@pytest.mark.parametrize("name", LACKING)
def test_the_iteration_that_is_asked_for_rules(name: str) -> None:
    recording = record(LACKING[name][0], iteration=1)
    assert iterations(recording) == [0, 1]
    assert said(recording) == []


@pytest.mark.parametrize(
    "source",
    [
        SENTENCES.format(sentences="[[1, 2], [2, 3], [0, 1, 2, 3, 0]]"),  # a longer one shows nothing more
        SENTENCES.format(sentences="[[1], [2], [3]]"),  # there is no better one
        ZEROS.format(right=0),
    ],
)
def test_an_iteration_that_shows_as_much_as_any_is_kept(source: str) -> None:
    recording = record(source)
    assert iterations(recording) == [0, 1]
    assert said(recording) == []


@pytest.mark.parametrize("name", LACKING)
def test_the_program_runs_on_as_it_does_natively(name: str) -> None:
    source = LACKING[name][0] + TAIL
    mine = recorded(source, {}, None)
    assert differences(natively(source, {}), mine) == []
    assert mine.recording is not None
    assert iterations(mine.recording)[1] > 1


def test_a_program_that_fails_after_the_first_iterations_is_explained_by_these() -> None:
    source = LACKING["gradients of zero"][0].replace("    a = ", "    assert i < 3\n    a = ")
    assert iterations(record(source)) == [0, 1]


def test_what_was_found_is_reported_before_other_iterations_are_looked_at() -> None:
    seen: list[Recording] = []
    record(LACKING["gradients of zero"][0], when_complete=seen.append)
    assert iterations(seen[0]) == [0, 1]
