"""A planted fault is found where it is, told by its kind, and mended by a line that was run."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source
from tracer.explanation.model import Explanation, Part

NET = """\
import numpy as np
rng = np.random.default_rng(0)
N, D, H, K = 12, 3, 5, 4
X = rng.normal(size=(N, D))
y = rng.integers(0, K, N)
W1, b1 = rng.normal(size=(D, H)), np.zeros((1, H))
W2, b2 = rng.normal(size=(H, K)), np.zeros((1, K))
lr, reg = 0.1, 0.01
for step in range(4):
    z1 = X @ W1 + b1
    h = np.maximum(z1, 0)
    scores = h @ W2 + b2
    e = np.exp(scores)
    p = e / e.sum(axis=1, keepdims=True)
    data_loss = -np.log(p[np.arange(N), y]).mean()
    loss = data_loss + 0.5 * reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
    dscores = p.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    dW2 = h.T @ dscores + reg * W2
    db2 = dscores.sum(axis=0, keepdims=True)
    dh = dscores @ W2.T
    dz1 = dh * (z1 > 0)
    dW1 = X.T @ dz1 + reg * W1
    db1 = dz1.sum(axis=0, keepdims=True)
    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
"""

RECURRENT = """\
import numpy as np
rng = np.random.default_rng(1)
T, D, H, K = 4, 3, 5, 2
xs, targets = rng.normal(size=(T, D)), rng.normal(size=(T, K))
Wx, Wh, Wy = rng.normal(size=(H, D)), 0.4 * rng.normal(size=(H, H)), rng.normal(size=(K, H))
b = np.zeros(H)
for step in range(4):
    hs, ys = {}, {}
    hs[-1] = np.zeros(H)
    loss = 0
    for t in range(T):
        hs[t] = np.tanh(Wx @ xs[t] + Wh @ hs[t - 1] + b)
        ys[t] = Wy @ hs[t]
        loss += 0.5 * np.sum((ys[t] - targets[t]) ** 2)
    dWx, dWh, dWy, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wy), np.zeros_like(b)
    dnext = np.zeros(H)
    for t in reversed(range(T)):
        dy = ys[t] - targets[t]
        dWy += np.outer(dy, hs[t])
        dh = Wy.T @ dy + dnext
        dz = (1 - hs[t] ** 2) * dh
        dWx += np.outer(dz, xs[t])
        dWh += np.outer(dz, hs[t - 1])
        db += dz
        dnext = Wh.T @ dz
    for weight, gradient in zip([Wx, Wh, Wy, b], [dWx, dWh, dWy, db]):
        weight -= 0.05 * gradient
"""

DROPOUT = """\
import numpy as np
rng = np.random.default_rng(2)
X, t = rng.normal(size=(10, 4)), rng.normal(size=(10, 1))
W, V = rng.normal(size=(4, 6)), rng.normal(size=(6, 1))
for step in range(4):
    a = np.tanh(X @ W)
    mask = rng.random(a.shape) < 0.7
    out = (a * mask) @ V
    loss = np.mean((out - t) ** 2)
    dout = 2 * (out - t) / len(X)
    dV = (a * mask).T @ dout
    da = (dout @ V.T) * mask
    dW = X.T @ (da * (1 - a ** 2))
    V -= 0.1 * dV
    W -= 0.1 * dW
"""

ATTENTION = """\
import numpy as np
rng = np.random.default_rng(3)
X, Y = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
W, V = rng.normal(size=(4, 6)), rng.normal(size=(6, 3))
for step in range(4):
    s = X @ W
    e = np.exp(s)
    q = e / e.sum(axis=1, keepdims=True)
    out = q @ V
    loss = np.sum((out - Y) ** 2)
    dout = 2 * (out - Y)
    dV = q.T @ dout
    dq = dout @ V.T
    ds = q * (dq - np.sum(dq * q, axis=1, keepdims=True))
    dW = X.T @ ds
    V -= 0.01 * dV
    W -= 0.01 * dW
