"""The index form is read again, entry by entry, and has the value of the expression."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tests.ops.table_cases import CASES, Case
from tests.ops.test_table import Prepared
from tracer.calculus import evaluate, vector_jacobian
from tracer.calculus.printing import Letters, open_code
from tracer.calculus.terms import Index
from tracer.formula import Symbols, index_form, symbol
from tracer.formula import tree as t
from tracer.formula.tree import Partial, Tree

SIZES = {"N": 3, "D": 4, "h": 2, "K": 5}
SYMBOLS = Symbols(adjoints={"dscores": Partial(symbol("L"), symbol("scores"), key="dscores")})
RELATIONS: Any = {
    ">": lambda a, b: a > b,
    "≥": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "≤": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
    "≠": lambda a, b: a != b,
}
FUNCTIONS: Any = {
    **{name: getattr(math, name) for name in "exp log sin cos tan sinh cosh tanh".split()},
    **{f"arc{name}": getattr(math, f"a{name}") for name in ("sin", "cos", "tan")},
    "max": max,
    "min": min,
}


class Reader:
    """Reads a formula as a person would: symbols are arrays, letters are positions."""

    def __init__(self, arrays: dict[str, Any], ranges: dict[str, int], sizes: dict[str, int]) -> None:
        self.arrays = arrays
        self.ranges = ranges
        self.sizes = sizes

    def value(self, tree: Tree, at: dict[str, int]) -> Any:
        match tree:
            case t.Symbol(key, base, subscript):
                if key:
                    return self.arrays[key]
                known = {"e": math.e, "π": math.pi} | self.sizes | at
                return known[base + subscript]
            case t.Number(text):
                return int(text) if text.isdigit() else float(text)
            case t.Parenthesised(body):
                return self.value(body, at)
            case t.Plus(parts):
                return sum(sign * self.value(part, at) for sign, part in parts)
            case t.Times(factors):
                return math.prod(self.value(factor, at) for factor in factors)
            case t.Fraction(above, below):
                return self.value(above, at) / self.value(below, at)
            case t.Power(base, exponent):
                return self.value(base, at) ** self.value(exponent, at)
            case t.Root(body):
                return math.sqrt(self.value(body, at))
            case t.Absolute(body):
                return abs(self.value(body, at))
            case t.Subscript(base, indices):
                return self.value(base, at)[tuple(self.value(index, at) for index in indices)]
            case t.Partial(key=key, wrt_indices=indices):
                return self.arrays[key][tuple(self.value(index, at) for index in indices)]
            case t.Sum(bound, body):
                letters = [index.base + index.subscript for index in bound if isinstance(index, t.Symbol)]
                places = itertools.product(*(range(self.ranges[letter]) for letter in letters))
                return sum(self.value(body, at | dict(zip(letters, place, strict=True))) for place in places)
            case t.Delta((first, second)):
                return int(self.value(first, at) == self.value(second, at))
            case t.Bracket(t.Relation(left, sign, right)):
                return int(RELATIONS[sign](self.value(left, at), self.value(right, at)))
            case t.Apply(function, arguments):
                return FUNCTIONS[function](*(self.value(argument, at) for argument in arguments))
            case t.Cases(pieces):
                for value, test in pieces:
                    if test is None:
                        return self.value(value, at)
                    assert isinstance(test, t.Relation)
                    if RELATIONS[test.sign](self.value(test.left, at), self.value(test.right, at)):
                        return self.value(value, at)
        raise AssertionError(tree)


def _values(names: Any) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    values: dict[str, Any] = {
        name: rng.uniform(0.5, 2.0, tuple(1 if axis is None else SIZES[axis.name] for axis in axes))
        for name, axes in names.declared.items()
    }
    return values | {"y": np.array([4, 0, 4]), "reg": 0.3, "alpha": 0.7}


def _read(expr: Any, free: Any, values: dict[str, Any], sizes: dict[str, int] = SIZES) -> np.ndarray:
    indices = dict.fromkeys(
        [index for index in free if isinstance(index, Index)]
        + [index for term in expr for index in term.bound]
    )
    letters = Letters({index: f"i{number}" for number, index in enumerate(indices, 1)})
    tree = index_form(expr, free, letters, SYMBOLS)
    reader = Reader(values, {letters[index]: sizes[index.axis.name] for index in indices}, sizes)
    real = [index for index in free if isinstance(index, Index)]
    shape = tuple(sizes[index.axis.name] if isinstance(index, Index) else 1 for index in free)
    result = np.zeros(shape)
    for place in itertools.product(*(range(sizes[index.axis.name]) for index in real)):
        at = {letters[index]: where for index, where in zip(real, place, strict=True)}
        by_index = dict(zip(real, place, strict=True))
        result[tuple(by_index[x] if isinstance(x, Index) else 0 for x in free)] = reader.value(tree, at)
    return result


def test_the_formula_says_what_the_expression_means(expression: Any, names: Any) -> None:
    expr, free = expression
    values = _values(names)
    space = dict(values)
    exec(open_code(expr, free, names), {"np": np}, space)
    np.testing.assert_allclose(_read(expr, free, values), space["result"], rtol=1e-12)


def test_a_formula_with_an_altered_term_says_something_else(expression: Any, names: Any) -> None:
    expr, free = expression
    if not expr:
        return
    values = _values(names)
    first, *rest = expr
    wrong = (replace(first, coefficient=-first.coefficient), *rest)
    assert not np.allclose(_read(wrong, free, values), _read(expr, free, values))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_derivative_of_every_operation_says_what_it_means(case: Case) -> None:
    prepared = Prepared(case)
    weights = np.random.default_rng(1).normal(size=prepared.result.shape)
    values = {**prepared.values, "out": prepared.result, "G": weights}
    found = [(prepared.definition.expr, prepared.definition.free)]
    for name, array in prepared.arrays.items():
        if array.dtype.kind == "f" and array.size < 20:
            step = vector_jacobian(prepared.definition, name, "G", prepared.table.axes(name, array.shape))
            found.append((step.result, step.free))
    sizes = prepared.table.sizes()
    for expr, free in found:
        right = evaluate(expr, free, values, sizes)
        np.testing.assert_allclose(_read(expr, free, values, sizes), right, rtol=1e-9, atol=1e-11)
