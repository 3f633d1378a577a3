"""The adjoints that are swept in numbers, against differences of the replayed tape."""

from __future__ import annotations

import numpy as np
import pytest

from tests.building.explained import NAMES, analysed_source, analysis
from tracer.gradients.adjoints import ancestors, numeric_adjoints, sensitive
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Sort
from tracer.tape.node import Kind
from tracer.tape.tape import replay


def root_on(found: Analysis, replayed: int, root: int, wrt: int, index: tuple[int, ...], by: float) -> float:
    """The root on a replay when one entry of a value is moved and everything after it is computed again."""
    values = found.replays.values[replayed]
    given = {n: values[n] for n in found.replays.drawn}
    moved = np.array(values[wrt], dtype=float)
    moved[index] += by
    given[wrt] = moved if moved.shape else float(moved)
    with np.errstate(all="ignore"):
        return float(replay(found.tape, given)[root])


def last_root(found: Analysis) -> int:
    named = [r.node for r in found.matcher.roots if r.named]
    return max(named)


@pytest.mark.parametrize("name", NAMES)
def test_every_adjoint_is_the_central_difference_of_a_replay(name: str) -> None:
    found = analysis(name)
    root = last_root(found)
    rng = np.random.default_rng(0)
    checked = 0
    for wrt, adjoint in found.matcher.adjoints[root][1].full.items():
        if wrt == root or not found.tape.nodes[wrt].shape or not np.any(adjoint):
            continue
        index = np.unravel_index(int(np.argmax(np.abs(adjoint) + 1e-9 * rng.random(adjoint.shape))), adjoint.shape)
        at = tuple(int(i) for i in index)
        best = min(
            abs((root_on(found, 1, root, wrt, at, h) - root_on(found, 1, root, wrt, at, -h)) / (2 * h) - adjoint[at])
            for h in (1e-5, 1e-6)
        )
        assert best < 1e-5 * max(1.0, abs(adjoint[at])), (found.tape.nodes[wrt].names, adjoint[at])
        checked += 1
    assert checked >= 5