"""

#: The program, the right text, the wrong one, the kind, and the line as it should be.
PLANTED = {
    "a sign turned round": (NET, "y] -= 1", "y] += 1", "sign", "dscores[np.arange(N), y] -= 1"),
    "a minus too many": (NET, "dh = dscores @ W2.T", "dh = -dscores @ W2.T", "sign", "dh = dscores @ W2.T"),
    "a difference the wrong way round": (RECURRENT, "dy = ys[t] - targets[t]", "dy = targets[t] - ys[t]", "sign",
                                         "dy = ys[t] - targets[t]"),
    "a sum over all axes": (NET, "db1 = dz1.sum(axis=0, keepdims=True)", "db1 = dz1.sum(keepdims=True)", "axis",
                            "db1 = dz1.sum(axis=0, keepdims=True)"),
    "a mean for a sum": (NET, "db2 = dscores.sum(", "db2 = dscores.mean(", "factor",
                         "db2 = dscores.sum(axis=0, keepdims=True)"),
    "not divided by the number of examples": (NET, "    dscores /= N\n", "", "factor", "dscores /= N"),
    "divided by another number": (NET, "dscores /= N", "dscores /= K", "wrong operand", "dscores /= N"),
    "a two too many": (NET, "reg * W2\n", "2 * reg * W2\n", "factor", "dW2 = h.T @ dscores + reg * W2"),
    "no mask": (NET, "dz1 = dh * (z1 > 0)", "dz1 = dh * 1", "missing mask", None),
    "the mask the wrong way round": (NET, "(z1 > 0)", "(z1 <= 0)", "missing mask", "dz1 = dh * (z1 > 0)"),
    "the penalty forgotten": (NET, "X.T @ dz1 + reg * W1", "X.T @ dz1", "missing term", "dW1 = X.T @ dz1 + reg * W1"),
    "the penalty of other weights": (NET, "h.T @ dscores + reg * W2", "h.T @ dscores + reg * b2", "wrong operand",
                                     "dW2 = h.T @ dscores + reg * W2"),
    "the gradient before the activation": (NET, "dW1 = X.T @ dz1", "dW1 = X.T @ dh", "wrong operand",
                                           "dW1 = X.T @ dz1 + reg * W1"),
    "a transpose forgotten": (RECURRENT, "dnext = Wh.T @ dz", "dnext = Wh @ dz", "transpose", "dnext = Wh.T @ dz"),
    "the slope forgotten": (RECURRENT, "dz = (1 - hs[t] ** 2) * dh", "dz = 1.0 * dh", "missing derivative", None),
    "a wrong slope": (RECURRENT, "(1 - hs[t] ** 2)", "(1 - hs[t])", "missing derivative", "dz = (1 - hs[t]**2) * dh"),
    "the step before not carried": (RECURRENT, "Wy.T @ dy + dnext", "Wy.T @ dy", "missing term", "dh = Wy.T @ dy + dnext"),
    "the state of the wrong step": (RECURRENT, "np.outer(dz, hs[t - 1])", "np.outer(dz, hs[t])", "wrong operand",
                                    "dWh += np.outer(dz, hs[t - 1])"),
    "overwritten where it adds up": (RECURRENT, "db += dz", "db = dz", "accumulation", "db += dz"),
    "a new mask": (DROPOUT, "(dout @ V.T) * mask", "(dout @ V.T) * (rng.random(a.shape) < 0.7)",
                   "fresh random numbers", "da = (dout @ V.T) * mask"),
    "a softmax for a function of one entry": (ATTENTION, "ds = q * (dq - np.sum(dq * q, axis=1, keepdims=True))",
                                              "ds = dq * q * (1 - q)", "softmax jacobian",
                                              "ds = q * (dq - (dq * q).sum(axis=1, keepdims=True))"),
}  # fmt: skip


def wrong(found: Explanation) -> list[tuple[int, Part]]:
    return [(line.line, p) for line in found.lines for p in line.parts if p.verdict == "wrong"]


@pytest.mark.parametrize("what", PLANTED)
def test_a_fault_is_named_at_its_line_and_mended_and_what_comes_after_is_right_given_it(what: str) -> None:
    program, right, planted, kind, fix = PLANTED[what]
    assert program.count(right) == 1
    source = program.replace(right, planted)
    found = judged_source(source)
    told = [p.diagnosis for _, p in wrong(found) if p.diagnosis is not None]
    assert {d.kind for d in told} == {kind}
    if fix is not None:
        assert {d.fix for d in told} == {fix}
        line = source[: source.index(planted)].count("\n") + 1 if planted else source[: program.index(right)].count("\n")
        assert {number for number, _ in wrong(found)} == {line}
        assert {g for at in found.lines for p in at.parts for g in p.given or ()} <= {line}
    for edit in {e for d in told for e in d.edits}:
        lines = source.split("\n")
        lines[edit.line - 1 : edit.end_line] = edit.new.split("\n")
        assert wrong(judged_source("\n".join(lines))) == []


@pytest.mark.parametrize("program", [NET, RECURRENT, DROPOUT, ATTENTION])
def test_the_right_programs_have_no_fault(program: str) -> None:
    found = judged_source(program)
    assert wrong(found) == []
    assert not [p for line in found.lines for p in line.parts if p.verdict == "unexplained"]


HARMLESS = {
    "every gradient twice as large": (NET, "dscores /= N", "dscores /= 0.5 * N", NET.replace(" + reg * W2", "").replace(" + reg * W1", "")),
    "gradients of the sum for a mean": (DROPOUT, "2 * (out - t) / len(X)", "2 * (out - t)", DROPOUT),
    "a bias that learns twice as fast": (NET, "b1 -= lr * db1", "b1 -= 2 * lr * db1", NET),
    "weight decay that the loss does not have": (DROPOUT, "W -= 0.1 * dW", "W -= 0.1 * dW + 0.001 * W", DROPOUT),
    "a learning rate of its own": (NET, "W2 -= lr * dW2", "W2 -= 0.3 * dW2", NET),
}  # fmt: skip


@pytest.mark.parametrize("what", HARMLESS)
def test_a_convention_is_not_called_wrong(what: str) -> None:
    _, right, other, program = HARMLESS[what]
    if what == "every gradient twice as large":
        program = program.replace(" + 0.5 * reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))", "")
    assert right in program
    assert wrong(judged_source(program.replace(right, other))) == []
