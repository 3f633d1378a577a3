"""Whether the start of a backward pass is a multiple of the gradient of a loss by an output, in numbers.

Comes in: a loss that can be written, the output and the start.  Goes out: the factor on every replay.  The gradient is not
derived here but taken from differences along random directions, so that a loss of any form can be asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.matching.linear import Either, descendants
from tracer.matching.losses.written import TapeWriter
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind, Ref
from tracer.tape.tape import evaluate

#: The step of a difference, how exactly it must agree, and along how many directions it is taken.
_STEP, _CLOSE, _DIRECTIONS = 1e-5, 2e-5, 5


def slopes(
    matcher: Matcher, value: int, output: int, write: Callable[[TapeWriter], Ref]
) -> list[tuple[NDArray[Any], NDArray[Any]]] | None:
    """For each replay what the start says of directions, and how the loss changes along them; None if it has no value."""
    tape = matcher.graph.tape
    writer = TapeWriter(tape, tape.nodes[value])
    try:
        root = write(writer)
    except (ValueError, TypeError, IndexError):  # shapes that do not go together: another loss is meant
        return None
    behind, held, todo = set[int](), dict[int, int](), [root.node]
    while todo:
        node = todo.pop()
        if writer.nodes[node].op == "held":
            [held[node]] = writer.operands(node)
        elif node not in behind and node > output:
            behind.add(node)
            todo += tape.operands(node) if node < len(tape) else writer.operands(node)
    after = descendants(tape, output, matcher.updates.keys())
    needed = sorted(n for n in behind if (n >= len(tape) or n in after) and writer.nodes[n].kind is not Kind.LITERAL)
    rng = np.random.default_rng(0)
    found = []
    for values in matcher.replays.values:
        at = np.asarray(values[output], dtype=float)
        start = np.reshape(np.asarray(values[value], dtype=float), at.shape)
        said, seen = [], []
        for direction in (rng.normal(size=at.shape) for _ in range(min(_DIRECTIONS, at.size))):
            step = _STEP * max(1.0, float(np.max(np.abs(at), initial=0.0)))
            sides = []
            for sign in (1, -1):
                changed: dict[int, Any] = {output: at + sign * step * direction}
                changed |= {node: values[of] for node, of in held.items()}
                both = Either(changed, values, writer.values)
                try:
                    with np.errstate(all="ignore"):
                        for node in needed:
                            changed[node] = evaluate(writer.nodes[node], both)
                except Exception:  # whatever NumPy says of values that are not what the program expects
                    return None
                sides.append(float(np.sum(changed.get(root.node, np.nan))))
            seen.append((sides[0] - sides[1]) / (2 * step))
            said.append(float(np.sum(start * direction)))
        found.append((np.array(said), np.array(seen)))
    return found


def common_factor(parts: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> float | None:
    """The factor of what is said over what is seen, the same everywhere; None if there is none."""
    said, seen = (np.concatenate([p[side] for p in parts]) for side in (0, 1))
    square = float(seen @ seen)
    if not 0 < square < np.inf:
        return None
    factor = float(said @ seen) / square
    error = float(np.max(np.abs(said - factor * seen)))
    return factor if factor != 0 and error <= _CLOSE * float(np.max(np.abs(said))) else None
