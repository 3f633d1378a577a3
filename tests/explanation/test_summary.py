"""Lines in three groups, their counts, and the sentences about them."""

from __future__ import annotations

import dataclasses

import pytest

from tests.rendering.fixture import explanation
from tracer.explanation.model import Diagnosis, Explanation, Line, Part, Verdict
from tracer.explanation.summary import counts, findings, line_at, rows
from tracer.explanation.words.report import (
    derivative,
    evidence_sentences,
    in_words,
    number,
    places,
    summary,
    title,
)


def of_line(number: int, index: int = 0) -> Part:
    return next(line.parts[index] for line in explanation().lines if line.line == number)


def test_every_line_stands_in_one_of_four_groups() -> None:
    groups = ("backward", "update", "forward", "set-up")
    found = {group: [row.line.line for row in rows(explanation()) if row.group == group] for group in groups}
    assert found == {
        "backward": [23, 24, 25, 26, 27, 29, 30, 31, 32, 33],
        "update": [28, 34],
        "forward": [15, 16, 18, 20],
        "set-up": [6, 8, 10],
    }


def test_a_line_that_only_sets_a_number_has_no_row() -> None:
    number_only = Part((1, 4, 1, 7), "100", "N", True, "other", shape=())
    array = dataclasses.replace(number_only, shape=(3,))

    def found(part: Part) -> Explanation:
        return dataclasses.replace(explanation(), lines=(Line(1, 1, "N = 100", (part,)),))

    assert rows(found(number_only)) == ()
    assert [row.group for row in rows(found(array))] == ["set-up"]


def test_the_counts_add_up() -> None:
    count = counts(explanation())
    assert (count.backward, count.proved, count.checked, count.wrong, count.unexplained, count.other) == (
        10,
        6,
        1,
        1,
        1,
        1,
    )
    assert (
        summary(explanation()) == "10 backward lines: 6 proved, 1 checked, 1 wrong, 1 not known, 1 on the way"
    )


def test_without_a_backward_pass_the_summary_says_so() -> None:
    forward = tuple(line for line in explanation().lines if line.line < 21)
    assert "only the forward pass" in summary(dataclasses.replace(explanation(), lines=forward))


def test_a_gradient_computed_inside_an_update_is_a_backward_row_and_a_name_is_not() -> None:
    def update(source: str) -> Explanation:
        whole = Part((1, 0, 1, 30), f"W -= rate * {source}", "W", True, "update")
        inner = Part((1, 12, 1, 12 + len(source)), source, None, False, "gradient", wrt="W", verdict="proved")
        return dataclasses.replace(explanation(), lines=(Line(1, 1, whole.source, (whole, inner)),))

    assert [row.group for row in rows(update("X.T @ d"))] == ["backward", "update"]
    assert [row.group for row in rows(update("grads['W']"))] == ["update"]


def update_of(*inner: Part, others: tuple[Line, ...] = ()) -> Explanation:
    """A program with the update line 9, whose pieces are given, after some other lines."""
    whole = Part((9, 0, 9, 16), "W += -rate * dW", "W", True, "update")
    return dataclasses.replace(explanation(), lines=(*others, Line(9, 9, whole.source, (whole, *inner))))


def gradient(line: int, source: str, whole: bool, verdict: Verdict, column: int = 5) -> Part:
    span = (line, column, line, column + len(source))
    return Part(
        span,
        source,
        "dW" if whole else None,
        whole,
        "gradient",
        of="loss",
        of_line=3,
        wrt="W",
        verdict=verdict,
    )


def test_a_multiple_of_a_gradient_that_a_line_is_already_is_no_backward_row() -> None:
    dW = Line(5, 5, "dW = X.T @ d", (gradient(5, "X.T @ d", True, "proved"),))
    multiple = gradient(9, "-rate * dW", False, "proved")
    assert [(row.line.line, row.group) for row in rows(update_of(multiple, others=(dW,)))] == [
        (5, "backward"),
        (9, "update"),
    ]
    # Without that line the gradient would be nowhere else.
    assert [(row.line.line, row.group) for row in rows(update_of(multiple))] == [
        (9, "backward"),
        (9, "update"),
    ]
    # A gradient of another loss is another gradient.
    other = dataclasses.replace(multiple, of_line=4)
    assert [row.line.line for row in rows(update_of(other, others=(dW,))) if row.group == "backward"] == [
        5,
        9,
    ]


