"""Derivations in stages: cut at the chain rule, told once, and complete."""

from __future__ import annotations

from tracer.explanation.model import Derivation, Part, Step
from tracer.explanation.stages import LONG, left_side, stages, told_once
from tracer.explanation.words.report import reference


def step(rule: str, text: str) -> Step:
    return Step(rule, "because", text.partition(" = ")[0], text, text, "", "result = 1")


def derivation(*names: str, end: str = "end") -> Derivation:
    """A stage of five steps for each name, then a last step."""
    steps = [
        step("chain rule" if k == 0 else "contract", f"{name} = {k}") for name in names for k in range(5)
    ]
    return Derivation({}, (*steps, step("matrix form", f"{end} = 5")))


def part(line: int, found: Derivation) -> Part:
    return Part((line, 0, line, 5), "dW", "dW", True, "gradient", derivation=found)


def test_a_stage_begins_at_each_chain_rule_and_all_steps_are_in_one() -> None:
    found = derivation("a", "b", "c")
    cut = stages(found)
    assert [(stage.first, stage.last) for stage in cut] == [(1, 5), (6, 10), (11, 16)]
    assert tuple(step for stage in cut for step in stage.steps) == found.steps
    assert [stage.conclusion.text for stage in cut] == ["a = 4", "b = 4", "end = 5"]
    assert stages(Derivation({}, ())) == ()


def test_what_comes_before_the_first_chain_rule_is_a_stage_too() -> None:
    found = Derivation({}, (step("forward formula", "y = x"), *derivation("a").steps))
    assert [(stage.first, stage.last) for stage in stages(found)] == [(1, 1), (2, 7)]


def test_steps_of_an_earlier_part_are_referred_to_and_the_last_stage_is_told_again() -> None:
    first, second = (
        part(43, derivation("a", "b", "c", end="N d")),
        part(44, derivation("a", "b", "c", end="d")),
    )
    told = told_once([first, second])
    assert [stage.as_in for stage in told[id(first)]] == [None, None, None]
    assert [(stage.first, stage.last, stage.as_in) for stage in told[id(second)]] == [
        (1, 10, 43),
        (11, 16, None),
    ]
    assert reference(told[id(second)][0], second) == "Steps 1–10: as in line 43"
    assert sum(len(stage.steps) for stage in told[id(second)]) == len(second.derivation.steps)  # type: ignore[union-attr]


def test_a_stage_that_differs_in_one_step_is_told_in_full() -> None:
    changed = derivation("a", "b", "c")
    steps = list(changed.steps)
    steps[2] = step("contract", "a = another")
    told = told_once([part(3, changed), part(4, Derivation({}, tuple(steps)))])
    assert [stage.as_in for stage in list(told.values())[1]] == [None, 3, None]


def test_a_long_derivation_that_was_told_is_not_told_again_and_a_short_one_is() -> None:
    long, short = derivation("a", "b", "c"), derivation("z")
    assert len(long.steps) > LONG >= len(short.steps)
    again = [part(5, long), part(9, long), part(5, short), part(9, short)]
    told = list(told_once(again).values())
    assert [stage.as_in for stage in told[1]] == [5]
    assert [stage.as_in for stage in told[3]] == [None]
    assert reference(told[1][0], part(5, long)) == "Steps 1–16: as above"


def test_what_a_formula_is_about_stands_left_of_the_sign() -> None:
    assert left_side("∂loss/∂W₂[i,j] = Σ_k X[k,i] = 3") == "∂loss/∂W₂[i,j]"
    assert left_side("nothing") == "nothing"
