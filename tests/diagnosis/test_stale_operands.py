"""A gradient that reads a parameter after its update is named stale, and the corrected order is right."""

from __future__ import annotations

import pytest

from tests.building.explained import NAMES, analysis, explanation, judged_source, parts
from tracer.diagnosis import Finding, Kind, find_stale_operands
from tracer.explanation.model import Edit, Explanation, Part
from tracer.matching.analysis import Analysis

NET = """\
import numpy as np
np.random.seed(0)
N, D, H = 7, 3, 4
X = np.random.randn(N, D)
t = np.random.randn(N, 1)
W = np.random.randn(D, H)
V = np.random.randn(H, 1)
lr = 0.1
for i in range(8):
    Z = np.dot(X, W)
    A = np.tanh(Z)
    out = np.dot(A, V)
    loss = 0.5 * np.sum((out - t) ** 2)
    dout = out - t
    dV = np.dot(A.T, dout)
{order}
"""
LATE = """\
    dA = np.dot(dout, V.T)
    dZ = dA * (1 - A ** 2)
    dW = np.dot(X.T, dZ)
    V -= lr * dV
    W -= lr * dW"""
EARLY = """\
    V -= lr * dV
    dA = np.dot(dout, V.T)
    dZ = dA * (1 - A ** 2)
    dW = np.dot(X.T, dZ)
    W -= lr * dW"""
STYLES = {
    "in place": EARLY,
    "a new array": EARLY.replace("V -= lr * dV", "V = V - lr * dV"),
    "plus a negative step": EARLY.replace("V -= lr * dV", "V += -lr * dV"),
    "a step with a name": EARLY.replace("V -= lr * dV", "step = lr * dV\n    V -= step"),
    "in one expression": """\
    V -= lr * dV
    W -= lr * np.dot(X.T, np.dot(dout, V.T) * (1 - A ** 2))""",
}


def names(found: Analysis, finding: Finding) -> tuple[str, list[str]]:
    tape = found.tape
    return tape.nodes[finding.cause].names[-1], [tape.nodes[u].names[-1] for u in finding.spoiled]


def edited(source: str, edits: tuple[Edit, ...]) -> str:
    lines = source.split("\n")
    for edit in sorted(edits, key=lambda e: -e.line):
        lines[edit.line - 1 : edit.end_line] = edit.new.split("\n")
    return "\n".join(lines)


def wrong(found: Explanation) -> list[tuple[int, Part]]:
    return [(line, p) for line, p in parts(found) if p.verdict == "wrong"]


def test_gradient_ascent_with_functions_has_two_gradients_through_updated_weights() -> None:
    found = analysis("ascent_with_stale_weights")
    last = max(w for w, _ in enumerate(found.tape.windows))
    findings = [f for f in find_stale_operands(found) if found.tape.nodes[f.cause].window == last]
    assert [(f.kind, *names(found, f)) for f in findings] == [(Kind.STALE_OPERAND, "W", ["V", "c"])]


def test_the_lines_that_hand_over_the_updated_weights_are_called_wrong() -> None:
    lines = {line for line, _ in wrong(explanation("ascent_with_stale_weights"))}
    assert {64, 65} <= lines
    right = {p.target: p.verdict for _, p in parts(explanation("ascent_with_stale_weights")) if p.role == "gradient"}
    assert right.get("W") != "wrong"
    for line in (62, 63):
        own = [p for p in explanation("ascent_with_stale_weights").line(line).parts if p.role == "gradient"]
        assert {p.verdict for p in own} == {"proved"}


def test_the_diagnosis_says_what_was_changed_too_early_and_where() -> None:
    for _, part in wrong(explanation("ascent_with_stale_weights")):
        assert part.diagnosis is not None
        assert part.diagnosis.kind == "stale operand"
        assert "W" in part.diagnosis.says
        assert "62" in part.diagnosis.says
        assert part.diagnosis.should_be is not None


