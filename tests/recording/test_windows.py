"""Which iterations are recorded, and what is known of the code before them."""

from __future__ import annotations

import pytest

from tracer.program import ProgramError, parse
from tracer.recording import Recording, record_source
from tracer.recording.box import same
from tracer.tape import Kind, Node, Ref, replay

NET = """\
import numpy as np
np.random.seed(0)
N, D, h = 6, 3, 4
reg = 1e-3
X = np.random.randn(N, D)
y = np.random.randn(N, 1)
W = 0.1 * np.random.randn(D, h)
V = 0.1 * np.random.randn(h, 1)
for step in range({count}):
    a = np.tanh(X.dot(W))
    out = a.dot(V)
    d = out - y
{cost}
    dV = a.T.dot(d) + reg * V
    dW = X.T.dot(d.dot(V.T) * (1 - a * a)) + reg * W
    W -= 0.1 * dW
    V -= 0.1 * dV
print('end', float(np.sum(W)))
"""
ALWAYS = "    loss = 0.5 * np.sum(d * d)"
SOMETIMES = "    if step % {every} == {rest}:\n        loss = 0.5 * np.sum(d * d)\n        print(loss)"


def net(count: int = 20, cost: str = ALWAYS) -> str:
    return NET.format(count=count, cost=cost)


def record(source: str, **options: object) -> Recording:
    return record_source(parse(source, "net.py"), **options)  # type: ignore[arg-type]


def iterations(recording: Recording) -> list[int]:
    return [window.iteration for window in recording.tape.windows]


def named(recording: Recording, name: str, window: int) -> Node:
    return next(n for n in recording.tape.nodes if name in n.names and n.window == window)


def test_iterations_0_and_1_are_recorded_by_default() -> None:
    recording = record(net())
    assert iterations(recording) == [0, 1]
    assert recording.ended == "stopped"
    assert recording.stdout == ""


def test_a_chosen_iteration_is_recorded_with_the_one_before_it() -> None:
    assert iterations(record(net(), iteration=7)) == [6, 7]
    assert iterations(record(net(), iteration=0)) == [0]


def test_the_second_window_reads_what_the_first_one_left() -> None:
    recording = record(net())
    first, second = (named(recording, "out", k) for k in (0, 1))
    updated = next(n for n in recording.tape.nodes if n.kind is Kind.MUTATION and "V" in n.names)
    assert first.window == 0
    assert Ref(updated.id) in second.args


def test_a_leaf_knows_the_set_up_node_that_made_it_and_so_its_sizes() -> None:
    recording = record(net())
    leaf = next(n for n in recording.tape.nodes if n.kind is Kind.LEAF and n.names == ["W"])
    assert leaf.origin is not None
    origin = recording.tape[leaf.origin]
    assert (origin.op, origin.value, origin.window, origin.shape) == ("multiply", None, -1, (3, 4))
    draw = recording.tape[origin.args[1].node]
    assert draw.op == "random.randn"
    assert [recording.tape[size.node].names for size in draw.args] == [["D"], ["h"]]


def test_a_scalar_is_a_leaf_with_its_own_name() -> None:
    leaves = [
        n.names for n in record(net()).tape.nodes if n.kind is Kind.LEAF and n.shape == () and n.window >= 0
    ]
    assert ["reg"] in leaves


def test_later_iterations_still_know_where_an_array_came_from() -> None:
    recording = record(net().replace("W -= 0.1 * dW", "W = W - 0.1 * dW"), iteration=9)
    leaf = next(n for n in recording.tape.nodes if n.kind is Kind.LEAF and n.names == ["W"])
    assert leaf.origin is not None
    assert recording.tape[leaf.origin].shape == leaf.shape
    assert leaf.window == 0


def test_running_on_leaves_the_same_result_as_a_native_run(capsys: pytest.CaptureFixture[str]) -> None:
    recording = record(net(), run_on=True)
    exec(compile(net(), "native", "exec"), {"__name__": "__main__"})
    assert recording.stdout == capsys.readouterr().out
    assert recording.ended == "end"


