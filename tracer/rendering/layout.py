"""Places for the nodes of a data-flow graph, in layers from top to bottom.

In come nodes with widths and edges between them, out go centres; the method is Sugiyama's: longest-path
layers, dummy nodes on long edges, barycentre sweeps against crossings, then coordinates by isotonic fits.
Invariants: the result depends on the arguments only; nodes of one layer do not overlap; an edge between two
layers never goes up.  Edges that would close a cycle are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

GAP_X, GAP_Y, HEIGHT = 14.0, 34.0, 34.0
_MARGIN = 4.0
_SWEEPS, _RELAXATIONS = 12, 24
_DUMMY_WIDTH = 6.0

Point = tuple[float, float]


class Layout(Struct, frozen=True):
    """Centres of the nodes, the points that an edge passes through between its ends, and the whole size."""

    centres: dict[int, Point]
    bends: dict[tuple[int, int], tuple[Point, ...]]
    width: float
    height: float


def layout(widths: Mapping[int, float], edges: Iterable[tuple[int, int]]) -> Layout:
    """Arrange nodes (id → width) and edges (from, to); ids may come in any order."""
    if not widths:
        return Layout({}, {}, 0.0, 0.0)
    order, kept = _acyclic(widths, edges)
    levels = _levels(order, kept)
    graph = _Layered(dict(widths), levels)
    chains = {edge: graph.add_edge(*edge) for edge in kept}
    graph.reduce_crossings()
    x = graph.coordinates()
    left = min(x[node] - graph.widths[node] / 2 for node in x)
    right = max(x[node] + graph.widths[node] / 2 for node in x)

    def centre(node: int) -> Point:
        return (
            round(x[node] - left + _MARGIN, 1),
            round(graph.levels[node] * (HEIGHT + GAP_Y) + HEIGHT / 2 + _MARGIN, 1),
        )

    rows = max(graph.levels.values()) + 1
    return Layout(
        {node: centre(node) for node in widths},
        {edge: tuple(map(centre, chain)) for edge, chain in chains.items()},
        round(right - left + 2 * _MARGIN, 1),
        round(rows * (HEIGHT + GAP_Y) - GAP_Y + 2 * _MARGIN, 1),
    )


def _acyclic(
    nodes: Iterable[int], edges: Iterable[tuple[int, int]]
) -> tuple[list[int], list[tuple[int, int]]]:
    """A topological order, and the edges without those that lead back in it."""
    successors: dict[int, list[int]] = {node: [] for node in nodes}
    for start, end in dict.fromkeys(edges):
        if start != end and start in successors and end in successors:
            successors[start].append(end)
    order: list[int] = []
    state: dict[int, int] = {}
    for root in successors:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(successors[root]))]
        while stack:
            node, rest = stack[-1]
            following = next((end for end in rest if end not in state), None)
            if following is None:
                order.append(node)
                stack.pop()
            else:
                state[following] = 1
                stack.append((following, iter(successors[following])))
    order.reverse()
    place = {node: k for k, node in enumerate(order)}
    kept = [(a, b) for a, ends in successors.items() for b in ends if place[a] < place[b]]
    return order, kept


def _levels(order: Sequence[int], edges: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The layer of each node: below all it depends on; a source stands just above its first use."""
    before: dict[int, list[int]] = {node: [] for node in order}
    after: dict[int, list[int]] = {node: [] for node in order}
    for start, end in edges:
        before[end].append(start)
        after[start].append(end)
    levels: dict[int, int] = {}
    for node in order:
        levels[node] = max((levels[other] + 1 for other in before[node]), default=0)
    for node in reversed(order):
        if not before[node] and after[node]:
            levels[node] = min(levels[other] for other in after[node]) - 1
    return levels


class _Layered:
    """A graph whose edges join neighbouring layers only; dummy nodes have negative ids."""

    def __init__(self, widths: dict[int, float], levels: dict[int, int]) -> None:
        self.widths = widths
        self.levels = dict(levels)
        self.above: dict[int, list[int]] = {node: [] for node in levels}
        self.below: dict[int, list[int]] = {node: [] for node in levels}
        self.rows: list[list[int]] = [[] for _ in range(max(levels.values()) + 1)]
        for node, level in levels.items():
            self.rows[level].append(node)
        self._dummies = 0

    def add_edge(self, start: int, end: int) -> list[int]:
        """Join two nodes; returns the dummies that were put between."""
        chain = []
        previous = start
        for level in range(self.levels[start] + 1, self.levels[end]):
            self._dummies += 1
            dummy = -self._dummies
            self.widths[dummy], self.levels[dummy] = _DUMMY_WIDTH, level
            self.above[dummy], self.below[dummy] = [], []
            self.rows[level].append(dummy)
            self._join(previous, dummy)
            chain.append(dummy)
            previous = dummy
        self._join(previous, end)
        return chain

    def reduce_crossings(self) -> None:
        """Order each layer by the mean place of its neighbours, sweeping down and up; keep the best order."""
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            down = sweep % 2 == 0
            neighbours = self.above if down else self.below
            for level in range(1, len(self.rows)) if down else range(len(self.rows) - 2, -1, -1):
                place = self._places()
                self.rows[level].sort(
                    key=lambda node: _mean([place[n] for n in neighbours[node]], place[node])
                )
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(row) for row in self.rows], crossings
        self.rows = best

    def coordinates(self) -> dict[int, float]:
        """Horizontal centres: each node as near to its neighbours' mean as the order in its layer allows."""
        x: dict[int, float] = {}
        for row in self.rows:
            cursor = 0.0
            for node in row:
                x[node] = cursor + self.widths[node] / 2
                cursor += self.widths[node] + GAP_X
        for turn in range(_RELAXATIONS):
            down = turn % 2 == 0
            for row in self.rows if down else reversed(self.rows):
                wanted = []
                for node in row:
                    near = self.above[node] if down else self.below[node]
                    if turn > _RELAXATIONS * 2 // 3:
                        near = self.above[node] + self.below[node]
                    wanted.append(_mean([x[other] for other in near], x[node]))
                for node, value in zip(row, self._separated(row, wanted)):
                    x[node] = value
        return x

    def _join(self, start: int, end: int) -> None:
        self.below[start].append(end)
        self.above[end].append(start)

    def _places(self) -> dict[int, float]:
        return {node: float(k) for row in self.rows for k, node in enumerate(row)}

    def _crossings(self) -> int:
        place = self._places()
        total = 0
        for row in self.rows[:-1]:
            ends = [place[end] for start in row for end in sorted(self.below[start], key=place.__getitem__)]
            total += sum(one > other for k, one in enumerate(ends) for other in ends[k + 1 :])
        return total

    def _separated(self, row: Sequence[int], wanted: Sequence[float]) -> list[float]:
        """The least-squares fit to ``wanted`` that keeps the order and the gaps (pool adjacent violators)."""
        offsets = [0.0]
        for left, right in itertools.pairwise(row):
            offsets.append(offsets[-1] + (self.widths[left] + self.widths[right]) / 2 + GAP_X)
        blocks: list[tuple[float, int]] = []
        for value, offset in zip(wanted, offsets):
            mean, size = value - offset, 1
            while blocks and blocks[-1][0] > mean:
                other, count = blocks.pop()
                mean, size = (other * count + mean * size) / (count + size), count + size
            blocks.append((mean, size))
        fitted = [mean for mean, size in blocks for _ in range(size)]
        return [value + offset for value, offset in zip(fitted, offsets)]


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
