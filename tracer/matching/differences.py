"""Central finite differences of a root at the recorded values, one entry at a time.

Comes in: a match.  Goes out: the change of the root when one entry of ``wrt`` moves a little, over that
little.  Only what depends on ``wrt`` is computed again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.matching.candidates import Match, Matcher
from tracer.tape.node import Kind
from tracer.tape.tape import Tape, evaluate

#: Steps relative to the size of the entry: a large one has less rounding, a small one crosses fewer kinks.
_STEPS = (1e-5, 1e-4, 1e-6, 1e-7)
#: An error that no further step has to improve on.
_GOOD = 1e-6


class FiniteDifferences:
    """Finite differences on one tape."""

    def __init__(self, tape: Tape, matcher: Matcher) -> None:
        self._tape = tape
        self._matcher = matcher
        self._recorded = [node.value for node in tape.nodes]

    def at_largest_entry(self, match: Match) -> tuple[tuple[int, ...], float, float] | None:
        """The index (of the recorded value) of its largest entry, the finite difference there, the relative error.

        The finite difference is that of the recorded value: scaled and transposed as the match says.
        None if nothing there can be compared (an entry of zero, or values that are not finite).
        """
        value = np.asarray(self._recorded[match.node], dtype=float)
        wrt = np.asarray(self._recorded[match.candidate.wrt], dtype=float)
        if value.size == 0 or not np.all(np.isfinite(value)) or value.size != wrt.size:
            return None
        oriented = value.T if match.candidate.transposed else value
        flat = int(np.argmax(np.abs(oriented.reshape(-1))))
        scale = self._scale(match)
        if scale is None:
            return None
        position = tuple(int(i) for i in np.unravel_index(flat, wrt.shape))
        index = np.unravel_index(flat, oriented.shape)
        at = tuple(int(i) for i in (index[::-1] if match.candidate.transposed else index))
        exact = float(oriented[index])
        best: tuple[float, float] | None = None
        for step in _STEPS:
            change = self.change(match.candidate.root, match.candidate.wrt, position, step)
            if change is None:
                continue
            numeric = scale * change
            error = abs(exact - numeric) / max(abs(exact), abs(numeric), 1e-12)
            if best is None or error < best[0]:
                best = (error, numeric)
            if error < _GOOD:
                break
        return None if best is None else (at, best[1], best[0])

    def change(self, root: int, wrt: int, position: tuple[int, ...], relative: float) -> float | None:
        """∂root/∂wrt[position] by a central difference; None if it is not finite."""
        start = np.asarray(self._recorded[wrt], dtype=np.float64)
        step = relative * max(1.0, abs(float(start[position])))
        ends = []
        for sign in (1.0, -1.0):
            moved = start.copy()
            moved[position] += sign * step
            ends.append(self._root_with(root, wrt, moved if moved.shape else float(moved)))
        if not all(np.isfinite(ends)):
            return None
        return (ends[0] - ends[1]) / (2 * step)

    def _root_with(self, root: int, wrt: int, value: Any) -> float:
        values = list(self._recorded)
        values[wrt] = value
        changed = {wrt}
        for node in self._tape.nodes[wrt + 1 : root + 1]:
            if node.window < 0 or node.kind in (Kind.LEAF, Kind.LITERAL, Kind.RANDOM, Kind.OPAQUE):
                continue
            if node.id in self._matcher.updates or changed.isdisjoint(self._tape.operands(node.id)):
                continue
            with np.errstate(all="ignore"):
                values[node.id] = evaluate(node, values)
            changed.add(node.id)
        return float(values[root])

    def _scale(self, match: Match) -> float | None:
        """The factor of the match at the recorded values."""
        scale = match.scale.scale
        value = float(scale.coefficient)
        for key, exponent in scale.symbols:
            if key.startswith("size:"):
                axes = key[5:].split("|")
                number = float(np.prod([self._matcher.graph.table.sizes()[a] for a in axes]))
            else:
                node = self._matcher.graph.node_of(key)
                if node is None:
                    return None
                recorded = self._recorded[self._matcher.graph.recorded(node)]
                if recorded is None:
                    return None
                number = float(recorded)
            value *= number**exponent
        return value
