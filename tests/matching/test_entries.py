"""Arrays that are updated entry by entry: which numbers are one entry, which updates there are, what each is a step along."""

from __future__ import annotations

import numpy as np
import pytest

from tests.building.explained import analysed_source
from tests.matching.factorised import RIGHT, STALE, factorisation
from tracer.diagnosis.intent import targets
from tracer.matching.analysis import Analysis
from tracer.matching.entries import Entry, Versions, with_entries
from tracer.matching.judging import fits, is_right, judged_updates
from tracer.program import parse
from tracer.recording import record_source
from tracer.tape.tape import Tape, replay

LAYER = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
W = rng.normal(size=(2, 3))
b = np.zeros(2)
V = rng.normal(size=(3, 2)).T
rate = 0.1
for x, t in zip(X, T):
    d = {forward} - t
    loss = 0.5 * np.sum(d ** 2)
    for i in range(2):
        for j in range(3):
            {update}
"""


def layer(update: str, forward: str = "np.dot(W, x) + b") -> str:
    return LAYER.format(forward=forward, update=update)


def recorded(source: str) -> Tape:
    return record_source(parse(source, "program.py")).tape


def entries_written(found: Analysis) -> list[tuple[int, ...]]:
    """The places of what one iteration updates entry by entry, in order."""
    reading, tape = found.matcher.reading, found.tape
    written = [reading.written(u) for u in sorted(found.updates) if tape.nodes[u].window == 1]
    return [entry.place for entry in written if entry is not None]


ALL = [(i, j) for i in range(2) for j in range(3)]


@pytest.mark.parametrize(
    ("update", "forward"),
    [
        ("W[i][j] -= rate * d[i] * x[j]", "np.dot(W, x)"),
        ("W[i, j] -= rate * d[i] * x[j]", "np.dot(W, x) + b"),
        ("W[i][j] = W[i][j] - rate * d[i] * x[j]", "W @ x"),
        ("W[i][j] = -rate * d[i] * x[j] + W[i][j]", "W @ x"),
        ("W[i][j] += -rate * (d[i] * x[j])", "W @ x"),
        ("w = W[i][j]; W[i][j] = w - rate * d[i] * x[j]", "W @ x"),
        ("row = W[i]; row[j] -= rate * d[i] * x[j]", "W @ x"),
        ("V[i][j] -= rate * d[i] * x[j]", "V @ x"),
        ("V[i, j] -= rate * d[i] * x[j]", "V.dot(x)"),
        ("W[i][j] -= rate * d[i] * x[j]", "np.array([np.dot(W[0], x), np.dot(W[1, :], x)])"),
    ],
)
def test_every_entry_is_updated_along_its_own_gradient(update: str, forward: str) -> None:
    found = analysed_source(layer(update, forward))
    assert entries_written(found) == ALL
    shown = [u for u in judged_updates(found.matcher) if found.tape.nodes[u.node].window == 1]
    assert len(shown) == len(ALL)
    assert all(is_right(found.matcher, u) for u in shown)
    best = [next(m for m in found.matcher.matches[u.change] if fits(m, u)) for u in shown]
    assert {m.scale.text.lstrip("-") for m in best} == {"rate"}
    assert all(found.verify(m).verdict == "proved" for m in best)


def test_the_gradient_by_an_entry_counts_what_reads_it_alone_and_what_reads_it_with_others() -> None:
    mixed = "np.array([W[r, 0] * x[0] + np.dot(W[r, 1:], x[1:]) + np.dot(W[r], x) for r in range(2)])"
    assert all(is_right(found.matcher, u) for found in [doubled(mixed, 2)] for u in judged_updates(found.matcher))
    assert not any(is_right(found.matcher, u) for found in [doubled(mixed, "x[j]")] for u in judged_updates(found.matcher))


def doubled(forward: str, factor: object) -> Analysis:
    return analysed_source(layer(f"W[i][j] -= rate * {factor} * d[i] * x[j]", forward))


@pytest.mark.parametrize(
    "update",
    [
        "W[i][j] -= rate * d[i] * x[j - 1]",
        "W[i][j] -= rate * d[1 - i] * x[j]",
        "W[i][j] -= rate * d[i]",
        "W[i][j] -= rate * d[i] * x[j] * x[j]",
        "W[i][j - 1] -= rate * d[i] * x[j]",
    ],
)
def test_the_gradient_by_another_entry_is_not_that_by_this_one(update: str) -> None:
    found = analysed_source(layer(update))
    shown = [u for u in judged_updates(found.matcher) if found.tape.nodes[u.node].window == 1]
    assert len(shown) == len(ALL)
    assert not any(is_right(found.matcher, u) for u in shown)


def test_what_an_update_reads_is_read_from_the_version_of_the_forward_pass() -> None:
    tape = recorded(layer("W[i][j] -= rate * d[i] * x[j]"))
    entries = with_entries(tape)
    reading = Versions(entries)
    leaf = next(n.id for n in tape.nodes if n.window == 0 and n.names == ["W"] and not n.op)
    reads = [n for n in entries.nodes if n.site and n.site.text == "W[i][j]" and n.op == "getitem" and n.window == 0]
    assert [reading.read(n.id) for n in reads] == [Entry(leaf, place) for place in ALL]
    assert not any(n.op == "setitem" and len(n.shape or ()) < 2 and n.args[0] == n.id for n in entries.nodes)


def test_an_entry_that_has_moved_is_read_from_the_version_that_moved_it() -> None:
    tape = with_entries(recorded(layer("W[i][j] -= rate * d[i] * x[j]; late = W[i][j]")))
    reading = Versions(tape)
    late = [n for n in tape.nodes if "late" in n.names and n.window == 0]
    moved = [(entry, reading.written(entry.whole)) for n in late if (entry := reading.read(n.id)) is not None]
    assert [entry.place for entry, _ in moved] == ALL
    assert all(written is not None and written.place == entry.place for entry, written in moved)


@pytest.mark.parametrize("source", [layer("W[i][j] -= rate * d[i] * x[j]"), *map(factorisation, RIGHT.values())])
def test_no_value_changes(source: str) -> None:
    tape = recorded(source)
    entries = with_entries(tape)
    assert entries is not tape
    for node, value in zip(tape.nodes, replay(entries), strict=True):
        if node.window >= 0 and node.shape is not None:
            np.testing.assert_array_equal(value, node.value)


FILLED = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
W, h = rng.normal(size=(2, 3)), np.zeros(2)
for x, t in zip(X, T):
    for i in range(2):
        h[i] = np.tanh(W[i] @ x)
    loss = 0.5 * np.sum((h - t) ** 2)
    d = (h - t) * (1 - h * h)
    W -= 0.1 * np.outer(d, x)
"""


