"""Which comprehensions give every entry of a container its next version."""

from __future__ import annotations

import ast

import pytest

from tracer.program.parts import names_of_parts, updated_one_by_one


def updated(code: str) -> bool:
    (assignment,) = ast.parse(code).body
    assert isinstance(assignment, ast.Assign)
    return updated_one_by_one(assignment.targets[0], assignment.value)


@pytest.mark.parametrize(
    "code",
    [
        "ws = [w - rate * g for w, g in zip(ws, gs)]",
        "net.ws = [g + w for g, w in zip(gs, net.ws)]",
        "ws = list(w - gs[k] for k, w in enumerate(ws))",
        "p = {k: p[k] - rate * g[k] for k in p}",
        "p = {k: v - rate * g[k] for k, v in p.items()}",
        "p = dict((k, p[k] + g[k]) for k in names)",
    ],
)
def test_each_entry_gets_its_next_version(code: str) -> None:
    assert updated(code)


@pytest.mark.parametrize(
    "code",
    [
        "ws = [g - rate * w for w, g in zip(ws, gs)]",
        "ws = [w * 2 for w in ws]",
        "vs = [w - g for w, g in zip(ws, gs)]",
        "ws = [k - 1 for k, w in enumerate(ws)]",
        "p = {k: q[k] - g[k] for k in p}",
    ],
)
def test_what_is_made_of_others_is_no_next_version(code: str) -> None:
    assert not updated(code)


def test_what_is_read_from_elsewhere_is_held_there_too() -> None:
    function = ast.parse(
        "def f(a):\n    w = net.W\n    v = getattr(net, a)\n    z = w * 2\n    for p in ps:\n        for k in range(3):\n            pass"
    )
    assert names_of_parts(function) == {"w", "v", "p"}
