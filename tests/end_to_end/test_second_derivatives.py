"""Programs that differentiate a gradient: the forward pass holds one that is written by hand, the backward pass goes through it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.building.explained import judged_source
from tracer.explanation.model import Part

FOLDER = Path(__file__).resolve().parents[1] / "programs" / "second_order"
PROGRAMS = tuple(sorted(p.stem for p in FOLDER.glob("*.py")))

#: What is left out or changed, and the gradient that is none any more.
FAULTS = [
    ("input_gradient_penalty", " + dV * w2 * (-2 * A)", "", "dW1"),
    ("input_gradient_penalty", "dV * w2 * (-2 * A)", "dV * w2 * (2 * A)", "dA"),
    ("maml_linear", "dphi + Xs.T @ dr", "dphi - Xs.T @ dr", "dg"),
    ("maml_hidden_layer", "    dH += np.outer(err, dgv)\n", "", "dH"),
    ("wgan_gradient_penalty", "dnorm * g / norm", "dnorm * g", "dg"),
    ("sobolev", "gS1 * (1 - 2 * S)", "gS1 * (1 - S)", "gS"),
]


def source(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text()


@cache
def gradients(text: str) -> tuple[Part, ...]:
    return tuple(p for line in judged_source(text).lines for p in line.parts if p.role == "gradient" and p.whole)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_line_is_proved(name: str) -> None:
    found = gradients(source(name))
    assert len(found) >= 4
    assert {p.verdict for p in found} == {"proved"}


@pytest.mark.parametrize(("name", "old", "new", "target"), FAULTS)
def test_a_fault_in_the_second_derivative_is_found(name: str, old: str, new: str, target: str) -> None:
    text = source(name)
    assert text.count(old) == 1
    assert target in {p.target for p in gradients(text.replace(old, new)) if p.verdict == "wrong"}


def test_what_reaches_a_matrix_through_its_transpose_is_told_as_a_part_of_its_gradient() -> None:
    first, whole = (p for p in gradients(source("input_gradient_penalty")) if p.target == "dW1")
    assert (first.wrt, first.contribution) == ("W1", "through W1.T")
    assert (whole.wrt, whole.contribution) == ("W1", None)
