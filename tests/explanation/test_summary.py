"""Lines in three groups, their counts, and the sentences about them."""

from __future__ import annotations

import dataclasses

import pytest

from tests.rendering.fixture import explanation
from tracer.explanation.model import Explanation, Line, Part
from tracer.explanation.summary import counts, line_at, rows
from tracer.explanation.words.report import derivative, evidence_sentences, in_words, number, summary, title


def of_line(number: int, index: int = 0) -> Part:
    return next(line.parts[index] for line in explanation().lines if line.line == number)


def test_every_line_stands_in_one_of_three_groups() -> None:
    found = {
        group: [row.line.line for row in rows(explanation()) if row.group == group] for group in ("backward", "update", "forward")
    }
    assert found == {
        "backward": [23, 24, 25, 26, 27, 29, 30, 31, 32, 33],
        "update": [28, 34],
        "forward": [6, 8, 10, 15, 16, 18, 20],
    }


def test_the_counts_add_up() -> None:
    count = counts(explanation())
    assert (count.backward, count.proved, count.checked, count.wrong, count.unexplained, count.other) == (10, 6, 1, 1, 1, 1)
    assert summary(explanation()) == "10 backward lines: 6 proved, 1 checked, 1 wrong, 1 not known, 1 on the way"


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
    "value,text", [(-0.0, "0"), (-1.5, "−1.5"), (1 / 3, "0.3333"), (float("nan"), "not a number"), (1e-9, "1e−09")]
)
def test_numbers_are_short_and_have_a_true_minus(value: float, text: str) -> None:
    assert number(value) == text