@pytest.mark.parametrize("name", NAMES)
def test_the_adjoint_is_the_sum_of_what_the_paths_contribute(name: str) -> None:
    found = analysis(name)
    for root in found.matcher.adjoints:
        sweep = found.matcher.adjoints[root][0]
        total: dict[int, np.ndarray] = {}
        for part in sweep.contributions:
            total[part.wrt] = total[part.wrt] + part.value if part.wrt in total else part.value
        assert total.keys() == sweep.full.keys() - {root}
        for same in found.matcher.computed_alike(total, root):  # a value that is computed twice is one value
            whole = sum(total[node] for node in same)
            for wrt in same:
                np.testing.assert_allclose(whole, sweep.full[wrt], rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_these_programs_is_blocked_and_every_adjoint_has_the_shape_of_its_value(name: str) -> None:
    found = analysis(name)
    for sweeps in found.matcher.adjoints.values():
        for replayed, sweep in enumerate(sweeps):
            assert not sweep.blocked
            for wrt, value in sweep.full.items():
                assert value.shape == np.shape(found.replays.values[replayed][wrt])


def test_the_sweep_stops_at_an_update() -> None:
    """A root of the second iteration does not see the parameter of the first."""
    found = analysis("square_sizes")
    root = last_root(found)
    before = ancestors(found.tape, root, found.updates.keys())
    assert all(found.updates[u].before not in before for u in found.updates if u in before)
    uncut = ancestors(found.tape, root, ())
    assert {found.updates[u].before for u in found.updates if u in before} <= uncut


def through_another_way(way: str) -> Analysis:
    return analysed_source(f"""
import numpy as np
W = np.random.default_rng(3).normal(size=(4, 3))
for it in range(3):
    S = W * 3
    loss = np.sum(S ** 2) + np.sum({way})
    W = W - 0.01 * W
""")


@pytest.mark.parametrize("way", ["np.sort(np.fft.fft(W)).real", "np.median(np.fft.fft(W), axis=1, keepdims=True).real"])
def test_what_also_passes_through_a_step_without_a_derivative_has_no_adjoint_rather_than_a_part_of_it(way: str) -> None:
    found = through_another_way(way)
    full = found.matcher.adjoints[last_root(found)][0].full
    named = {name: n for n, node in enumerate(found.tape.nodes) for name in node.names}
    assert named["S"] in full
    assert not {u.before for u in found.updates.values()} & full.keys()


@pytest.mark.parametrize("way", [
    "np.abs(np.fft.fft(W)) ** 2", "np.sqrt(W.astype(complex)).real", "np.angle(W + 1j)",
    "np.abs(np.fft.fft2(W)[(0, 1, 0), (2, 2, 1)]) ** 2", "np.abs(np.fft.fft(W)[W[:, 0] > 0]) ** 3",
    "np.r_[W[:, 0], 2, 1:3, 0.5] ** 2 * np.r_[1:9]", "np.concatenate([W[:, 1], np.array([3, 1])]) ** 2",
])
def test_a_way_through_complex_numbers_or_beside_other_entries_counts_in_full(way: str) -> None:
    found = through_another_way(way)
    root = last_root(found)
    full = found.matcher.adjoints[root][1].full
    (before,) = {u.before for u in found.updates.values()} & full.keys()
    assert full[before].dtype == float
    for at in ((0, 0), (2, 1), (3, 2)):
        moved = (root_on(found, 1, root, before, at, h) for h in (1e-5, -1e-5))
        assert abs((next(moved) - next(moved)) / 2e-5 - full[before][at]) < 1e-5 * max(1.0, abs(full[before][at]))


def test_even_without_a_cut_an_update_has_no_formula_to_go_through() -> None:
    found = analysis("square_sizes")
    root = last_root(found)
    relevant = ancestors(found.tape, root, ()) & sensitive(found.tape, ())
    uncut = numeric_adjoints(found.tape, found.rules, found.replays.values[0], root, relevant, ())
    assert uncut.blocked == {u for u in found.updates if u < root}
    behind = {k for u in uncut.blocked for operand in found.tape.operands(u) for k in ancestors(found.tape, operand, ())}
    assert behind & set(found.matcher.adjoints[root][0].full)
    assert set(uncut.full) == set(found.matcher.adjoints[root][0].full) - behind


@pytest.mark.parametrize("name", NAMES)
def test_integers_and_masks_have_no_adjoint(name: str) -> None:
    found = analysis(name)
    for sweeps in found.matcher.adjoints.values():
        assert all(found.tape.nodes[n].dtype.startswith("float") for n in sweeps[0].full)


@pytest.mark.parametrize("name", NAMES)
def test_a_local_derivative_is_the_difference_quotient_entry_by_entry(name: str) -> None:
    found = analysis(name)
    locals_ = [m for ms in found.matcher.matches.values() for m in ms[:1] if m.candidate.sort is Sort.LOCAL]
    for match in locals_:
        out, wrt = match.candidate.root, match.candidate.wrt
        values = found.replays.values[0]
        given = {n: values[n] for n in found.replays.drawn}
        step = 1e-6
        ends = []
        for sign in (1, -1):
            with np.errstate(all="ignore"):
                ends.append(np.asarray(replay(found.tape, {**given, wrt: np.asarray(values[wrt]) + sign * step})[out]))
        slope = (ends[0] - ends[1]) / (2 * step)
        recorded = np.asarray(values[match.node], dtype=float)
        if match.scale.text == "1" and not match.candidate.transposed:
            np.testing.assert_allclose(recorded, slope, rtol=1e-4, atol=1e-6)


def test_leaves_that_are_read_are_the_only_starts_of_what_can_be_differentiated() -> None:
    found = analysis("spiral_python2")
    live = sensitive(found.tape, found.updates.keys())
    assert all(n.id in live for n in found.tape.window_nodes() if n.kind is Kind.LEAF and n.dtype == "float64" and n.shape)
    assert not any(n.id in live for n in found.tape.window_nodes() if n.kind is Kind.LITERAL)


FRAMES = """
import numpy as np
rng = np.random.default_rng(2)
w = np.hanning(8)
frames = lambda x: np.stack([x[i:i + 8] * w for i in range(0, 17, 4)])
T = frames(np.sin(np.arange(24.0)))
x = rng.normal(size=24)
for step in range(4):
    D = frames(x) - T
    loss = np.sum(D ** 2)
    gx = np.zeros(24)
    for n, i in enumerate(range(0, 17, 4)):
        gx[i:i + 8] += 2 * D[n] * w
    x -= 0.01 * gx
"""


def test_the_variable_of_a_loop_that_ran_in_the_set_up_too_is_another_value_each_time() -> None:
    """All windows are read at one place, and in the set-up that place held one number: they are not one window."""
    found = analysed_source(FRAMES)
    windows = [n.id for n in found.tape.window_nodes() if n.op == "getitem" and n.shape == (8,)]
    starts = {found.graph.representative(n) for n in windows}
    assert len(starts) >= 5
    root = last_root(found)
    full = found.matcher.adjoints[root][1].full
    (before,) = {u.before for u in found.updates.values()} & full.keys()
    for at in ((0,), (9,), (23,)):
        moved = (root_on(found, 1, root, before, at, h) for h in (1e-5, -1e-5))
        assert abs((next(moved) - next(moved)) / 2e-5 - full[before][at]) < 1e-5 * max(1.0, abs(full[before][at]))
