"""Which axes are the same, what has no formula and why, and formulas that need an array in between."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tracer.calculus import axes_of, entry, equal, multiply, sum_over
from tracer.calculus.terms import Axis, Entry, Index
from tracer.ops import AxisTable, NoFormula, auxiliary, define, rational
from tracer.ops.writing import Form, form


def test_writing_a_product_unites_the_axes_that_are_summed_over() -> None:
    table = AxisTable()
    a, b = table.operand("A", (4, 3)), table.operand("B", (3, 2))
    definition = define("matmul", "out", (a, b), {}, table, (4, 2))
    assert a.axes[1] == b.axes[0]
    assert a.axes[0] != b.axes[1]
    assert axes_of(definition) == (a.axes[0], b.axes[1])


def test_equal_sizes_do_not_unite_axes() -> None:
    table = AxisTable()
    a, b = table.operand("A", (3, 3)), table.operand("B", (3, 3))
    define("matmul", "out", (a, b), {}, table, (3, 3))
    assert a.axes[0] != a.axes[1]
    assert a.axes[0] != b.axes[1]


def test_the_formula_reads_like_its_row() -> None:
    table = AxisTable()
    a, b = table.operand("A", (4, 3)), table.operand("B", (3, 2))
    for _ in range(2):
        definition = define("matmul", "out", (a, b), {}, table, (4, 2))
    i, k = definition.free
    assert a.axes[1] is not None
    j = Index("j", a.axes[1])
    assert equal(definition.expr, sum_over(j, multiply(entry("A", i, j), entry("B", j, k))))


def test_an_axis_of_size_one_is_the_index_zero() -> None:
    table = AxisTable()
    a, b = table.operand("A", (4, 3)), table.operand("b", (1, 3))
    definition = define("add", "out", (a, b), {}, table, (4, 3))
    _, j = definition.free
    assert isinstance(j, Index)
    assert b.axes == (None, j.axis)


def test_a_second_pass_knows_what_the_first_one_found() -> None:
    """Z = X @ W is seen before b is added, whose axis is that of W's columns."""
    table = AxisTable()
    x, w, b = table.operand("X", (4, 3)), table.operand("W", (3, 2)), table.operand("b", (2,))
    for _ in range(2):
        z = define("matmul", "Z", (x, w), {}, table, (4, 2))
        out = define("add", "out", (table.operand("Z", (4, 2)), b), {}, table, (4, 2))
    assert axes_of(z) == axes_of(out)
    assert b.axes[0] == w.axes[1]