@pytest.mark.parametrize(("every", "rest", "expected"), [(1, 0, [0, 1]), (5, 4, [3, 4]), (10, 0, [9, 10])])
def test_the_window_moves_on_to_the_next_iteration_that_computes_the_cost(
    every: int, rest: int, expected: list[int]
) -> None:
    recording = record(net(40, SOMETIMES.format(every=every, rest=rest)))
    assert iterations(recording) == expected


def test_a_cost_that_is_never_computed_leaves_the_window_where_it_was() -> None:
    assert iterations(record(net(40, SOMETIMES.format(every=1000, rest=999)))) == [0, 1]


def test_a_loop_that_ends_early_gives_its_last_two_iterations_and_says_so() -> None:
    recording = record(net(4), iteration=30)
    assert iterations(recording) == [2, 3]
    assert any("ended after 4 iterations" in n.what for n in recording.notices)


def test_a_while_loop_is_a_training_loop_too() -> None:
    source = net().replace("for step in range(20):", "step = 0\nwhile step < 20:\n    step += 1")
    assert iterations(record(source)) == [0, 1]


def test_several_training_loops_are_all_recorded_in_order() -> None:
    again = "\nreg = 2e-3\nW = 0.2 * np.random.randn(D, h)\n" + net()[net().index("for step") :]
    recording = record(net() + again)
    assert [(w.loop_line, w.iteration) for w in recording.tape.windows] == [(9, 0), (9, 1), (22, 0), (22, 1)]
    leaf = next(
        n for n in recording.tape.nodes if n.names[:1] == ["W"] and n.kind is Kind.LEAF and n.window == 2
    )
    assert leaf.origin is not None
    assert recording.tape[leaf.origin].site.span.line == 21  # type: ignore[union-attr]


def test_one_loop_can_be_chosen_by_its_line() -> None:
    again = "\nW = 0.2 * np.random.randn(D, h)\n" + net()[net().index("for step") :]
    recording = record(net() + again, loop=21)
    assert {w.loop_line for w in recording.tape.windows} == {21}
    with pytest.raises(ProgramError, match=r"no loop in line 3.*9, 21"):
        record(net() + again, loop=3)


def test_a_loop_over_epochs_and_batches_is_recorded_in_its_inner_loop() -> None:
    source = net().replace("for step in range(20):", "for epoch in range(5):\n  for step in range(4):")
    assert {w.loop_line for w in record(source).tape.windows} == {10}


def test_a_program_without_a_loop_is_recorded_whole() -> None:
    recording = record("import numpy as np\nx = np.ones(3)\ny = (x * 2).sum()\n")
    assert [(w.loop_line, w.start, w.stop) for w in recording.tape.windows] == [(0, 0, len(recording.tape))]


def test_a_training_loop_in_a_method_is_followed() -> None:
    source = """\
import numpy as np
class Net:
    def __init__(self, n_in, n_out, rate=0.1):
        self.W = np.random.randn(n_in, n_out)
        self.rate = rate
    def forward(self, X):
        return np.tanh(X @ self.W)
    def backward(self, X, y):
        out = self.forward(X)
        self.dW = X.T @ ((out - y) * (1 - out ** 2))
        self.W -= self.rate * self.dW
    def fit(self, X, y):
        for epoch in range(100):
            self.backward(X, y)
net = Net(3, 2)
net.fit(np.random.randn(5, 3), np.random.randn(5, 2))
"""
    recording = record(source)
    assert [(w.loop_line, w.iteration) for w in recording.tape.windows] == [(13, 0), (13, 1)]
    gradient = next(n for n in recording.tape.nodes if "self.dW" in n.names)
    assert [call.function for call in gradient.calls] == ["fit", "backward"]
    leaf = next(n for n in recording.tape.nodes if "self.W" in n.names and n.kind is Kind.LEAF)
    assert leaf.origin is not None
    assert recording.tape[leaf.origin].op == "random.randn"


