"""Central finite differences of a root at the recorded values, one entry at a time.

Comes in: a match.  Goes out: the change of the root when one entry of ``wrt`` moves a little, over that
little.  Only what depends on ``wrt`` is computed again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from tracer.matching.candidates import Match
from tracer.matching.matcher import Matcher
from tracer.tape.tape import GIVEN, Tape, evaluate

#: Steps relative to the size of the entry: a large one has less rounding, a small one crosses fewer kinks.
_STEPS = (1e-5, 1e-4, 1e-6, 1e-7)
#: An error that no further step has to improve on.
_GOOD = 1e-6


#: A gradient and its finite difference that differ by more than this, relative to the larger, disagree.
GATE = 1e-4


class Difference(Struct, frozen=True):
    """A finite difference: where in the recorded value, the number there, its relative error, whether it agrees.

    By a complex number it is ∂/∂Re − i ∂/∂Im, or the conjugate of that if the match says so.
    """

    index: tuple[int, ...]
    numeric: float | complex
    error: float
    agrees: bool


class FiniteDifferences:
    """Finite differences on one tape."""

    def __init__(self, tape: Tape, matcher: Matcher) -> None:
        self._tape = tape
        self._matcher = matcher
        self._recorded = [node.value for node in tape.nodes]
        self._changing: dict[tuple[int, int], tuple[int, ...]] = {}

    def compare(self, match: Match) -> Difference | None:
        """A finite difference at the largest entry of the recorded value.

        Where it disagrees there (a kink, float32), it is taken again at the values of a random replay, which
        decides.  None if nothing can be compared.
        """
        recorded = self._at(match, self._recorded)
        if recorded is None or recorded.agrees:
            return recorded
        again = self._at(match, self._matcher.replays.values[0])
        if again is None:
            return recorded
        return Difference(recorded.index, recorded.numeric, again.error, again.agrees)

    def _at(self, match: Match, values: list[Any]) -> Difference | None:
        value, wrt = np.asarray(values[match.node]), np.asarray(values[match.candidate.wrt])
        if wrt.dtype.kind != "c":
            value, wrt = np.asarray(value, dtype=float), np.asarray(wrt, dtype=float)
        if value.size == 0 or not np.all(np.isfinite(value)) or value.size != wrt.size:
            return None
        oriented = value.T if match.candidate.transposed else value
        flat = int(np.argmax(np.abs(oriented.reshape(-1))))
        scale = self._scale(match, values)
        if scale is None:
            return None
        position = tuple(int(i) for i in np.unravel_index(flat, wrt.shape))
        moved, place = match.candidate.wrt, position
        entry = self._matcher.picked(match.candidate.root, moved)
        if entry is not None:
            moved, place = entry.whole, entry.place
        index = np.unravel_index(flat, oriented.shape)
        at = tuple(int(i) for i in (index[::-1] if match.candidate.transposed else index))
        exact = oriented[index].item()
        single = any(
            np.asarray(self._tape.nodes[n].value).dtype == np.float32 for n in (match.node, match.candidate.root)
        )
        allowed = 0.05 if single and values is self._recorded else GATE
        best: Difference | None = None
        for relative in _STEPS:
            step = relative * max(1.0, abs(wrt[position].item()))
            change = self._change(match.candidate.root, moved, place, step, values)
            if change is None:
                continue
            change = change.conjugate() if match.candidate.conjugate else change
            numeric = scale * change
            size = max(abs(exact), abs(numeric), 1e-12)
            # Rounding of the root itself, which a small step magnifies.
            noise = 1e-14 * abs(scale) * abs(float(np.sum(values[match.candidate.root]))) / step
            error = abs(exact - numeric) / size
            found = Difference(at, numeric, error, abs(exact - numeric) <= allowed * size + noise)
            if best is None or (found.agrees, -found.error) > (best.agrees, -best.error):
                best = found
            if error < _GOOD:
                break
        return best

    def _change(
        self, root: int, wrt: int, position: tuple[int, ...], step: float, values: list[Any]
    ) -> float | complex | None:
        """∂root/∂wrt[position] by a central difference; None if it is not finite."""
        is_complex = np.iscomplexobj(values[wrt])
        start = np.asarray(values[wrt], dtype=np.complex128 if is_complex else np.float64)
        total: float | complex = 0.0
        for direction in (1.0, 1j) if is_complex else (1.0,):
            ends = []
            for sign in (1.0, -1.0):
                moved = start.copy()
                moved[position] += sign * step * direction
                ends.append(self._root_with(root, wrt, moved if moved.shape else moved.item(), values))
            if not all(np.isfinite(ends)):
                return None
            total += direction.conjugate() * (ends[0] - ends[1]) / (2 * step)
        return total

    def _root_with(self, root: int, wrt: int, value: Any, start: list[Any]) -> float:
        values = list(start)
        with np.errstate(all="ignore"):
            for node in self._behind(root, wrt):
                values[node] = value if self._is_again(node, wrt) else evaluate(self._tape.nodes[node], values)
        return float(np.sum(values[root]))  # a loss may be an array of one entry

    def _is_again(self, node: int, wrt: int) -> bool:
        """Whether a node is the value of another, or that value computed again."""
        representative = self._matcher.graph.representative
        return representative(node) == representative(wrt)

    def _behind(self, root: int, wrt: int) -> tuple[int, ...]:
        """The nodes between a value and the root that change with it, in order, with those that are the value itself."""
        if (root, wrt) not in self._changing:
            nodes, updates = self._tape.nodes, self._matcher.updates
            above = self._matcher.all_ancestors(root)
            found: set[int] = set()
            todo = [n for n in above if wrt <= n and self._is_again(n, wrt)]
            while todo:
                node = todo.pop()
                if node in found:
                    continue
                found.add(node)
                todo += [
                    u for u in self._tape.users(node)
                    if u in above and u not in updates and u not in found and nodes[u].kind not in GIVEN
                    and nodes[u].op != "held"
                ]
            self._changing[root, wrt] = tuple(sorted(found | {wrt}))
        return self._changing[root, wrt]

    def _scale(self, match: Match, values: list[Any]) -> float | None:
        """The factor of the match at these values."""
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
                recorded = self._matcher.graph.source(key)(values)
                if recorded is None:
                    return None
                number = float(recorded)
            value *= number**exponent
        return value
