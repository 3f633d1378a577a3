"""Networks of single numbers, and sums of gradients that are set back: each line of the backward pass is told."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts

NUMBERS = """
import numpy as np

def sig(z):
    return 1 / (1 + np.exp(-z))

def slope(z):
    s = sig(z)
    return s * (1 - s)

class Net:
    def __init__(self):
        r = np.random.RandomState(1)
        self.a, self.b, self.c, self.e = r.normal(), r.normal(), r.normal(), r.normal()

    def out(self, x):
        return sig(self.c * sig(self.a * x[0] + self.b * x[1]) + self.e)

    def fit(self, X, Y):
        rate = 0.3
        for epoch in range(20):
            for x, y in zip(X, Y):
                z = self.a * x[0] + self.b * x[1]
                h = sig(z)
                s = self.c * h + self.e
                o = sig(s)
                d_L_d_o = -2 * (y - o)
                d_o_d_c = h * slope(s)
                d_o_d_e = slope(s)
                d_o_d_h = self.c * slope(s)
                d_h_d_a = x[0] * slope(z)
                d_h_d_b = x[1] * slope(z)
                self.a -= rate * d_L_d_o * d_o_d_h * d_h_d_a
                self.b -= rate * d_L_d_o * d_o_d_h * d_h_d_b
                self.c -= rate * d_L_d_o * d_o_d_c
                self.e -= rate * d_L_d_o * d_o_d_e
            if epoch % 5 == 0:
                guesses = np.apply_along_axis(self.out, 1, X)
                loss = ((Y - guesses) ** 2).mean()
                print(epoch, loss)

Net().fit(np.array([[-1.0, 2.0], [0.5, -1.5], [1.5, 0.3], [-0.7, -0.2]]), np.array([1.0, 0.0, 1.0, 0.0]))
"""

SUMS = """
import numpy as np
rng = np.random.default_rng(2)
U, V, R = rng.normal(size=(2, 4)), rng.normal(size=(4, 1)), rng.normal(size=(4, 4))
sum_U, sum_V, sum_R = np.zeros_like(U), np.zeros_like(V), np.zeros_like(R)

def squash(z):
    return 1 / (1 + np.exp(-z))

for step in range(60):
    bits, wanted = rng.integers(0, 2, size=(3, 2)), rng.integers(0, 2, size=3)
    total_error, deltas, states = 0, [], [np.zeros(4)]
    for t in range(3):
        x = np.array([bits[t]])
        hidden = squash(x @ U + states[-1] @ R)
        out = squash(hidden @ V)
        miss = np.array([[wanted[t]]]) - out
        deltas.append(miss * out * (1 - out))
        total_error += np.abs(miss[0])
        states.append(hidden.copy())
    later = np.zeros(4)
    for t in range(3):
        x = np.array([bits[-t - 1]])
        now, before = states[-t - 1], states[-t - 2]
        d = deltas[-t - 1]
        d_hidden = (later @ R.T + d @ V.T) * now * (1 - now)
        sum_V += np.atleast_2d(now).T @ d
        sum_R += np.atleast_2d(before).T @ d_hidden
        sum_U += x.T @ d_hidden
        later = d_hidden
    U += sum_U * 0.1
    V += sum_V * 0.1
    R += sum_R * 0.1
    sum_U *= 0
    sum_V *= 0
    sum_R *= 0
    if step % 20 == 0:
        print("Error:", total_error)
"""


def told(source: str) -> dict[str, tuple[str, str | None]]:
    """What each statement of a program is said to be, by what it binds or changes."""
    return {p.target: (p.role, p.verdict) for _, p in parts(judged_source(source)) if p.target and p.whole}


def test_slopes_of_numbers_are_told_though_the_loss_is_of_all_samples() -> None:
    found = told(NUMBERS)
    slopes = ["d_o_d_c", "d_o_d_e", "d_o_d_h", "d_h_d_a", "d_h_d_b"]
    assert {name: found[name] for name in slopes} == dict.fromkeys(slopes, ("local derivative", "proved"))
    assert found["d_L_d_o"] == ("gradient", "proved")
    notices = [n.what for n in judged_source(NUMBERS).notices]
    assert any("of other values than the explained step reads" in what for what in notices)


def test_a_number_that_is_no_slope_is_not_called_one() -> None:
    found = told(NUMBERS.replace("d_o_d_h = self.c * slope(s)", "d_o_d_h = self.c + slope(s)"))
    assert found["d_o_d_h"] != ("local derivative", "proved")


def test_sums_of_gradients_that_are_set_back_are_no_parameters_and_absolute_errors_only_tell() -> None:
    explanation = judged_source(SUMS)
    assert [loss.inferred for loss in explanation.losses] == [True]
    stepped = {p.wrt: p.scale for _, p in parts(explanation) if p.role == "update" and p.whole and p.wrt}
    assert set(stepped) == {"U", "V", "R"}
    assert any("total_error adds up how far off" in note.what for note in explanation.notices)
    assert not [p for _, p in parts(explanation) if p.verdict in ("wrong", "unexplained")]


@pytest.mark.parametrize("fault", [("sum_R += np.atleast_2d(before)", "sum_R += np.atleast_2d(now)"), ("later @ R.T", "later @ R")])
def test_a_fault_in_such_sums_is_not_explained_away(fault: tuple[str, str]) -> None:
    assert SUMS.count(fault[0]) == 1
    found = judged_source(SUMS.replace(*fault))
    spoiled = {p.target for _, p in parts(found) if p.whole and p.target in ("sum_R", "sum_U") and p.verdict in ("proved", "checked")}
    assert "sum_R" not in spoiled


MANY = """\
import random
random.seed(1)
xs = [random.gauss(0, 1) for _ in range(42)]
ys = [2.5 * x for x in xs]
w, rate = 0.0, 0.1
for epoch in range(3):
    ps = [w * x for x in xs]
    n = len(ys)
    dw = sum((p - y) * x for p, y, x in zip(ps, ys, xs)) / n
    w -= rate * dw
