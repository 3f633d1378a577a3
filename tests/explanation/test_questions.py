"""Questions as people type them, and the lines that answer them."""

from __future__ import annotations

import dataclasses

import pytest

from tests.rendering.fixture import explanation
from tracer.explanation.model import Line
from tracer.explanation.questions import answer


@pytest.mark.parametrize(
    "question,lines",
    [
        ("26", [26]),
        ("line 26", [26]),
        ("L26", [26]),
        ("19", [18]),  # the second line of a statement
        ("dscores @ W2.T", [29]),
        ("dscores@W2.T", [29]),
        ("np.dot(dscores, W2.T)", [29]),
        ("numpy.matmul(dscores, W2.T)", [29]),
        ("dscores.dot(W2.transpose())", [29]),
        ("dhidden = dscores @ W2.T", [29]),
        ("dscores.sum(axis=0, keepdims=True)", [27]),
        ("np.sum(dscores, 0, keepdims=True)", [27]),
        ("hidden<=0", [30]),
        ("dhidden", [29, 30]),
        ("z1", [30]),
        ("dL/dW2", [26]),
        ("∂loss/∂W2", [26]),
        ("∂L/∂W₂", [26]),
        ("dloss/dW2", [26]),
        ("dJ / dW2", [26]),
        ("dL/d(np.dot(X,W1)+b1)", [30]),
        ("dL/dscores", [25, 24]),  # the gradient itself before N times it
    ],
)
def test_a_question_finds_its_lines(question: str, lines: list[int]) -> None:
    assert [part.span[0] for part in answer(explanation(), question)] == lines


@pytest.mark.parametrize(
    "question", ["", "999", "0", "dL/dW3", "dW2/dX", "np.dot(W2.T, dscores)", "W9", "x = = 3", "-7", "∂accuracy/∂W2"]
)
def test_what_is_not_there_is_not_guessed(question: str) -> None:
    assert answer(explanation(), question) == ()


def test_a_product_is_not_its_reverse() -> None:
    assert answer(explanation(), "W2.T @ dscores") == ()


def test_a_line_brings_its_judged_pieces_along() -> None:
    assert [part.source for part in answer(explanation(), "30")] == ["dhidden[hidden <= 0] = 0", "hidden <= 0"]


def test_a_loss_that_is_named_is_meant_and_the_letter_means_the_whole_loss_first() -> None:
    whole = next(part for part in answer(explanation(), "dW2") if part.role == "gradient")
    of_data = dataclasses.replace(whole, of="data_loss", span=(1, 0, 1, 5))
    of_loss = dataclasses.replace(whole, of="loss", span=(2, 0, 2, 5))
    lines = tuple(Line(part.span[0], part.span[0], part.source, (part,)) for part in (of_data, of_loss))
    found = dataclasses.replace(explanation(), lines=lines)
    assert answer(found, "∂loss/∂W2") == (of_loss,)
    assert answer(found, "∂data_loss/∂W2") == (of_data,)
    assert answer(found, "dL/dW2") == (of_loss, of_data)
    assert answer(found, "∂reg_loss/∂W2") == ()
