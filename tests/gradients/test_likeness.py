"""Definitions that differ in names only are alike, and share the code of their products; others do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tracer.gradients.graph import Graph
from tracer.gradients.graph_building import build_graph
from tracer.gradients.likeness import likeness
from tracer.gradients.rules import NumericRules
from tracer.program import parse
from tracer.recording import record_source
from tracer.tape.tape import Tape

HEAD = """\
import numpy as np
rng = np.random.default_rng(2)
A, B, C = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(3, 4))
for step in range(2):
"""


def recorded(*lines: str) -> Tape:
    found: Tape = record_source(parse(HEAD + "".join(f"    {line}\n" for line in lines), "p.py")).tape
    return found


def key(graph: Graph, name: str) -> Any:
    node = graph.tape.find(name)[-1].id
    definition = graph.definitions[graph.representative(node)]

    def at(array: str) -> int:
        found = graph.node_of(array)
        assert found is not None
        return found

    return likeness(
        definition, lambda a: graph.axes(at(a)), graph.table.size, lambda a: graph.tape.nodes[at(a)].dtype
    ).key


ALIKE = [
    ("A * B", "B * A"), ("A - B", "B - A"), ("A @ C", "B @ C"), ("A[1, 2]", "B[1, 2]"), ("A.sum(0)", "B.sum(0)"), ("np.tanh(A)", "np.tanh(B)"),
]  # fmt: skip
DIFFERENT = [
    ("A * B", "A * A"), ("A - B", "A + B"), ("A @ C", "C @ A"), ("A[1, 2]", "A[2, 1]"), ("A[1]", "A[2]"), ("A[1:]", "A[:-1]"),
    ("A.sum(0)", "A.sum(1)"), ("np.tanh(A)", "np.tanh(C)"), ("2 * A", "3 * A"), ("A > 0", "A > 1"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_what_differs_in_names_only_is_alike(one: str, other: str) -> None:
    graph = build_graph(recorded(f"x = {one}", f"y = {other}"))
    assert key(graph, "x") == key(graph, "y")


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_operation_place_axis_or_size_is_not_alike(one: str, other: str) -> None:
    graph = build_graph(recorded(f"x = {one}", f"y = {other}"))
    assert key(graph, "x") != key(graph, "y")


def test_shared_products_read_the_values_of_their_own_edge() -> None:
    rng = np.random.default_rng(3)
    tape = recorded("x = A * B", "y = B * A", "z = x[1, 2] * A[1, 2]", "w = y[1, 2] * B[1, 2]")
    rules = NumericRules(build_graph(tape))
    values = [n.value for n in tape.nodes]
    seen = 0
    for name in ("x", "y", "z", "w"):
        node = tape.find(name)[-1]
        left, right = tape.operands(node.id)
        if rules.value(left) == rules.value(right):
            continue
        adjoint = rng.normal(size=node.shape)
        for operand, other in ((left, right), (right, left)):
            found = rules.product(node.id, operand, values, adjoint)
            assert found is not None
            assert found == pytest.approx(adjoint * values[other])
            seen += 1
    assert seen >= 6