REFUSED: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...], str]] = [
    ("getitem", (np.ones((4, 3)), np.array([-1, 0])), {}, (2, 3), "counts from the end"),
    ("getitem", (np.ones(4), (0, 0)), {}, (), "2 indices for an array of the shape"),
    ("setitem", (np.ones(4), np.array([1, 1]), np.ones(2)), {}, (4,), "written twice"),
    ("einsum", ("..i->i", np.ones((4, 3))), {}, (3,), "the subscripts '..i->i'"),
    ("einsum", (np.ones((4, 3)), 3), {}, (), "subscripts of another form"),
    ("astype", (np.ones(3),), {"dtype": "int64"}, (3,), "rounded"),
    ("sum", (np.ones(4),), {"axis": 3}, (), "no axis 3 among 1"),
    ("sum", (np.ones(4),), {"where": 1}, (), "no formula with the arguments where"),
    ("divide", (np.ones(4), Fraction(0)), {}, (4,), "division by zero"),
    ("linspace", (Fraction(0), Fraction(1), 4), {"dtype": "int64"}, (4,), "rounded to the type int64"),
    ("full", ((3,), Fraction(1, 2)), {"dtype": "int64"}, (3,), "rounded to the type int64"),
    ("full_like", (np.ones(3), np.array(0.5)), {"dtype": "bool"}, (3,), "rounded to the type bool"),
    ("interp", (np.ones(3), np.ones(2), np.ones(2)), {"period": 2}, (3,), "no formula with the arguments period"),
    ("roll", (np.ones(3),), {"shift": 3}, (3,), "a shift of 3 along an axis of the size 3"),
    ("quantile", (np.ones(4), (Fraction(1, 4), Fraction(1, 2))), {}, (2,), "several quantiles at once"),
    ("quantile", (np.ones(4), Fraction(1, 4)), {"method": "lower"}, (), "the method 'lower'"),
    ("norm", (np.ones(3),), {"ord": 0}, (), "order 0 over 1 axes"),
    ("norm", (np.ones((2, 3, 3)),), {"ord": 2}, (), "order 2 over 3 axes"),
    ("linalg.vector_norm", (np.ones(3),), {"ord": 0}, (), "entries that are not zero"),
    ("gradient", (np.ones(4),), {"edge_order": 2}, (4,), "ends of the second order"),
    ("nanquantile", (np.ones(4), np.array(0.2)), {}, (), "a quantile that the program computes"),
    ("cov", (np.ones((4, 3)), np.ones((4, 3))), {}, (8, 8), "two arrays that are not two variables"),
    ("choose", (np.ones(3, dtype=int), np.ones((2, 3))), {}, (3,), "alternatives that are one array"),
    ("insert", (np.ones(3), 1, (Fraction(1), Fraction(2))), {}, (5,), "a list of values, which is no array"),
    ("put", (np.ones(3), np.array([1]), (Fraction(1),)), {}, (3,), "a list of values, which is no array"),
    ("trim_zeros", (np.ones((2, 3)),), {}, (2, 3), "an array of several axes"),
    ("polyint", (np.ones(3), 2), {}, (5,), "several integrations"),
    ("polymul", (np.zeros(3), np.ones(3)), {}, (1,), "leading coefficients that are 0"),
    ("linalg.tensorsolve", (np.ones((2, 2)), np.ones(2)), {"axes": (0,)}, (2,), "axes put elsewhere"),
    ("max_of", (np.ones((2, 2)),), {}, (), "an operand of the shape"),
    ("average", (np.ones((4, 3)),), {"weights": 3}, (), "weights that are no array"),
    ("sort", (np.ones((4, 3)),), {"axis": None}, (12,), "flattened"),
    ("cumprod", (np.ones((4, 3)),), {}, (12,), "flattened"),
    ("diff", (np.ones(4),), {"n": 9}, (2,), "differences of the order 9"),
    ("kron", (np.ones(4), 2), {}, (4,), "a product with a number"),
    ("cross", (np.ones(2), np.ones(2)), {}, (), "operands of the shapes"),
    ("correlate", (np.ones(2), np.ones(3)), {}, (2,), "the shorter one"),
    ("linalg.matrix_power", (np.ones((3, 3)), -1), {}, (3, 3), "the power -1"),
    ("linalg.solve", (np.ones((2, 3, 3)), np.ones(3)), {}, (2, 3), "operands of the shapes"),
    ("part_of", (0, "linalg.svd", np.ones((4, 3))), {}, (4, 4), "singular vectors of nothing"),
    ("part_of", (0, "histogram", np.ones(3)), {}, (3,), "positions or counts"),
    ("part_of", (1, "frexp", np.ones(3)), {}, (3,), "the exponent, a whole number"),
    ("part_of", (0, "linalg.lstsq", np.ones((3, 2)), np.ones(3)), {"rcond": 0.5}, (2,), "rcond"),
    ("maximum", (np.ones(3) * 1j, np.ones(3)), {}, (3,), "one of real numbers, and these are complex"),
    ("angle", (np.ones(3) * 1j, True), {}, (3,), "degrees"),
    ("of_no_kind", (np.ones(4),), {}, (4,), "there is no formula for this operation"),
    ("fft.fftn", (np.ones((4, 3)),), {"axes": (0, 0)}, (4, 3), "an axis that is transformed twice"),
    ("part_of", (0, "divmod", np.ones(3) * 1j, np.ones(3)), {}, (3,), "one of real numbers, and these are complex"),
    ("floor", (np.ones(4),), {}, (4,), "constant between jumps"),
    ("argsort", (np.ones(4),), {}, (4,), "positions or counts"),
    ("isnan", (np.ones(4),), {}, (4,), "truth values"),
]