@pytest.mark.parametrize("name", ["ascent_with_stale_weights", "stale_weights"])
def test_the_edited_program_has_nothing_wrong(name: str) -> None:
    """The printed edits are applied to the source as written, and that is explained again."""
    found = explanation(name)
    edits = {e for _, p in wrong(found) if p.diagnosis is not None for e in p.diagnosis.edits}
    assert len(edits) == 1
    again = judged_source(edited(found.program.source, tuple(edits)))
    assert wrong(again) == []
    updates = {p.wrt: p for _, p in parts(again) if p.role == "update"}
    assert updates.keys() == {p.wrt for _, p in parts(found) if p.role == "update"}
    assert all(p.of is not None for p in updates.values())
    steps = [p for line in again.lines if any(q.role == "update" for q in line.parts) for p in line.parts if p.role == "gradient"]
    assert steps
    assert {p.verdict for p in steps} == {"proved"}


def test_the_edit_only_moves_lines() -> None:
    found = explanation("ascent_with_stale_weights")
    source = found.program.source
    (edit,) = {e for _, p in wrong(found) if p.diagnosis is not None for e in p.diagnosis.edits}
    before = source.split("\n")[edit.line - 1 : edit.end_line]
    assert sorted(before) == sorted(edit.new.split("\n"))
    assert before != edit.new.split("\n")


@pytest.mark.parametrize("style", STYLES)
def test_a_gradient_through_updated_weights_is_named_stale_however_the_update_is_written(style: str) -> None:
    found = judged_source(NET.format(order=STYLES[style]))
    kinds = {p.diagnosis.kind for _, p in wrong(found) if p.diagnosis is not None}
    assert kinds == {"stale operand"}
    edits = {e for _, p in wrong(found) if p.diagnosis is not None for e in p.diagnosis.edits}
    assert edits
    assert wrong(judged_source(edited(NET.format(order=STYLES[style]), tuple(edits)))) == []


def test_a_line_that_is_right_given_the_wrong_one_before_it_says_so() -> None:
    found = judged_source(NET.format(order=EARLY))
    by_target = {p.target: (line, p) for line, p in parts(found) if p.target in ("dA", "dZ", "dW")}
    line, first = by_target["dA"]
    assert first.verdict == "wrong"
    for later in ("dZ", "dW"):
        assert by_target[later][1].verdict != "proved"
        assert by_target[later][1].given == (line,)


def test_the_right_order_is_not_called_stale() -> None:
    found = judged_source(NET.format(order=LATE))
    assert wrong(found) == []


def test_an_update_between_gradients_that_do_not_need_it_is_not_stale() -> None:
    """V is updated early, but nothing reads it afterwards."""
    order = LATE.replace("    V -= lr * dV\n", "").replace("    dZ =", "    V -= lr * dV\n    dZ =")
    assert wrong(judged_source(NET.format(order=order))) == []


def test_a_copy_taken_before_the_update_is_not_stale() -> None:
    order = "    old = V.copy()\n" + EARLY.replace("V.T", "old.T")
    assert wrong(judged_source(NET.format(order=order))) == []


def test_an_alias_of_an_array_that_is_updated_in_place_is_stale_but_of_a_replaced_one_is_not() -> None:
    alias = "    old = V\n" + EARLY.replace("V.T", "old.T")
    assert wrong(judged_source(NET.format(order=alias)))
    replaced = alias.replace("V -= lr * dV", "V = V - lr * dV")
    assert wrong(judged_source(NET.format(order=replaced))) == []


def test_a_mistake_of_another_kind_is_not_called_stale() -> None:
    order = LATE.replace("(1 - A ** 2)", "(1 - A)")
    found = judged_source(NET.format(order=order))
    assert not [p for _, p in parts(found) if p.diagnosis is not None and p.diagnosis.kind == "stale operand"]


@pytest.mark.parametrize("name", [n for n in NAMES if "stale" not in n])
def test_right_programs_have_no_finding(name: str) -> None:
    assert find_stale_operands(analysis(name)) == []
