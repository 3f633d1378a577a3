"""Programs whose forward pass goes through complex numbers: what their lines are, and that nothing of it is called proved."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pytest

from tests.building.explained import analysed_source, explained_source
from tests.end_to_end.complex_programs import FAULTS, FILTER_TRANSPOSED, LINEAR_LAYER, PHASE_RETRIEVAL, RIGHT
from tracer.api import Explanation
from tracer.explanation.model import Part
from tracer.explanation.words.report import derivative
from tracer.matching.candidates import Sort


@cache
def explained(source: str) -> Explanation:
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        return explained_source(source)


def gradients(source: str) -> dict[str, Part]:
    parts = (p for line in explained(source).lines for p in line.parts)
    return {p.target: p for p in parts if p.role == "gradient" and p.whole and p.target}


@pytest.mark.parametrize("name", RIGHT)
def test_every_line_is_the_gradient_it_is_meant_as(name: str) -> None:
    source, wanted = RIGHT[name]
    found = gradients(source)
    for target, wrt in wanted.items():
        assert found[target].verdict in ("proved", "checked"), target
        assert found[target].wrt == wrt
        assert found[target].derivation is not None, target
        assert found[target].formula is not None


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_that_went_through_complex_numbers_is_called_proved(name: str) -> None:
    source, wanted = RIGHT[name]
    found = gradients(source)
    analysis = analysed_source(source)
    for node, matches in analysis.matcher.matches.items():
        if np.iscomplexobj(analysis.tape.nodes[node].value):
            for match in matches[:2]:
                assert not analysis.prover.prove(match).proved
    through = set(wanted) - {"dout", "dmix"}
    assert {t for t in wanted if found[t].verdict == "proved"} <= set(wanted) - through


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f[0]}: {f[2]}")
def test_a_planted_fault_is_no_gradient(fault: tuple[str, str, str, str]) -> None:
    name, old, new, target = fault
    source, _ = RIGHT[name]
    assert old in source
    part = gradients(source.replace(old, new)).get(target)
    assert part is None or part.verdict in ("wrong", "unexplained", None)


def test_both_conventions_are_recognised_and_told_apart() -> None:
    for source, conjugate in ((FILTER_TRANSPOSED, False), (RIGHT["filter"][0], True)):
        matcher = analysed_source(source).matcher
        named = {name: n.id for n in matcher.graph.tape.nodes for name in n.names}
        best = matcher.best(named["dH"])
        assert best is not None
        assert best.candidate.sort is Sort.FULL
        assert best.candidate.conjugate is conjugate
        part = gradients(source)["dH"]
        assert part.conjugate is conjugate
        assert derivative(part) == ("conj(∂loss/∂H)" if conjugate else "∂loss/∂H")


def test_the_reader_is_told_the_convention_once_and_what_a_conjugate_is() -> None:
    part = gradients(PHASE_RETRIEVAL)["grad"]
    assert part.derivation is not None
    told = [step.why for step in part.derivation.steps]
    assert sum("stands for ∂/∂Re − i ∂/∂Im" in why for why in told) == 1
    assert any("The line holds the conjugate" in why for why in told)
    assert part.formula is not None
    assert part.formula.index.text.startswith("conj(∂loss/∂z[")


def test_a_step_along_the_gradient_itself_is_told_to_go_up_in_the_imaginary_parts() -> None:
    wrong = LINEAR_LAYER.replace("x.conj().T @ dy", "x.T @ np.conj(dy)")
    assert "np.conj(dW)" in (gradients(wrong)["dW"].remark or "")
    assert "np.conj(dW)" not in (gradients(LINEAR_LAYER)["dW"].remark or "")
    assert all(p.verdict != "wrong" for p in gradients(wrong).values())


def test_two_arrays_whose_names_differ_in_capitals_are_told_apart_when_asked_for() -> None:
    asked = explained(RIGHT["filter"][0]).ask("dL/dh")
    assert {p.target for p in asked} == {"dh"}
    assert {p.target for p in explained(RIGHT["filter"][0]).ask("dL/dH")} == {"dH"}
