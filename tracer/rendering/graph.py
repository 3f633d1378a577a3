"""The data-flow graph as boxes and curves, ready to be drawn.

In comes the graph of an `Explanation`, out goes a `Drawing` in SVG's coordinates.  A large graph is drawn
with one box for each line of the program.
"""

from __future__ import annotations

from msgspec import Struct

from tracer.explanation.model import Graph, GraphNode
from tracer.rendering.layout import HEIGHT, Layout, layout

#: More nodes than this are collapsed, line by line.
NODES_DRAWN = 28
_LABEL_LENGTH = 14
_CHARACTER, _PADDING, _NARROWEST = 7.6, 14.0, 44.0


class Box(Struct, frozen=True):
    """A node with its left upper corner; ``name`` is uncut, ``label`` is what fits."""

    name: str
    label: str
    shape: str
    line: int
    x: float
    y: float
    width: float
    height: float
    source: bool


class Curve(Struct, frozen=True):
    """An SVG path, and the lines of the program that it joins."""

    path: str
    start: int
    end: int


class Drawing(Struct, frozen=True):
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]
    width: float
    height: float
    collapsed: bool


def drawing(graph: Graph) -> Drawing | None:
    """The drawing of a graph, or None if it has no nodes."""
    collapsed = len(graph.nodes) > NODES_DRAWN
    if collapsed:
        graph = by_line(graph)
    if not graph.nodes:
        return None
    shapes = {node.id: "×".join(map(str, node.shape)) or "scalar" for node in graph.nodes}
    widths = {
        node.id: max(
            _NARROWEST, _CHARACTER * max(len(_label(node.name)), 0.8 * len(shapes[node.id])) + _PADDING
        )
        for node in graph.nodes
    }
    placed = layout(widths, graph.edges)
    fed = {end for _, end in graph.edges}
    lines = {node.id: node.line for node in graph.nodes}
    boxes = tuple(
        Box(
            node.name,
            _label(node.name),
            shapes[node.id],
            node.line,
            round(placed.centres[node.id][0] - widths[node.id] / 2, 1),
            round(placed.centres[node.id][1] - HEIGHT / 2, 1),
            round(widths[node.id], 1),
            HEIGHT,
            node.id not in fed,
        )
        for node in graph.nodes
    )
    curves = tuple(Curve(_path(placed, *edge), lines[edge[0]], lines[edge[1]]) for edge in placed.bends)
    return Drawing(boxes, curves, placed.width, placed.height, collapsed)


def by_line(graph: Graph) -> Graph:
    """One node for each line, named after its last node; edges within a line go."""
    last: dict[int, GraphNode] = {}
    for node in graph.nodes:
        last[node.line] = node
    to = {node.id: last[node.line].id for node in graph.nodes}
    edges = dict.fromkeys((to[a], to[b]) for a, b in graph.edges if to[a] != to[b])
    return Graph(tuple(last[line] for line in sorted(last)), tuple(edges))


def _label(name: str) -> str:
    return name if len(name) <= _LABEL_LENGTH else name[: _LABEL_LENGTH - 1] + "…"


def _path(placed: Layout, start: int, end: int) -> str:
    (x, y), (end_x, end_y) = placed.centres[start], placed.centres[end]
    y, end_y = y + HEIGHT / 2, end_y - HEIGHT / 2
    path = f"M{x:g} {y:g}"
    for px, py in (*placed.bends[start, end], (end_x, end_y)):
        middle = (y + py) / 2
        path += f"C{x:g} {middle:g} {px:g} {middle:g} {px:g} {py:g}"
        x, y = px, py
    return path
