"""A number in a list is one value, whether a loop walks along the list or an index reads it."""

from __future__ import annotations

import pytest

from tests.building.explained import analysed_source
from tracer.program import parse
from tracer.recording import record_source
from tracer.tape.node import Kind

NEURON = """\
import random
random.seed(1)
w = [random.uniform(-1, 1) for _ in range(3)]
net = [w]
data = [([random.uniform(-1, 1) for _ in w], random.random()) for _ in range(5)]
for x, t in data:
    out = FORWARD
    loss = (out - t) ** 2
    delta = 2 * (out - t)
    for j in range(3):
        w[j] -= 0.1 * delta * x[j]
"""
FORWARD = [
    "sum(a * b for a, b in zip(w, x))",
    "sum([w[k] * v for k, v in enumerate(x)])",
    "[sum(a * b for a, b in zip(row, x)) for row in net][0]",
    "sum(map(lambda a, b: a * b, w, x))",
    "sum(a * x[k] for k, a in enumerate(w))",
    "sum(a * b for a, b in reversed(list(zip(w, x))))",
]


@pytest.mark.parametrize("forward", FORWARD)
def test_entries_that_a_loop_walks_along_are_those_that_are_updated(forward: str) -> None:
    found = analysed_source(NEURON.replace("FORWARD", forward))
    steps = [found.tape.nodes[u] for u in found.updates]
    assert [n.window for n in steps] == [0, 0, 0, 1, 1, 1]
    assert all(found.matcher.best(u.change) is not None for u in found.updates.values())


SHARED = """\
start = INIT
w = [start] * 2
copy = [start, 1.0]
for x in [0.3, 0.4, 0.5]:
    loss = (w[0] * x + w[1] + copy[0] - 1) ** 2
    w[0] -= 0.1 * 2 * (w[0] * x + w[1] + copy[0] - 1) * x
"""


@pytest.mark.parametrize("start", ["0.5", "float(sum([0.25, 0.25]))"])
def test_one_object_at_several_places_is_several_numbers(start: str) -> None:
    tape = record_source(parse(SHARED.replace("INIT", start), "program.py"), loop=4).tape
    names = {n.names[0]: n.id for n in tape.window_nodes() if n.kind is Kind.LEAF and n.names}
    read = {"w[0]", "w[1]", "copy[0]"} & names.keys()
    assert len({names[name] for name in read}) == 3


MADE_ANEW = """\
import random
random.seed(1)
w, rate = [random.random() for _ in range(3)], 0.1
xs = [[random.gauss(0, 1) for _ in range(3)] for _ in range(4)]
ys = [2 * x[0] - x[1] for x in xs]
def predict(x):
    return sum(wi * xi for wi, xi in zip(w, x))
def mse():
    return sum((predict(x) - y) ** 2 for x, y in zip(xs, ys)) / len(xs)
for epoch in range(12):
    grads = [0.0] * 3
    for x, y in zip(xs, ys):
        e = predict(x) - y
        for j in range(3):
            grads[j] += 2 * e * x[j] / len(xs)
    w = [wi - rate * g for wi, g in zip(w, grads)]
    if epoch % 5 == 0:
        print(mse())
"""


@pytest.mark.parametrize("container", ["[{}]", "list({})", "tuple({})"])
def test_a_list_of_numbers_that_is_made_anew_holds_the_next_versions(container: str) -> None:
    step = "wi - rate * g for wi, g in zip(w, grads)"
    found = analysed_source(MADE_ANEW.replace(f"[{step}]", container.format(step)))
    updates = [u for n, u in found.updates.items() if found.tape.nodes[n].window == 1]
    assert len(updates) == 3
    assert all(found.matcher.best(u.change) is not None for u in updates)


def test_numbers_that_are_made_anew_of_nothing_former_are_no_parameters() -> None:
    text = MADE_ANEW.replace("wi - rate * g for wi, g in zip(w, grads)", "0.5 - rate * g for g in grads")
    assert not analysed_source(text).updates
