"""A product of two vectors along two axes is written u vᵀ: ⊙ would say that both have the shape of the result."""

from __future__ import annotations

import pytest

import tracer

CASES = [
    ("np.sum((X @ w - y)**2) / 2", {"X": "N,D", "w": "D", "y": "N"}, "X", "G (X w − y) wᵀ"),
    ("x.T @ A @ x", {"x": "n,1", "A": "n,n"}, "A", "x xᵀ"),
    ("np.outer(u, v) * M", {"u": "n", "v": "m", "M": "n,m"}, "M", "G ⊙ (u vᵀ)"),
    ("np.linalg.solve(A, b)", {"A": "n,n", "b": "n"}, "A", "−(A^(−1))ᵀ G Yᵀ"),
]


@pytest.mark.parametrize(("expression", "shapes", "wrt", "written"), CASES)
def test_it_is_an_outer_product(expression: str, shapes: dict[str, str], wrt: str, written: str) -> None:
    matrix = tracer.derive(expression, wrt=wrt, shapes=shapes)[wrt].matrix
    assert matrix is not None
    assert written in matrix.text


def test_factors_of_the_same_axis_are_multiplied_entry_by_entry() -> None:
    matrix = tracer.derive("np.sum(X * c)", wrt="X", shapes={"X": "N,D", "c": "N,1"})["X"].matrix
    assert matrix is not None
    assert "ᵀ" not in matrix.text
