"""What cannot be derived: the message says what, at which column, and what to do."""

from __future__ import annotations

import importlib.util

import pytest

import tracer
from tracer.expressions import deriving
from tracer.expressions.writing import Written

SHAPES = {"X": "N,D", "W": "D,h", "b": "h", "y": "N"}


@pytest.mark.parametrize(
    "expression,shapes,wrt,column,said",
    [
        ("", SHAPES, None, None, ("There is no expression.", "'np.tanh(X @ W + b)'")),
        ("Z = X @ W", SHAPES, None, 0, ("This is a statement, not an expression.", "without an assignment")),
        ("X @ * W", SHAPES, None, 4, ("Syntax error: invalid syntax.", "Write one expression")),
        ("(Q := X)", SHAPES, None, 1, ("This cannot stand in an expression here.", "without :=")),
        ("X @ W + Q", SHAPES, None, 8, ("Q is not known.", "--shape Q=N,D", "--shape Q=.")),
        ("exp(X)", SHAPES, None, 0, ("exp is not known.", "Write np.exp")),
        ("层 + X", SHAPES, None, 0, ("层 is not known.",)),
        ("X + 层", SHAPES, None, 4, ("层 is not known.",)),
        ("np.ones(3)", SHAPES, None, None, ("No array with a shape", "--shape X=N,D")),
        ("X @ W", SHAPES, "b", None, ("b does not stand in the expression.", "The arrays in it: X, W.")),
        ("2 * (X @ b)", SHAPES, None, 5, ("X @ b fails: ValueError", "X is (N, D); b is (h,)", "same name, or one of them is 1")),
        ("X[y] @ b @ X", {**SHAPES, "b": "M"}, None, 0, ("X[y] @ b fails", "X[y] is (N, D); b is (M,)")),
        ("X + W", SHAPES, None, 0, ("X + W fails", "X is (N, D); W is (D, h)")),
        ("np.concatenate([X, W], axis=1)", SHAPES, None, 0, ("np.concatenate([X, W], axis=1) fails",)),
        ("np.nosuch(X)", SHAPES, None, 0, ("np.nosuch fails: AttributeError", "it is run with NumPy as it stands")),
        ("X + np.cumprod(b)[0] + np.foo", SHAPES, None, 23, ("np.foo fails",)),
        ("X @ W", ["X=N,D", "W=D,h", "q=K"], None, None, ("q has a shape, and does not stand in the expression", "--shape q=…")),
        ("np.log(-np.exp(X))", SHAPES, None, 0, ("not finite at any of the inputs tried", "Change it")),
        ("X[y]", SHAPES, "y", None, ("y holds positions, so there is no derivative by it.", "Ask for another array.")),
        ("2 * np.i0(X)", SHAPES, "X", 4, ("np.i0(X) cannot be differentiated", "Write it with other operations")),
        ("2 * np.linalg.norm(b, ord=p)", {**SHAPES, "p": ""}, "p", 4, ("is not differentiated by a number that is given by keyword", "other arrays than p")),
        ("np.linalg.svd(X)", SHAPES, None, 0, ("The value is not one array, but 3.", "write [0] behind it")),
        ("[X * 2]", SHAPES, None, 0, ("The value is of type list, and no array or number.", "np.array(")),
        ("X * np.random.rand(N, D)", SHAPES, None, 0, ("The value is another one each time", "--shape M=N,D")),
        ("X.sort()", SHAPES, None, 0, ("The value is not made of numbers, but of type object.",)),
        ("np.square(X, out=X) * 1.0", SHAPES, None, None, ("could not be written as code that holds up",)),
        ("np.linalg.norm(W, 2, axis=(0, 1))", SHAPES, None, None, ("could not be written as code that holds up (there is no code for", "Split the expression")),
        ("X @ W", {"X": "N,0", "W": "N"}, None, None, ("'0' cannot be an axis of X.", "from 1 on")),
        ("X @ W", {"X": "N,D-1", "W": "N"}, None, None, ("'D-1' cannot be an axis of X.",)),
        ("X @ W", {"X": "N,1000", "W": "N"}, None, None, ("An axis of X has 1000 entries", "Give the axis a name")),
        ("X @ W", {"X": "N,W", "W": "N"}, None, None, ("W is an array and an axis of X.", "another name")),
        ("X @ W", ["X=N", "X=D"], None, None, ("The shape of X is given twice.", "once")),
        ("X @ W", ["X"], None, None, ("'X' is no shape.", "NAME=AXIS,AXIS")),
        ("X @ W", ["X y=3"], None, None, ("'X y' cannot be the name of an array.", "NAME=AXIS")),
    ],
)  # fmt: skip
def test_the_message_says_what_and_where_and_what_to_do(
    expression: str,
    shapes: dict[str, str] | list[str],
    wrt: str | None,
    column: int | None,
    said: tuple[str, ...],
) -> None:
    with pytest.raises(tracer.CannotDerive) as caught:
        tracer.derive(expression, wrt, shapes)
    error = caught.value
    told = error.told()
    for text in said:
        assert text in told
    assert (error.column if error.line else None) == column
    if column is not None:
        assert told.split("\n")[2] == "    " + " " * column + "^"


def test_the_place_in_an_expression_of_several_lines() -> None:
    with pytest.raises(tracer.CannotDerive) as caught:
        tracer.derive("X @ W\n  + Q", None, SHAPES)
    assert (caught.value.line, caught.value.column) == (2, 4)
    assert caught.value.told().startswith("line 2, column 4: Q is not known.\n      + Q\n        ^\n")


def test_scipy_that_is_missing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(tracer.CannotDerive, match=r"SciPy is not installed\. Install it: pip install scipy"):
        tracer.derive("scipy.special.expit(X)", None, {"X": "N"})


def test_an_array_without_a_derivation_does_not_stop_the_others() -> None:
    gradients = tracer.derive("np.i0(X) @ W", None, {"X": "N,D", "W": "D,h"})
    assert [g.wrt for g in gradients] == ["W"]
    assert "np.i0(X) cannot be differentiated" in gradients.notices[0]


def test_code_that_does_not_hold_up_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(recorded: object, wrt: str, result: str) -> list[Written]:
        return [
            Written(f"{result} = G @ W.T * 1.01", None, None, None),
            Written(f"{result} = G", None, None, None),
        ]

    monkeypatch.setattr(deriving, "write", wrong)
    with pytest.raises(
        tracer.CannotDerive, match=r"could not be written as code that holds up \(finite differences"
    ):
        tracer.derive("X @ W", "X", {"X": "N,D", "W": "D,h"})


def test_what_finite_differences_cannot_follow_is_not_claimed() -> None:
    """It turns a million times in a step: no two widths of a difference agree."""
    gradient = tracer.derive("np.sin(1e7 * X)", "X", {"X": "N"})["X"]
    assert (gradient.verdict, gradient.code, gradient.points) == ("unexplained", None, 0)
    assert gradient.remark is not None
    assert "Not compared with finite differences" in gradient.remark
