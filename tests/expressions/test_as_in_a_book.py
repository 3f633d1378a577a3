"""Gradients that every book has are written as books write them: columns, the function's own value, norms as roots."""

from __future__ import annotations

import pytest

import tracer

BOOK = [
    ("1 / (1 + np.exp(-z))", {"z": "n"}, "z", "∂L/∂z = G ⊙ Y ⊙ (1 − Y)"),
    ("np.tanh(z)", {"z": "n"}, "z", "∂L/∂z = G ⊙ (1 − Y²)"),
    ("np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)", {"z": "N,K"}, "z", "∂L/∂z = Y ⊙ (G − Σ_k G[i,k] · Y[i,k])"),
    ("x @ A @ x", {"x": "n", "A": "n,n"}, "x", "∂L/∂x = G (Aᵀ x + A x)"),
    ("np.sum((X @ w - y)**2) / 2", {"X": "n,d", "w": "d", "y": "n"}, "w", "∂L/∂w = Xᵀ · ∂L/∂Z"),
    ("x @ W.T", {"x": "n", "W": "m,n"}, "x", "∂L/∂x = Wᵀ G"),
    ("np.sum(np.maximum(0, 1 - y * (X @ w)))", {"X": "n,d", "w": "d", "y": "n"}, "w", "∂L/∂w = −G · Xᵀ (y ⊙ [Z > 0])"),
    ("np.linalg.norm(x)", {"x": "n"}, "x", "Y = √(Σ_i x[i]²)"),
    ("np.linalg.inv(A)", {"A": "n,n"}, "A", "∂L/∂A = −Yᵀ G Yᵀ"),
    ("np.linalg.solve(A, b)", {"A": "n,n", "b": "n"}, "b", "∂L/∂b = (A^(−1))ᵀ G"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "shapes", "wrt", "written"), BOOK, ids=lambda x: x if isinstance(x, str) else "")
def test_the_formula_is_the_one_of_the_books(expression: str, shapes: dict[str, str], wrt: str, written: str) -> None:
    matrix = tracer.derive(expression, wrt=wrt, shapes=shapes)[wrt].matrix
    assert matrix is not None
    assert written in matrix.text


def test_an_inverse_is_not_explained_by_the_code_that_makes_it() -> None:
    matrix = tracer.derive("np.linalg.inv(A)", wrt="A", shapes={"A": "n,n"})["A"].matrix
    assert matrix is not None
    assert "np.linalg" not in matrix.text


def reasons(expression: str, shapes: dict[str, str], wrt: str) -> list[str]:
    derivation = tracer.derive(expression, wrt=wrt, shapes=shapes)[wrt].derivation
    assert derivation is not None
    return [step.why for step in derivation.steps if step.rule == "chain rule"]


def test_no_sum_is_spoken_of_where_there_is_a_single_number() -> None:
    assert reasons("np.linalg.norm(x)", {"x": "n"}, "x") == ["x reaches L only through Y."]


def test_the_sum_over_all_entries_names_what_is_summed_over() -> None:
    (why,) = reasons("X @ W", {"X": "N,D", "W": "D,K"}, "W")
    assert why == "W reaches L only through Y. Every entry of Y counts, so there is a sum over all of them."


def test_nothing_is_divided_by_that_may_be_zero() -> None:
    """z / (1 + exp(−z)) is smooth at 0, and so is the formula for its slope."""
    matrix = tracer.derive("z / (1 + np.exp(-z))", wrt="z", shapes={"z": "n"})["z"].matrix
    assert matrix is not None
    assert "/ z" not in matrix.text
