"""Training behind calls that no text tells: two calls of the function that takes a step are recorded, whoever calls it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.recording.following import TAIL, differences, natively, recorded
from tests.recording.test_windows import iterations, record
from tracer.program import training_loops
from tracer.program.program import parse
from tracer.recording.box import same
from tracer.tape import replay

HEAD = """\
import numpy as np
from functools import partial, reduce
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 3)), rng.normal(size=20)
w = np.zeros(3)
def turned(w, _):
    d = X @ w - Y
    loss = np.mean(d * d)
    return w - 0.1 * 2 * X.T @ d / 20
def step(k):
    d = X[k] @ w - Y[k]
    loss = d * d
    grad = 2 * d * X[k]
    w[:] = w - 0.01 * grad
    return loss
"""
MUTUAL = """\
def forward(w, left):
    d = X @ w - Y
    loss = np.mean(d * d)
    return backward(w, d, left) if left else (w, loss)
def backward(w, d, left):
    grad = 2 * X.T @ d / 20
    return forward(w - 0.1 * grad, left - 1)
w, last = forward(w, 150)
"""
OBJECTS = """\
class Down:
    def __init__(self, up):
        self.up = up
    def __call__(self, d, left):
        self.up.w = np.subtract(self.up.w, 0.1 * 2 * X.T @ d / 20)
        return self.up(left - 1)
class Up:
    def __init__(self):
        self.w, self.down = w, Down(self)
    def __call__(self, left):
        d = X @ self.w - Y
        loss = np.mean(d * d)
        return self.down(d, left) if left > 0 else loss
net = Up()
last = net(60)
"""
CALLED = {
    "two functions that call each other": (MUTUAL, "def forward"),
    "two objects that call each other": (OBJECTS, "    def __call__(self, left)"),
    "a stored fold": ("run = partial(reduce, turned)\nw = run(range(300), w)\n", "def turned"),
    "an entry at a time": ("each = np.vectorize(step)\nlosses = each(np.arange(20))\nlosses = each(np.arange(20))\n", "def step"),
    "a pool": (
        "from multiprocessing.pool import ThreadPool\nwith ThreadPool(1) as pool:\n    losses = pool.map(step, range(20))\ndel pool\n",
        "def step",
    ),
    "a table of functions": (
        "does = {'train': step}\ndef run(k):\n    if k < 40:\n        does['train'](k % 20)\n        does['next'](k + 1)\n"
        "does['next'] = run\nrun(0)\n",
        "def step",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLED)
def test_two_calls_are_recorded_and_the_program_does_what_it_does_natively(name: str) -> None:
    code, header = CALLED[name]
    source = HEAD + code
    assert training_loops(parse(source)) == (), "a text that tells it needs no running"
    native, mine = natively(source + TAIL, {}), recorded(source + TAIL, {}, None)
    assert differences(native, mine) == []
    assert mine.recording is not None
    tape = mine.recording.tape
    assert iterations(mine.recording) == [0, 1]
    assert source.splitlines()[tape.windows[0].loop_line - 1].startswith(header)
    said = {n.what[:23] for n in mine.recording.notices}
    assert said - {"What threads do is reco"} == {"No loop was recognised "}
    values = replay(tape)
    assert [n for n in tape.window_nodes() if not same(n.value, values[n.id])] == []


def test_only_the_first_run_and_the_last_go_on_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = HEAD + CALLED["two objects that call each other"][0] + "with open('ran.txt', 'a') as file:\n    file.write('x')\n"
    record(source, run_on=True)
    assert (tmp_path / "ran.txt").read_text() == "xx"


def test_a_pool_whose_work_is_recorded_comes_to_its_end() -> None:
    source = HEAD + CALLED["a pool"][0].replace("    losses =", "    for _ in range(2):\n        losses =")
    assert iterations(record(source, loop=10)) == [0, 1]


def test_a_function_can_be_asked_for_by_its_line() -> None:
    source = HEAD + CALLED["a stored fold"][0]
    assert iterations(record(source, loop=6, iteration=4)) == [3, 4]


def test_a_function_that_is_called_often_and_trains_nothing_leaves_the_program_whole() -> None:
    source = HEAD + "def cost(k):\n    d = X @ w - Y * k\n    return np.sum(d * d)\nfor_all = np.vectorize(cost)\nlosses = for_all(np.arange(5))\n"
    recording = record(source)
    assert [w.loop_line for w in recording.tape.windows] == [0]
    assert not recording.notices


def test_what_goes_on_for_ever_without_a_loop_that_trains_is_stopped_when_there_is_no_more_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tracer.recording.state.MOST_NODES", 500)
    start = time.process_time()
    recording = record("import itertools\nimport numpy as np\nany(map(lambda k: np.sin(k) > 2, itertools.count()))\n")
    assert recording.ended == "stopped"
    assert [n.what[:35] for n in recording.notices] == ["This goes on for more than 500 oper"]
    assert time.process_time() - start < 5


def test_a_recursion_of_a_recorded_program_goes_as_deep_as_that_of_a_native_one() -> None:
    source = "def deep(n):\n    return 0.5 if n == 0 else deep(n - 1) + 1\nx = deep(700)\n" + TAIL
    assert differences(natively(source, {}), recorded(source, {}, None)) == []
