"""A parameter that NumPy's broadcasting gives another shape: the step lacks a sum, and is no proved gradient."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracer
from tests.building.explained import judged_source, parts
from tracer.api import Explanation

FOLDER = Path(__file__).parents[1] / "programs" / "growing"
NETWORK = (FOLDER / "bias_with_one_row_a_sample.py").read_text(encoding="utf-8")
PERCEPTRON = (FOLDER / "bias_of_a_perceptron.py").read_text(encoding="utf-8")


def wrong(found: Explanation) -> dict[int, tuple[str, str | None]]:
    return {n: (p.diagnosis.kind, p.diagnosis.fix) for n, p in parts(found) if p.verdict == "wrong" and p.diagnosis}


def test_each_step_that_lacks_a_sum_over_the_rows_is_named() -> None:
    found = judged_source(NETWORK)
    assert wrong(found) == {
        20: ("axis", "b2 = b2 - np.sum(lr * delta2, axis=0)"),
        22: ("axis", "b1 = b1 - np.sum(lr * delta1, axis=0)"),
    }
    said = next(p.diagnosis.says for n, p in parts(found) if n == 22 and p.diagnosis)
    assert "made with shape (4,)" in said
    assert "its step has shape (12, 4)" in said


def test_an_axis_of_size_one_is_kept() -> None:
    assert wrong(judged_source(PERCEPTRON)) == {
        19: ("axis", "self.b = self.b + np.sum(lr * delta, axis=0, keepdims=True)")
    }


def test_a_later_iteration_does_not_hide_it(tmp_path: Path) -> None:
    program = tmp_path / "net.py"
    program.write_text(NETWORK, encoding="utf-8")
    assert set(wrong(tracer.explain(program, iteration=6))) == {20, 22}


def test_a_sum_over_the_wrong_axis_that_broadcasts_is_named_where_it_is() -> None:
    source = NETWORK.replace("b1 = np.zeros(H)", "b1 = np.zeros((1, H))").replace(
        "    b1 = b1 - lr * delta1", "    db1 = np.sum(delta1, axis=1, keepdims=True)\n    b1 = b1 - lr * db1"
    )
    found = wrong(judged_source(source.replace("lr * delta2\n    W1", "lr * delta2.sum(axis=0)\n    W1")))
    assert found == {22: ("axis", "db1 = np.sum(delta1, axis=0, keepdims=True)")}


@pytest.mark.parametrize("source", [NETWORK, PERCEPTRON], ids=["network", "perceptron"])
def test_with_the_sum_every_step_is_right(source: str) -> None:
    right = source.replace("b2 - lr * delta2", "b2 - lr * delta2.sum(axis=0)").replace(
        "b1 - lr * delta1", "b1 - lr * delta1.sum(axis=0)"
    )
    right = right.replace("lr * delta\n", "lr * delta.sum(axis=0, keepdims=True)\n")
    assert right != source
    found = judged_source(right)
    assert not wrong(found)
    assert {p.optimiser for _, p in parts(found) if p.role == "update"} == {"gradient descent"}


def test_an_array_that_is_no_parameter_may_grow() -> None:
    source = NETWORK.replace("b1 = b1 - lr * delta1", "b1 = b1 - lr * delta1.sum(axis=0)")
    source = source.replace("b2 = b2 - lr * delta2", "b2 = b2 - lr * delta2.sum(axis=0)")
    source += "    shown = np.zeros(H) if epoch == 0 else shown\n    shown = shown + a1\n"
    assert not wrong(judged_source(source))