def test_an_array_that_is_filled_anew_is_no_parameter() -> None:
    tape = recorded(FILLED)
    assert with_entries(tape) is tape
    found = analysed_source(FILLED)
    assert {found.tape.nodes[u].names[-1] for u in found.updates} == {"W"}


def test_a_loss_that_reads_rows_and_single_entries_of_one_version_reads_one_variable() -> None:
    """``np.sum(W[0] ** 2) + W[0, 0]`` after the updates: no entry of it is moved to the version before them."""
    late = "W[i][j] -= rate * d[i] * x[j]\n    after_loss = np.sum(W[0] ** 2) + W[0, 0] * x[0]"
    tape = with_entries(recorded(layer(late)))
    reading = Versions(tape)
    for loss in (n for n in tape.nodes if "after_loss" in n.names):
        behind = [k for k in range(loss.id) if tape.nodes[k].window == loss.window]
        rows = [n for n in behind if tape.nodes[n].site and tape.nodes[n].site.text == "W[0]"]  # type: ignore[union-attr]
        single = [n for n in behind if tape.nodes[n].site and tape.nodes[n].site.text == "W[0, 0]"]  # type: ignore[union-attr]
        entry = reading.read(single[-1])
        assert entry is not None
        assert entry.whole == tape.operands(rows[-1])[0]


@pytest.mark.parametrize("style", RIGHT)
def test_the_loss_of_a_factorisation_is_inferred_with_its_penalty(style: str) -> None:
    found = analysed_source(factorisation(RIGHT[style]))
    assert found.inferred is not None
    assert found.inferred.says == "the sum of squared errors, with a penalty on the parameters"
    assert all(is_right(found.matcher, u) for u in judged_updates(found.matcher))


def test_what_makes_parameters_grow_is_no_penalty() -> None:
    grows = RIGHT["read before"].replace("- beta * pik", "+ beta * pik").replace("- beta * qkj", "+ beta * qkj")
    found = analysed_source(factorisation(grows))
    assert found.inferred is not None
    assert found.inferred.says == "half the sum of squared errors"


@pytest.mark.parametrize("style", STALE)
def test_only_the_second_factor_is_not_updated_along_its_gradient(style: str) -> None:
    found = analysed_source(factorisation(STALE[style]))
    wrong = {found.tape.nodes[u.node].names[-1] for u in judged_updates(found.matcher) if not is_right(found.matcher, u)}
    right = {found.tape.nodes[u.node].names[-1] for u in judged_updates(found.matcher) if is_right(found.matcher, u)}
    assert (wrong, right) == ({"Q"}, {"P"})


def test_of_many_entries_that_one_line_updates_few_are_judged_one_by_one() -> None:
    source = layer("W[i][j] -= rate * d[i] * x[j]")
    for small, large in (("(6, 3)", "(6, 15)"), ("(2, 3)", "(2, 15)"), ("range(3)", "range(15)")):
        source = source.replace(small, large)
    found = analysed_source(source)
    assert len(entries_written(found)) == 30
    assert 0 < len(targets(found)) <= 16
