"""Training loops that no ``for`` statement writes: comprehensions, functions called by others, recursion, a ``while`` test.

Two iterations of each are recorded and the rest runs natively; the laws of a recording hold.
"""

from __future__ import annotations

import inspect
import sys

import pytest

from tests.recording.following import TAIL, Run, differences, natively, recorded
from tests.recording.test_windows import iterations, record
from tracer.program import parse, training_loops
from tracer.recording.box import same
from tracer.tape import replay

HEAD = """\
import itertools
from collections import deque
from functools import partial, reduce
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(30, 4)), rng.normal(size=30)
batches = [(X[i:i + 5], Y[i:i + 5]) for i in range(0, 30, 5)]
w = np.zeros(4)
def step(x, y, rate=0.1):
    global w
    d = x @ w - y
    loss = 0.5 * np.mean(d * d)
    grad = x.T @ d / len(y)
    w = w - rate * grad
    return loss
def turned(w, batch):
    d = batch[0] @ w - batch[1]
    loss = 0.5 * np.mean(d * d)
    return w - 0.1 * (batch[0].T @ d / 5)
"""
RECURSION = """\
def train(w, left, history=()):
    d = X @ w - Y
    loss = 0.5 * np.mean(d * d)
    if left == 0:
        return w, history
    return train(w - 0.1 * (X.T @ d / 30), left - 1, (*history, loss))
"""
METHOD = """\
class Net:
    def __init__(self):
        self.w = np.zeros(4)
    def fit(self, left):
        d = X @ self.w - Y
        self.loss = 0.5 * np.mean(d * d)
        self.w -= 0.1 * (X.T @ d / 30)
        if left > 1:
            self.fit(left - 1)
        return self
"""
WRITTEN = {
    "a list": "out = [step(x, y) for x, y in batches]",
    "a list of lists": "out = [[step(x, y) for x, y in batches] for epoch in range(3)]",
    "two clauses and a test": "out = [step(x, y) for epoch in range(3) for x, y in batches if len(x) > 2]",
    "a sum": "for epoch in range(3):\n    print(sum(step(x, y) for x, y in batches))",
    "any": "out = any(step(*batches[k % 6]) < 0.1 for k in range(40))",
    "a dictionary": "out = {k: step(*batch) for k, batch in enumerate(batches)}",
    "a value bound on the way": "out = [np.sum(X @ (w := w - 0.1 * X.T @ (X @ w - Y) / 30)) for _ in range(9)]\ngrad = out",
    "map": "out = list(map(step, *zip(*batches)))",
    "map that nobody looks at": "for _ in map(lambda batch: step(*batch), batches):\n    pass",
    "a deque": "deque(itertools.starmap(partial(step, rate=0.05), batches), maxlen=0)",
    "iter": "left = list(batches)\nout = list(iter(lambda: step(*left.pop()) if left else None, None))",
    "a fold": "w = reduce(turned, batches * 3, w)",
    "all states": "out = list(itertools.accumulate(batches * 3, turned, initial=w))",
    "rows": "out = np.apply_along_axis(lambda row: step(row[None, :4], row[4:]), 1, np.column_stack([X, Y]))",
    "recursion": RECURSION + "w, out = train(w, 20)",
    "a recursive method": METHOD + "out = Net().fit(20).loss",
    "the test of a while": "n = 0\nwhile step(X, Y) > 0.2 and n < 30:\n    n += 1",
    "a generator": "def steps():\n    while True:\n        yield step(*batches[0])\nit = steps()\nout = [next(it) for _ in range(9)]\ndel it",
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_two_iterations_are_recorded_and_the_program_does_what_it_does_natively(name: str) -> None:
    source = HEAD + WRITTEN[name] + "\n" + TAIL
    native, mine = natively(source, {}), recorded(source, {}, None)
    assert mine.recording is not None
    assert iterations(mine.recording) == [0, 1]
    assert differences(native, mine) == []
    tape = mine.recording.tape
    assert {"loss", "d"} <= {
        b.name.removeprefix("self.") for b in tape.bindings if tape.nodes[b.node].window == 1
    } or name.endswith("way")
    values = replay(tape)
    assert [n for n in tape.window_nodes() if not same(n.value, values[n.id])] == []
    assert not mine.recording.notices
    again = recorded(source, {}, None)
    assert again.recording is not None
    assert [(n.op, n.args, n.names) for n in tape.nodes] == [
        (n.op, n.args, n.names) for n in again.recording.tape.nodes
    ]


@pytest.mark.parametrize("name", ["a list", "map", "recursion", "the test of a while"])
def test_another_iteration_can_be_asked_for(name: str) -> None:
    assert iterations(record(HEAD + WRITTEN[name], iteration=4)) == [3, 4]


def test_what_an_iteration_hands_on_bears_the_name_of_the_parameter_that_gets_it() -> None:
    for name in ("recursion", "a fold"):
        tape = record(HEAD + WRITTEN[name]).tape
        steps = [n for n in tape.window_nodes() if n.op == "subtract" and n.shape == (4,)]
        assert [n.names[0] for n in steps] == ["w", "w"]


def test_a_recursion_as_deep_as_python_allows_runs_as_it_does_natively() -> None:
    left = sys.getrecursionlimit() - len(inspect.stack(0)) - 80  # NumPy and the harness want some of it, too.
    source = HEAD + RECURSION + f"w, out = train(w, {left})\nn = len(out)\n" + TAIL
    assert differences(natively(source, {}), recorded(source, {}, None)) == []


NO_TRAINING = {
    "layers one after the other": (
        "grads = [np.zeros((4, 4)) for _ in range(3)]\nM = rng.normal(size=(4, 4))\n"
        "def back(k, d):\n    if k < 0:\n        return d\n    grads[k] += np.outer(d, X[k])\n"
        "    return back(k - 1, M.T @ d * (1 - X[k] ** 2))\nout = back(2, X[4])"
    ),
    "a tree": (
        "class Node:\n    def __init__(self, w, *below):\n        self.w, self.below, self.g = w, below, 0.0\n"
        "    def back(self, d):\n        self.g += d @ self.w\n        for each in self.below:\n"
        "            each.back(np.tanh(d @ self.w))\nNode(X[:4], Node(X[4:8])).back(X)"
    ),
    "layers, updated by a comprehension": (
        "class Layer:\n    def __init__(self):\n        self.W = np.ones((4, 4))\n    def update(self, x):\n"
        "        grad = x.T @ np.tanh(x @ self.W)\n        self.W -= 0.1 * grad\n        return grad\n"
        "out = [layer.update(X) for layer in [Layer(), Layer()]]"
    ),
    "losses of all samples": "out = [float(np.sum((x @ w - y) ** 2)) for x, y in batches]",
    "a factorial": "def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nout = f(5)",
}  # fmt: skip


@pytest.mark.parametrize("name", NO_TRAINING)
def test_what_does_not_train_is_no_training_loop(name: str) -> None:
    assert training_loops(parse(HEAD + NO_TRAINING[name])) == ()


def test_a_comprehension_around_whole_trainings_leaves_the_windows_to_them() -> None:
    source = (
        HEAD
        + "def run(seed):\n    for x, y in batches:\n        step(x, y)\n    return w.sum()\nout = [run(k) for k in range(3)]"
    )
    [loop] = training_loops(parse(source))
    assert parse(source).source_line(loop.line) == "    for x, y in batches:"


def test_a_fold_that_no_text_tells_is_found_by_running_it() -> None:
    hidden = HEAD + (
        "rules = {'sgd': lambda p, g: np.add(p, np.multiply(g, -0.1))}\n"
        "def hidden(p, batch):\n    d = batch[0] @ p - batch[1]\n    loss = np.mean(d * d)\n"
        "    grad = batch[0].T @ d\n    return rules['sgd'](p, grad)\nw = reduce(hidden, batches * 5, w)\n"
    )
    assert training_loops(parse(hidden)) == ()
    recording = record(hidden)
    assert iterations(recording) == [0, 1]
    assert [n.what[:23] for n in recording.notices] == ["No loop was recognised "]


def test_a_native_run_that_differs_is_noticed_here() -> None:
    source = HEAD + WRITTEN["a list"] + "\n" + TAIL
    other = natively(source.replace("0.5 * np.mean", "0.6 * np.mean"), {})
    assert differences(other, Run(natively(source, {}).space, other.stdout)) != []