def test_python_2_divides_two_integers_as_it_did() -> None:
    source = "import numpy as np\nm = 10\nx = np.ones(3)\nout = (1/m) * x + 7/2\nprint out\n"
    recording = record(source)
    assert recording.stdout.split() == ["[3.", "3.", "3.]"]
    assert "floor_divide" in [n.op for n in recording.tape.nodes]
    assert record("from __future__ import division\n" + source).stdout.split()[0] == "[3.6"


def test_the_set_up_may_be_long_and_is_cut_short() -> None:
    source = net().replace("for step", "t = 0.\nfor k in range(100000):\n    t = t + k * 0.5\nfor step", 1)
    recording = record(source)
    assert len(recording.tape) < 500
    assert iterations(recording) == [0, 1]


def test_a_window_that_computes_too_many_numbers_one_by_one_is_cut_with_a_notice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tracer.recording import state

    monkeypatch.setattr(state, "MOST_NODES", 300)
    source = (
        net(3).replace("    a = ", "    t = 0.\n    for k in range(400):\n        t = t + k * 0.5\n    a = ")
        + "print(t)\n"
    )
    recording = record(source, run_on=True)
    assert iterations(recording) == [0, 1]
    assert len(recording.tape) < 1000
    assert [(n.line, n.what[:33]) for n in recording.notices] == [(12, "This goes on for more than 300 op")]
    assert recording.stdout.splitlines()[-1] == "39900.0"


def test_more_bytes_than_there_is_room_for_cut_a_window_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from tracer.recording import state

    monkeypatch.setattr(state, "MOST_BYTES", 10_000)
    recording = record(
        "import numpy as np\nx = np.ones(100)\nfor k in range(3):\n    for j in range(100):\n        x = x * 1.5\n",
        loop=3,
    )
    assert len(recording.tape) < 100
    assert "GiB of values" in recording.notices[0].what


def test_a_loop_that_checks_the_gradient_numerically_runs_natively() -> None:
    check = """
    g = np.zeros_like(W)
    for i in range(D):
        for j in range(h):
            old = W[i, j]
            W[i, j] = old + 1e-5
            up = 0.5 * np.sum((np.tanh(X.dot(W)).dot(V) - y) ** 2)
            W[i, j] = old - 1e-5
            down = 0.5 * np.sum((np.tanh(X.dot(W)).dot(V) - y) ** 2)
            W[i, j] = old
            g[i, j] = (float(up) - float(down)) / 2e-5
    error = np.abs(g + reg * W - dW).max()
"""
    source = net().replace("    W -= 0.1 * dW\n", check + "    W -= 0.1 * dW\n")
    recording, plain = record(source, run_on=True), record(net())
    assert len(recording.tape) < len(plain.tape) + 60
    assert [(n.line, n.what[:33]) for n in recording.notices] == [(19, "A gradient is checked numerically")]
    assert max(n.value for n in recording.tape.nodes if "error" in n.names and n.window >= 0) < 1e-6
    values = replay(recording.tape)
    assert all(same(n.value, values[n.id]) for n in recording.tape.window_nodes())


def test_a_whole_number_written_in_a_tuple_stays_that_number_in_a_loop_over_it() -> None:
    def kinds(items: str) -> set[Kind]:
        source = f"import numpy as np\nx = np.ones(3)\ngiven = (1, 2)\nfor k, v in enumerate({items}):\n    out = x * v\n"
        tape = record(source).tape
        return {tape.nodes[tape.operands(n.id)[1]].kind for n in tape.window_nodes() if n.op == "multiply"}

    assert kinds("(1, 5)") == {Kind.LITERAL}
    assert kinds("range(1, 3)") == {Kind.LEAF}
    assert kinds("[int(x[0]), 1]") != {Kind.LITERAL}
