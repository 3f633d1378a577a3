"""What can be said of a piece of source without knowing what it is: where it stands, its shape, some of its numbers."""

from __future__ import annotations

from tracer.explanation.building.numbers import sample
from tracer.explanation.building.pieces import Piece
from tracer.explanation.building.reading import Reading
from tracer.explanation.model import Part


def bare_part(reading: Reading, piece: Piece) -> Part:
    """The part of a piece before it has a role, a formula or a verdict."""
    node = reading.node(piece.node)
    graph = reading.analysis.graph
    span = piece.span
    axes = tuple(graph.axis_text(a) for a in graph.axes(node.id)) if node.shape is not None else None
    return Part(
        span=(span.line, span.column, span.end_line, span.end_column),
        source=piece.source,
        target=piece.target,
        whole=piece.whole,
        role="other",
        occurrences=len(piece.nodes),
        shape=node.shape,
        axes=axes,
        sample=sample(node.value) if node.value is not None and node.shape is not None else None,
    )