@pytest.mark.parametrize("source,verdict,told", [
    ("-rate * dW", "proved", True), ("-rate * dW", "wrong", True), ("dW", "proved", True), ("dW", "wrong", False),
])  # fmt: skip
def test_a_wrong_gradient_of_an_update_is_told_once(source: str, verdict: Verdict, told: bool) -> None:
    dW = Line(5, 5, "dW = X.T @ d", (gradient(5, "X.T @ d", True, verdict),))
    found = rows(update_of(gradient(9, source, False, "wrong"), others=(dW,)))
    assert (9 in [row.line.line for row in found if row.group == "backward"]) is told


def test_statements_are_counted_once_by_the_worst_they_compute() -> None:
    both = Line(
        5, 5, "return f(x)", (gradient(5, "f(x)", True, "proved"), gradient(5, "f(x)", True, "checked"))
    )
    count = counts(dataclasses.replace(explanation(), lines=(both,)))
    assert (count.backward, count.checked) == (1, 1)


def test_one_cause_is_one_finding_with_all_its_places() -> None:
    def wrong(line: int, source: str, column: int, whole: bool) -> Part:
        found = Diagnosis("stale operand", "W is updated too early.", None, None)
        return dataclasses.replace(gradient(line, source, whole, "wrong", column), diagnosis=found)

    lines = (
        Line(5, 5, "d = s @ W.T * g", (wrong(5, "s @ W.T * g", 4, True), wrong(5, "s @ W.T", 4, False))),
        Line(6, 6, "b = s @ W.T", (wrong(6, "s @ W.T", 4, True),)),
    )
    (found,) = findings(dataclasses.replace(explanation(), lines=lines))
    assert [part.span[:2] for part in found.parts] == [(5, 4), (6, 4)]
    assert places(found) == "lines 5 and 6"


@pytest.mark.parametrize(
    "source,shown",
    [
        ("dW2 = np.dot(hidden.T,   dscores)", "dW2 = np.dot(hidden.T, dscores)"),
        ("  loss = (a +\n          b)", "loss = (a + b)"),
        ("x = [1,  # one\n     2]  # two", "x = [1, 2]"),
        ("x = '#'   # a string", "x = '#'"),
        ("print 'a  b',\n (", "print 'a  b',\n("),
    ],
)
def test_a_row_shows_the_whole_statement_without_its_layout(source: str, shown: str) -> None:
    line = Line(5, 5, source, (gradient(5, "np.dot(a, b)", True, "proved"),))
    (row,) = rows(dataclasses.replace(explanation(), lines=(line,)))
    assert row.code == shown


def test_a_row_of_a_statement_with_several_targets_shows_its_own_piece() -> None:
    line = Line(
        5, 5, "a, b = f(x)", (gradient(5, "a", True, "proved", 0), gradient(5, "b", True, "proved", 3))
    )
    assert [row.code for row in rows(dataclasses.replace(explanation(), lines=(line,)))] == ["a", "b"]


def test_a_line_within_a_statement_of_several_lines_is_found() -> None:
    found = line_at(explanation(), 19)
    assert found is not None
    assert (found.line, found.end_line) == (18, 19)
    assert line_at(explanation(), 1) is None


@pytest.mark.parametrize(
    "scale,text",
    [
        ("1", "∂loss/∂scores"),
        ("N", "N · ∂loss/∂scores"),
        ("-1", "−∂loss/∂scores"),
        ("1/m", "(1/m) · ∂loss/∂scores"),
        ("0.5", "0.5 · ∂loss/∂scores"),
    ],
)
def test_a_factor_stands_before_the_derivative(scale: str, text: str) -> None:
    assert derivative(dataclasses.replace(of_line(25), scale=scale)) == text


def test_a_wrong_line_is_not_called_a_gradient() -> None:
    assert title(of_line(29)) == "Meant as ∂loss/∂hidden, and is not"
    assert in_words(of_line(29)).startswith("It should say")
    assert evidence_sentences(of_line(29)) == ()


def test_what_a_verdict_rests_on_is_said() -> None:
    assert evidence_sentences(of_line(31)) == (
        "Equal at 3 random points, largest relative error 1.2e−16.",
        "Finite differences agree to 3.4e−10.",
        "This relies on: rows of T sum to 1.",
        "It takes the value of line 29 as it stands: right, if that is.",
    )


@pytest.mark.parametrize(
    "value,text",
    [(-0.0, "0"), (-1.5, "−1.5"), (1 / 3, "0.3333"), (float("nan"), "not a number"), (1e-9, "1e−09")],
)
def test_numbers_are_short_and_have_a_true_minus(value: float, text: str) -> None:
    assert number(value) == text