"""


def test_a_count_names_a_factor_of_a_single_number_among_many_samples() -> None:
    told = [(p.wrt, p.scale) for line in judged_source(MANY).lines for p in line.parts if p.target == "dw"]
    assert ("w", "1 / n") in told


MANY_NUMBERS = """
import random
random.seed(1)
w, rate = [random.uniform(-1, 1) for _ in range(42)], 0.1
data = [([random.uniform(-1, 1) for _ in w], random.random()) for _ in range(5)]
for x, t in data:
    out = 0.0
    for a, b in zip(w, x):
        out += a * b
    loss = (out - t) ** 2
    delta = out - t
    for j in range(len(w)):
        w[j] -= rate * delta * STEP
"""


def test_the_rate_is_found_beside_a_gradient_however_many_numbers_there_are() -> None:
    steps = [p for line, p in parts(judged_source(MANY_NUMBERS.replace("STEP", "x[j]"))) if line == 13]
    assert {(p.verdict, p.scale) for p in steps if p.verdict and p.source.startswith("rate")} == {("proved", "rate / 2")}
    other = parts(judged_source(MANY_NUMBERS.replace("STEP", "x[j] * x[j]")))
    assert not any(p.verdict == "proved" for line, p in other if line == 13 and p.source.endswith("x[j] * x[j]"))


BACK_TO_THE_INPUTS = """
import math, random
random.seed(3)
net = [[[random.uniform(-1, 1) for _ in range(2)] for _ in range(2)] for _ in range(2)]
data = [([random.random(), random.random()], [1.0, 0.0]) for _ in range(4)]
for x, t in data:
    outs = [x]
    for layer in net:
        outs.append([1 / (1 + math.exp(-sum(w * a for w, a in zip(row, outs[-1])))) for row in layer])
    total_error = sum((o - y) ** 2 for o, y in zip(outs[-1], t))
    delta = [2 * (o - y) * o * (1 - o) for o, y in zip(outs[-1], t)]
    for layer, given in zip(reversed(net), reversed(outs[:-1])):
        below = []
        for j, a in enumerate(given):
            err = 0.0
            for d, row in zip(delta, layer):
                err += row[j] * d
            below.append(err * a * (1 - a))
        for d, row in zip(delta, layer):
            for j, a in enumerate(given):
                row[j] -= 0.1 * d * a
        delta = below
"""


def test_the_error_that_reaches_the_inputs_is_no_loss() -> None:
    found = judged_source(BACK_TO_THE_INPUTS)
    assert [loss.name for loss in found.losses] == ["total_error"]
    assert {line: p.verdict for line, p in parts(found) if p.target == "err" and p.verdict} == {17: "checked"}


DECAYING_NUMBERS = """
import random
random.seed(0)
bu, bi = [random.gauss(0, 1) for _ in range(5)], [random.gauss(0, 1) for _ in range(6)]
R = [(u, i, random.gauss(0, 1)) for u in range(5) for i in range(6)]
lr, reg = 0.05, 0.02
for epoch in range(3):
    sse = 0.0
    for u, i, r in R:
        e = r - (bu[u] + bi[i] * bu[u])
        sse += e * e
        b = bu[u]
        bu[u] += lr * (e * (1 + bi[i]) - reg * bu[u])
        bi[i] += lr * (e * b - reg * bi[i])
"""


def test_the_gradient_beside_the_decay_of_a_number_is_told() -> None:
    told = {(line, p.source, p.verdict, p.scale) for line, p in parts(judged_source(DECAYING_NUMBERS)) if p.verdict}
    assert told == {(13, "e * (1 + bi[i])", "proved", "-0.5"), (14, "e * b", "proved", "-0.5")}


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [("(e * b", "(-e * b", "sign"), ("1 + bi[i])", "1 - bi[i])", "sign"), ("e * b ", "e * bu[u] ", "stale operand")],
)
def test_a_fault_beside_the_decay_of_a_number_is_told(right: str, wrong: str, kind: str) -> None:
    found = judged_source(DECAYING_NUMBERS.replace(right, wrong))
    faults = {p.diagnosis.kind for _, p in parts(found) if p.verdict == "wrong" and p.diagnosis is not None}
    assert faults == {kind}
