"""Training loops that no text tells, found by what a recording of the whole program shows."""

from __future__ import annotations

import pytest

from tests.recording.test_windows import iterations, record
from tracer.recording import Recording
from tracer.tape import Kind

HIDDEN_UPDATE = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
W = rng.normal(size=(3, 2))
rules = {"sgd": lambda p, g: np.add(p, np.multiply(g, -0.1))}
def run(W, epochs):
    for epoch in range(epochs):
        d = X @ W - T
        loss = 0.5 * np.sum(d * d)
        dW = X.T @ d
        W = rules["sgd"](W, dW)
    return W
W = run(W, 200)
"""


def test_where_no_loop_seems_to_train_the_one_that_goes_on_for_long_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = HIDDEN_UPDATE.replace("loss = ", "half = ")
    assert len(record(source.replace("200", "20")).tape.windows) == 1
    monkeypatch.setattr("tracer.recording.state.MOST_NODES", 300)
    short = record(source)
    assert iterations(short) == [0, 1]
    assert said(short) == [(7, "No loop was recog")]
    bindings = {b.name for b in short.tape.bindings}
    assert {"half", "d", "W"} <= bindings


def test_where_no_loop_seems_to_train_the_one_is_recorded_whose_losses_follow_from_gradients() -> None:
    assert iterations(record(HIDDEN_UPDATE)) == [0, 1]
    assert said(record(HIDDEN_UPDATE)) == [(7, "No loop was recog")]


def test_a_loop_over_time_without_a_training_loop_is_recorded_whole() -> None:
    recurrent = """\
import numpy as np
rng = np.random.default_rng(0)
X, T, U = rng.normal(size=(7, 4)), rng.normal(size=(7, 4)), rng.normal(size=(4, 4))
h, loss, hs = np.zeros(4), 0.0, []
for t in range(7):
    h = np.tanh(U @ h + X[t])
    hs.append(h)
    loss = loss + np.sum((h - T[t]) ** 2)
dU, dh = np.zeros_like(U), np.zeros(4)
for t in range(6, 0, -1):
    dz = (dh + 2 * (hs[t] - T[t])) * (1 - hs[t] ** 2)
    dU += np.outer(dz, hs[t - 1])
    dh = U.T @ dz
"""
    recording = record(recurrent)
    assert len(recording.tape.windows) == 1
    assert sum(b.name == "loss" for b in recording.tape.bindings) == 8
    assert not recording.notices


def said(recording: Recording) -> list[tuple[int, str]]:
    return [(n.line, n.what[:17]) for n in recording.notices]


DATA = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
W = rng.normal(size=(3, 2))
"""
GENERATORS = """\
def batches():
    for low in range(0, 6, 2):
        yield X[low:low + 2], T[low:low + 2]
def model():
    found = None
    while True:
        x, t = yield found
        e = x @ W - t
        loss = 0.5 * np.sum(e * e)
        found = loss, x.T @ e
def optimiser():
    while True:
        change = yield
        W[:] = W + change
net, step = model(), optimiser()
next(net), next(step)
for epoch in range(5):
    for x, t in batches():
        loss, g = net.send((x, t))
        step.send(-0.1 * g)
"""
PROPERTIES = """\
class Fit:
    def __init__(self):
        self._w = W
    @property
    def w(self):
        return self._w
    @w.setter
    def w(self, value):
        self._w = value
    @property
    def rest(self):
        return X @ self.w - T
    @property
    def loss(self):
        return 0.5 * (self.rest ** 2).sum()
    @property
    def slope(self):
        return X.T @ self.rest
fit = Fit()
for k in range(9):
    value, g = fit.loss, fit.slope
    fit.w = fit.w - 0.1 * g
"""
CALLBACKS = """\
class Loop:
    def __init__(self, *steps):
        self.steps, self.count = steps, 0
    def run(self, count):
        while self.count < count:
            for step in self.steps:
                step()
            self.count += 1
state = {"W": W}
def forward():
    state["e"] = X @ state["W"] - T
    state["loss"] = 0.5 * np.sum(state["e"] ** 2)
def backward():
    state["g"] = X.T @ state["e"]
def update():
    for name in ["W"]:
        state[name] = np.subtract(state[name], 0.1 * state["g"])
Loop(forward, backward, update).run(6)
"""
SIMULATION = """\
x = X[0]
for k in range(9):
    error = np.sum((x - X[1]) ** 2)
    x = x + 0.1 * np.tanh(x)
"""


@pytest.mark.parametrize(
    ("rest", "loop"),
    [(GENERATORS, "for low in"), (PROPERTIES, "for k in"), (CALLBACKS, "while self.count")],
    ids=["generators that are sent to", "properties", "callbacks"],
)
def test_the_innermost_loop_that_hands_gradients_on_is_found_by_running(rest: str, loop: str) -> None:
    recording = record(DATA + rest)
    lines = (DATA + rest).splitlines()
    assert [lines[w.loop_line - 1].strip()[: len(loop)] for w in recording.tape.windows] == [loop, loop]
    updated = [n for n in recording.tape.window_nodes() if n.op in ("add", "subtract") and n.shape == (3, 2)]
    assert {n.window for n in updated} == {0, 1}


def test_a_simulation_that_prints_its_error_is_no_training_loop() -> None:
    recording = record(DATA + SIMULATION)
    assert len(recording.tape.windows) == 1
    assert not recording.notices


def test_what_a_property_computes_knows_its_function() -> None:
    tape = record(DATA + PROPERTIES).tape
    products = [
        n for n in tape.window_nodes() if n.op == "matmul" and n.site and n.site.text.startswith("X @")
    ]
    assert {tuple(call.function for call in n.calls) for n in products} == {
        ("loss", "rest"),
        ("slope", "rest"),
    }


def test_values_stored_by_code_that_is_not_recorded_go_by_where_they_are_read() -> None:
    source = (
        DATA
        + """\
from collections import namedtuple
Net = namedtuple("Net", "W")
net = Net(W)
for k in range(4):
    e = X @ net.W - T
    loss = 0.5 * np.sum(e * e)
    net = net._replace(W=net.W - 0.1 * X.T @ e)
"""
    )
    tape = record(source).tape
    [first] = [n for n in tape.window_nodes() if n.op == "subtract" and n.shape == (3, 2) and n.window == 0]
    assert first.names == ["net.W"]
    assert not [n for n in tape.window_nodes() if n.kind is Kind.LITERAL and "net.W" in n.names]


LMS = """\
import numpy as np
rng = np.random.default_rng(0)
x, w = rng.normal(size=COUNT), np.zeros(3)
d = np.convolve(x, [1.0, -0.4, 0.5])
for n in range(3, COUNT):
    now = x[n - 2:n + 1][::-1]
    y = np.dot(w, now)
    e = d[n] - y
    w += 0.02 * e * now
"""


def test_a_long_loop_in_which_errors_move_what_they_rest_on_is_recorded_though_nothing_is_called_a_loss() -> None:
    assert iterations(record(LMS.replace("COUNT", "200"))) == [0, 1]
    assert said(record(LMS.replace("COUNT", "200"))) == [(5, "No loop was recog")]
    assert len(record(LMS.replace("COUNT", "20")).tape.windows) == 1, "a short program is recorded whole"


def test_a_long_loop_without_such_errors_is_recorded_whole() -> None:
    for other in ("w += 0.02 * d[n] * now", "w = 0.02 * e * now"):
        assert len(record(LMS.replace("w += 0.02 * e * now", other).replace("COUNT", "200")).tape.windows) == 1
