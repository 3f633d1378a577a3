"""Which arguments of a source are the sizes of its axes: ``np.zeros((N, D))``, ``np.random.randn(D, h)``."""

from __future__ import annotations

from typing import Any

from tracer.tape.node import Node

_SHAPED = frozenset(
    "zeros ones empty full random.randn random.rand random.random random.random_sample random.standard_normal "
    "random.normal random.uniform random.randint random.integers eye identity arange range".split()
)


def sizes_asked_for(node: Node) -> list[Any]:
    """The arguments of a source that are the sizes of its axes, or ``[]`` if they cannot be told."""
    if node.op == "linspace" and node.shape is not None and len(node.shape) == 1:
        count = node.kwargs.get("num", node.args[2] if len(node.args) > 2 else None)
        return [count]
    if node.op == "reshape":
        shape = node.kwargs.get("shape")
        return list(shape) if isinstance(shape, tuple | list) and len(shape) == len(node.shape or ()) else []
    if node.op not in _SHAPED or not node.shape:
        return []
    given = node.kwargs.get("size", node.kwargs.get("shape"))
    if given is None:
        tuples = [a for a in node.args if isinstance(a, tuple | list)]
        given = tuples[-1] if tuples else node.args
    asked = list(given) if isinstance(given, tuple | list) else [given]
    if len(asked) > len(node.shape):
        asked = asked[-len(node.shape) :]
    return asked if len(asked) == len(node.shape) else []
