"""The program at random values: what each node of a tape is, on several replays.

An identity that holds at the recorded values may be an accident: all weights one, all biases zero.  So every float
leaf is drawn again, and every updated parameter too.  Comes in: a tape and its updates.  Goes out: `Replays`, and
what they kept of the program's own numbers, which a proof or a check then rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracer.gradients.adjoints import is_real
from tracer.matching.drawing import Drawing
from tracer.matching.random_values import are_indicators
from tracer.matching.updates import Update
from tracer.tape.node import Kind, Node
from tracer.tape.tape import ReplayError, Tape, replay

#: How many nodes are computed again at most because of what a draw hit badly.
_MOST_DRAWN = 60_000
#: How many further draws are made only because some array is 0.
_MOST_FOR_ZEROS = 3


@dataclass
class Replays:
    """Values of every node on several random replays.

    Attributes:
        values: one list a replay, indexed by node.
        drawn: the nodes that were given random values.
        assumptions: node → what the draw kept that a proof may rest on, e.g. ``"rows sum to 1"``.
    """

    values: list[list[Any]]
    drawn: frozenset[int]
    assumptions: dict[int, str] = field(default_factory=dict)

    def of(self, node: int) -> list[Any]:
        """The values of one node, one a replay."""
        return [values[node] for values in self.values]

    def moves(self, node: int) -> bool:
        """Whether the node took different values on different replays."""
        first = self.values[0][node]
        return not all(np.array_equal(first, values[node]) for values in self.values[1:])


def has_indicators(tape: Tape) -> bool:
    """Whether some data are arrays of zeros and ones."""
    return any(
        n.kind is Kind.LEAF
        and n.window >= 0
        and is_real(n)
        and n.shape
        and are_indicators(np.asarray(n.value))
        for n in tape.nodes
    )


def random_replays(
    tape: Tape, updates: Mapping[int, Update], count: int = 3, seed: int = 1, indicators: bool = False
) -> Replays:
    """Replay the tape ``count`` times from random leaves.

    Arguments:
        indicators: whether arrays of zeros and ones stay such; else they may be anything between.

    Masks that took only one value over all the replays make an identity look more general than it is, so
    the draw is repeated, at most eight times (less often where there are very many nodes), until every mask took
    both.  An array that is 0 on one of them, as behind a few units that are all off, equals nothing there; that is
    worth another draw or two.
    """
    drawing = Drawing(tape, updates, indicators)
    best: Replays | None = None
    fewest = (-1, -1)
    for attempt in range(min(max(_MOST_DRAWN // max(len(tape.nodes), 1), 2), 8)):
        replays = _replayed(tape, drawing, count, np.random.default_rng([seed, attempt]))
        stuck = _stuck_masks(tape, replays), _vanished(tape, replays)
        if best is None or stuck < fewest:
            best, fewest = replays, stuck
        if fewest == (0, 0) or (fewest[0] == 0 and attempt >= _MOST_FOR_ZEROS):
            break
    assert best is not None
    return best


def _replayed(tape: Tape, drawing: Drawing, count: int, rng: np.random.Generator) -> Replays:
    assumptions: dict[int, str] = {}
    values = []
    for _ in range(count):
        given, kept = drawing.draw(rng)
        assumptions |= kept
        with np.errstate(all="ignore"):
            try:
                values.append(replay(tape, given))
            except ReplayError:  # an index that was looked up among other numbers is out of bounds
                values.append(replay(tape, drawing.with_whole_numbers(given)))
    drawn = frozenset(n for n in given if tape.nodes[n].kind is not Kind.LITERAL)
    return Replays(values, drawn, assumptions)


def _stuck_masks(tape: Tape, replays: Replays) -> int:
    """How many comparison arrays were all true, or all false, on every replay; broken replays count most."""
    stuck = 0
    for node in tape.nodes:
        if node.window < 0:
            continue
        values = replays.of(node.id)
        if node.dtype == "bool" and node.shape and np.size(node.value) > 1:
            ratio = [float(np.mean(value)) for value in values]
            recorded = float(np.mean(node.value))
            stuck += max(ratio) in (0.0, 1.0) and min(ratio) == max(ratio) and 0.0 < recorded < 1.0
        elif is_real(node) and bool(np.all(np.isfinite(np.asarray(node.value)))):
            stuck += 100 * (not all(bool(np.all(np.isfinite(np.asarray(value)))) for value in values))
    return stuck


def _vanished(tape: Tape, replays: Replays) -> int:
    """How many arrays that were not 0 are 0 throughout on some replay."""
    return sum(
        not all(np.any(value) for value in replays.of(node.id))
        for node in tape.window_nodes()
        if node.shape and np.size(node.value) > 1 and is_real(node) and np.any(node.value)
    )


def describe(node: Node, kept: str) -> str:
    """An assumption as a sentence's end, e.g. ``rows of T sum to 1``."""
    name = node.names[0] if node.names else (node.site.text if node.site else "an input")
    first, _, rest = kept.partition(" ")
    return f"{first} of {name} {rest}"
