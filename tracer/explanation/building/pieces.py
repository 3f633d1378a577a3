"""Which recorded nodes stand behind which statement, and behind which expression within it.

Comes in: a program and its tape.  Goes out: for each statement its pieces: the value it binds or returns,
its target after an in-place change, and its sub-expressions.  Invariant: one piece for each place and
identity; what ran several times is one piece with its number of occurrences.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tracer.explanation.building.statement_values import StatementValues, statement_values
from tracer.program import Program
from tracer.tape.node import Kind, Site, Span
from tracer.tape.tape import Tape


@dataclass(frozen=True, slots=True)
class Piece:
    """An expression or a target, with the node that it stood for in the explained iteration.

    Attributes:
        nodes: all nodes of the explained iteration at this place, in order; the first one is explained.
        target: the name that is bound, for the piece that is the statement's value.
        whole: whether it is the value of the statement, or its target after the statement.
    """

    span: Span
    source: str
    nodes: tuple[int, ...]
    target: str | None
    whole: bool

    @property
    def node(self) -> int:
        return self.nodes[-1]


@dataclass
class _Occurrences:
    """The nodes at each place of each statement, those of the explained iterations and others."""

    explained: dict[tuple[Span, Span], list[int]] = field(default_factory=lambda: defaultdict(list))
    others: dict[tuple[Span, Span], list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, place: tuple[Span, Span], node: int, is_explained: bool) -> None:
        (self.explained if is_explained else self.others)[place].append(node)

    def statements(self) -> set[Span]:
        """The statements of the explained iterations."""
        return {statement for statement, _ in self.explained}

    def told(self, done: set[Span]) -> dict[tuple[Span, Span], list[int]]:
        """The nodes to tell of: those of other iterations only for statements that none of the explained ones ran."""
        return {**self.explained, **{place: nodes for place, nodes in self.others.items() if place[0] not in done}}


def find_pieces(program: Program, tape: Tape) -> dict[Span, list[Piece]]:
    """The pieces of every statement that was recorded, by the span of the statement."""
    explained = set(tape.last_windows())
    values = statement_values(program)
    bound, inner = _Occurrences(), _Occurrences()
    names: dict[tuple[Span, Span], dict[str, None]] = defaultdict(dict)
    for binding in tape.bindings:
        place = _place(program, binding.site)
        if place is not None:
            names[place][binding.name] = None
            bound.add(place, binding.node, _window_at(tape, binding.time) in explained)
    for node in tape.nodes:
        place = None if node.kind is Kind.LITERAL else _place(program, node.site)
        if place is not None:
            inner.add(place, node.id, node.window in explained)
    done = bound.statements() | inner.statements()
    found: dict[Span, list[Piece]] = defaultdict(list)
    for place, nodes in bound.told(done).items():
        found[place[0]].append(_bound_piece(program, tape, values, place, nodes, list(names[place])))
    for (statement, span), nodes in inner.told(done).items():
        piece = _inner_piece(program, tape, values, (statement, span), _unique(nodes), found[statement])
        if piece is not None:
            found[statement].append(piece)
    for pieces in found.values():
        pieces.sort(key=lambda p: (not p.whole, p.span.line, p.span.column, -p.span.end_column))
    return dict(sorted(found.items()))


def _place(program: Program, site: Site | None) -> tuple[Span, Span] | None:
    """The statement that a site stands in, and the span of the site; None if it is not in this program."""
    if site is None or site.path not in ("", program.path):
        return None
    statement = program.statement_at(site.span.line, site.span.column)
    return None if statement is None else (statement, site.span)


def _bound_piece(
    program: Program,
    tape: Tape,
    values: StatementValues,
    place: tuple[Span, Span],
    nodes: list[int],
    names: list[str],
) -> Piece:
    """What a statement binds to a name."""
    statement, span = place
    # What is bound to hs[0], hs[1], … is one target, hs[t].
    name = names[0] if len(names) == 1 else program.text_of(span)
    if tape.nodes[nodes[-1]].kind is Kind.MUTATION:
        span = statement
    elif statement in values.plain:
        span = values.value.get(statement, span)
    return Piece(span, program.text_of(span), _unique(nodes), name, True)


def _inner_piece(
    program: Program,
    tape: Tape,
    values: StatementValues,
    place: tuple[Span, Span],
    nodes: tuple[int, ...],
    told: list[Piece],
) -> Piece | None:
    """An expression within a statement, or the statement itself if it changes an array; None if that is told already."""
    statement, span = place
    if span == statement:
        mutated = [n for n in nodes if tape.nodes[n].kind is Kind.MUTATION]
        if not mutated or any(set(p.nodes) & set(mutated) for p in told):
            return None
        node = tape.nodes[mutated[-1]]
        target = values.target.get(statement) or (node.names[-1] if node.names else None)
        return Piece(span, program.text_of(span), tuple(mutated), target, True)
    if any(set(p.nodes) & set(nodes) and p.whole and values.value.get(statement) == span for p in told):
        return None
    elsewhere = any(p.whole and not values.is_all_of(statement, p.span) for p in told)
    returned = values.is_all_of(statement, span) and not elsewhere
    return Piece(span, program.text_of(span), nodes, None, returned)


def _unique(nodes: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(nodes))


def _window_at(tape: Tape, time: int) -> int:
    """The window that was open when so many nodes stood on the tape."""
    for number, window in enumerate(tape.windows):
        if window.start < time <= window.stop or window.start == time == window.stop:
            return number
    return -1