@pytest.mark.parametrize(
    ("op", "operands", "arguments", "shape", "reason"), REFUSED, ids=lambda x: str(x)[:20]
)
def test_what_has_no_formula_says_why(
    op: str, operands: tuple[Any, ...], arguments: dict[str, Any], shape: tuple[int, ...], reason: str
) -> None:
    table = AxisTable()
    given = [
        table.operand("ABCDE"[n], o.shape, dtype="int64" if op == "astype" and n else str(o.dtype), value=o)
        if isinstance(o, np.ndarray)
        else o
        for n, o in enumerate(operands)
    ]
    dtype = arguments.get("dtype", "int64" if op == "astype" else "float64")
    with pytest.raises(NoFormula, match=reason) as caught:
        define(op, "out", given, arguments, table, shape, dtype)
    assert caught.value.op == op


def test_a_mask_that_is_true_nowhere_may_be_true_somewhere_with_other_numbers() -> None:
    """``error[small]`` without a small error has no entries, and its formula still is that of the entries there may be."""
    table = AxisTable()
    error = table.operand("error", (4,))
    small = table.operand("small", (4,), dtype="bool", value=np.zeros(4, dtype=bool))
    definition = define("getitem", "out", (error, small), {}, table, (0,))
    (i,) = definition.free
    assert equal(definition.expr, entry("error", Entry("small.where0", (i,))))


def test_a_part_without_entries_has_a_formula_as_any_part() -> None:
    """As the part before the first word: ``X[:0]``."""
    table = AxisTable()
    x = table.operand("x", (4, 3))
    definition = define("getitem", "out", (x, slice(0, 0)), {}, table, (0, 3))
    assert equal(definition.expr, entry("x", *definition.free))


def test_a_division_by_a_sum_is_refused_and_not_guessed() -> None:
    with pytest.raises(NoFormula, match="single product"):
        form(1) / (Form(entry("a")) + Form(entry("b")))


def test_a_range_that_is_only_a_coincidence_stays_a_look_up_when_its_source_is_known() -> None:
    """Labels that happen to be 0, 1, 2 are no range."""
    table = AxisTable()
    p = table.operand("P", (3, 3))
    rows = table.operand("rows", (3,), dtype="int64", value=np.arange(3), source="range")
    labels = table.operand("y", (3,), dtype="int64", value=np.arange(3), source="array")
    for _ in range(2):
        definition = define("getitem", "out", (p, (rows, labels)), {}, table, (3,))
    (i,) = definition.free
    assert equal(definition.expr, entry("P", i, Entry("y", (i,))))


def test_the_places_of_largest_entries_have_the_axes_of_the_result() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    table = AxisTable()
    operand = table.operand("x", x.shape, value=x)
    found = auxiliary("max", "out", (operand,), {"axis": (0, 2), "keepdims": True})
    assert {name: a.shape for name, a in found.items()} == {
        "out.argmax0": (1, 3, 1),
        "out.argmax1": (1, 3, 1),
    }


@pytest.mark.parametrize(
    ("value", "fraction"), [(0.1, Fraction(1, 10)), (1e-3, Fraction(1, 1000)), (2, 2), (True, 1)]
)
def test_a_number_is_the_fraction_that_its_text_says(value: Any, fraction: Fraction) -> None:
    assert rational(value) == fraction


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "x", None])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(NoFormula, match="not a finite real number"):
        rational(value)


def test_axes_of_different_size_cannot_be_united() -> None:
    table = AxisTable()
    one, other = table.axis("one", 3), table.axis("other", 4)
    assert isinstance(one, Axis)
    assert isinstance(other, Axis)
    with pytest.raises(NoFormula, match="have the sizes 3 and 4"):
        table.unite(one, other)
