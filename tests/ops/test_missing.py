"""A NaN does not count, and has the derivative 0; the others have the derivative that they have without it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from table_cases import Case, real
from test_table import Prepared

from tracer.calculus import arrays_in, evaluate, vector_jacobian
from tracer.ops import AxisTable, NoFormula, define

HOLES = real(4, 5)
HOLES[1, 2] = HOLES[3, 0] = HOLES[3, 1] = np.nan

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "nansum": np.nansum, "nanmean": np.nanmean, "nanvar": np.nanvar, "nanstd": np.nanstd, "nanprod": np.nanprod,
    "nanmax": np.nanmax, "nanmin": np.nanmin, "nanmedian": np.nanmedian, "nancumsum": np.nancumsum, "nancumprod": np.nancumprod,
}  # fmt: skip
ARGUMENTS: list[dict[str, Any]] = [{"axis": 0}, {"axis": 1}, {"axis": -1, "keepdims": True}]


def gradient(case: Case, weights: np.ndarray) -> np.ndarray:
    prepared = Prepared(case)
    axes = prepared.table.axes("A", case.operands[0].shape)
    step = vector_jacobian(prepared.definition, "A", "G", axes)
    return evaluate(step.result, step.free, {**prepared.values, "G": weights}, prepared.table.sizes())


def differences(f: Callable[[np.ndarray], Any], x: np.ndarray, weights: np.ndarray, h: float = 1e-6) -> np.ndarray:
    """By central differences where there is a number, 0 where there is none."""
    result = np.zeros(x.shape)
    for place in np.argwhere(np.isfinite(x)):
        up, down = x.copy(), x.copy()
        up[tuple(place)] += h
        down[tuple(place)] -= h
        result[tuple(place)] = ((f(up) - f(down)) * weights).sum() / (2 * h)
    return result


def cases() -> list[Case]:
    found = [Case("nan_to_num", (HOLES,), np.nan_to_num)]
    for op, f in FUNCTIONS.items():
        for given in ARGUMENTS:
            if not (op.startswith("nancum") and "keepdims" in given):
                found.append(Case(op, (HOLES,), lambda x, f=f, a=given: f(x, **a), given))
    found += [
        Case(op, (HOLES, q), lambda x, q, f=f, a=given: f(x, q, **a), given)
        for op, f, q in (("nanpercentile", np.nanpercentile, 30), ("nanquantile", np.nanquantile, 0.4))
        for given in ARGUMENTS
    ]
    return found


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_missing_entry_has_the_derivative_0_and_the_others_their_own(case: Case) -> None:
    x, *others = case.operands
    weights = np.random.default_rng(2).normal(size=np.shape(case.call(*case.operands)))
    found = gradient(case, weights)
    assert not found[np.isnan(HOLES)].any()
    np.testing.assert_allclose(found, differences(lambda y: case.call(y, *others), x, weights), rtol=2e-5, atol=2e-6)


def test_infinite_entries_are_replaced_and_have_the_derivative_0() -> None:
    x = np.array([1.0, np.inf, -np.inf, np.nan, 2.0])
    found = gradient(Case("nan_to_num", (x,), np.nan_to_num), np.arange(1.0, 6.0))
    assert found.tolist() == [1.0, 0.0, 0.0, 0.0, 5.0]


def test_a_computed_number_in_place_of_nan_is_refused_where_it_counts() -> None:
    x, instead = np.array([1.0, np.nan]), np.array(2.0)
    table = AxisTable()
    given = {"nan": table.operand("m", (), value=instead)}
    with pytest.raises(NoFormula, match="in place of NaN that the program computes"):
        define("nan_to_num", "out", (table.operand("A", (2,), value=x),), given, table, (2,))


def test_where_all_is_finite_nothing_is_replaced() -> None:
    prepared = Prepared(Case("nan_to_num", (real(3),), np.nan_to_num))
    assert arrays_in(prepared.definition.expr) == {"A"}
