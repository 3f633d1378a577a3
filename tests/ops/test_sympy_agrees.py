"""The second opinion: SymPy derives every smooth row again, at sizes 2 and 3, as plain sums of symbols."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from tracer.calculus import evaluate, sympy_of, vector_jacobian
from tracer.ops import AxisTable, define

SMOOTH = [
    "negative",
    "square",
    "reciprocal",
    "sqrt",
    "exp",
    "expm1",
    "log",
    "log2",
    "log1p",
    "tanh",
    "sinh",
    "cosh",
    "sin",
    "cos",
    "tan",
    "arctan",
    "arcsin",
    "arccos",
]

ROWS: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = [
    *((name, [(2, 3)], {}) for name in SMOOTH),
    *(
        (name, [(2, 3), (3,)], {})
        for name in ("add", "subtract", "multiply", "divide", "logaddexp", "hypot", "power")
    ),
    *((name, [(2, 3)], {}) for name in ("arcsinh", "sinc", "rad2deg", "deg2rad", "exp2", "log10")),
    *((name, [(2, 3), (3,)], {}) for name in ("arctan2", "logaddexp2", "vecdot")),
    ("kron", [(2, 2), (2, 3)], {}),
    ("cross", [(2, 3), (3,)], {}),
    ("convolve", [(3,), (2,)], {"mode": "full"}),
    ("convolve", [(3,), (2,)], {"mode": "valid"}),
    ("correlate", [(3,), (2,)], {"mode": "same"}),
    ("polyval", [(3,), (2,)], {}),
    ("diff", [(2, 3)], {"axis": 1}),
    ("trapezoid", [(3,)], {}),
    ("trapezoid", [(3,), (3,)], {}),
    ("diff", [(3,)], {"n": 2}),
    ("cov", [(2, 3)], {"ddof": 0}),
    ("matvec", [(2, 3), (3,)], {}),
    ("vecmat", [(2,), (2, 3)], {}),
    ("polyadd", [(3,), (2,)], {}),
    ("polymul", [(3,), (2,)], {}),
    ("vander", [(3,)], {}),
    ("roll", [(2, 3)], {"shift": 1, "axis": 1}),
    ("flip", [(2, 3)], {"axis": 0}),
    ("rot90", [(2, 3)], {}),
    ("diagonal", [(2, 3)], {"offset": 1}),
    ("tril", [(3, 3)], {"k": -1}),
    ("matmul", [(2, 3), (3, 2)], {}),
    ("dot", [(2, 3), (3,)], {}),
    ("outer", [(2,), (3,)], {}),
    ("einsum", [(2, 3), (2, 2)], {"subscripts": "ij,ik->jk"}),
    ("sum", [(2, 3)], {"axis": 1, "keepdims": True}),
    ("mean", [(2, 3)], {"axis": 0}),
    ("var", [(2, 3)], {"axis": 1}),
    ("transpose", [(2, 3)], {}),
    ("cumsum", [(3,)], {}),
    ("trace", [(3, 3)], {}),
]


def _shape(name: str, shapes: list[tuple[int, ...]], arguments: dict[str, Any]) -> tuple[int, ...]:
    arrays = [np.full(s, 0.5) for s in shapes]
    if name == "einsum":
        return np.einsum(arguments["subscripts"], *arrays).shape
    return np.asarray(getattr(np, name)(*arrays, **arguments)).shape


@pytest.mark.parametrize(("name", "shapes", "arguments"), ROWS, ids=lambda x: str(x))
def test_sympy_finds_the_same_derivative(
    name: str, shapes: list[tuple[int, ...]], arguments: dict[str, Any]
) -> None:
    table = AxisTable()
    operands: list[Any] = [table.operand("AB"[n], shape) for n, shape in enumerate(shapes)]
    given = [arguments["subscripts"], *operands] if name == "einsum" else operands
    more = {} if name == "einsum" else arguments
    shape = _shape(name, shapes, arguments)
    definition = define(name, "out", given, more, table, shape)
    definition = define(name, "out", given, more, table, shape)
    values: dict[str, Any] = {
        o.name: np.array(
            [sympy.Symbol(f"{o.name}{n}", positive=True) for n in range(int(np.prod(o.shape)))], dtype=object
        ).reshape(o.shape)
        for o in operands
    }
    weights = np.array([sympy.Symbol(f"g{n}", real=True) for n in range(int(np.prod(shape)))], dtype=object)
    values["G"] = weights.reshape(shape)
    values["out"] = evaluate(definition.expr, definition.free, values, table.sizes())
    loss = np.asarray(values["out"] * values["G"], dtype=object).sum()
    point = {s: sympy.Rational(n + 3, 17 + n) for n, s in enumerate(sorted(loss.free_symbols, key=str))}
    for operand in operands:
        step = vector_jacobian(definition, operand.name, "G", table.axes(operand.name, operand.shape))
        found = evaluate(step.result, step.free, values, table.sizes())
        for place, symbol in np.ndenumerate(values[operand.name]):
            difference = (found[place] - sympy.diff(loss, symbol)).subs(point)
            assert abs(sympy.N(difference, 40)) < 1e-30


def test_a_formula_can_be_carried_on_in_sympy() -> None:
    table = AxisTable()
    operands = [table.operand("A", (4, 3)), table.operand("B", (3, 2))]
    for _ in range(2):
        definition = define("matmul", "out", operands, {}, table, (4, 2))
    found = sympy_of(definition.expr)
    assert isinstance(found, sympy.Sum)
    (_, low, high) = found.limits[0]
    assert low == 0
    size = next(iter(high.free_symbols))
    assert len(found.subs(size, 3).doit().args) == 3


def test_numbers_are_exact() -> None:
    table = AxisTable()
    definition = define("multiply", "out", [table.operand("a", ()), Fraction(1, 10)], {}, table, ())
    assert sympy_of(definition.expr) == sympy.Symbol("a", real=True) / 10
