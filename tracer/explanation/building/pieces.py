"""Which recorded nodes stand behind which statement, and behind which expression within it.

Comes in: a program and its tape.  Goes out: for each statement its pieces: the value it binds or returns,
its target after an in-place change, and its sub-expressions.  Invariant: one piece for each place and
identity; what ran several times is one piece with its number of occurrences.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tracer.program import Program
from tracer.tape.node import Kind, Span
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


def find_pieces(program: Program, tape: Tape) -> dict[Span, list[Piece]]:
    """The pieces of every statement that was recorded, by the span of the statement."""
    explained = set(tape.last_windows())
    values = _value_spans(program)
    bound: dict[tuple[Span, Span], list[int]] = defaultdict(list)
    names: dict[tuple[Span, Span], dict[str, None]] = defaultdict(dict)
    inner: dict[tuple[Span, Span], list[int]] = defaultdict(list)
    elsewhere: dict[tuple[Span, Span], list[int]] = defaultdict(list)
    elsewhere_inner: dict[tuple[Span, Span], list[int]] = defaultdict(list)
    for binding in tape.bindings:
        if binding.site.path not in ("", program.path):
            continue
        statement = program.statement_at(binding.site.span.line, binding.site.span.column)
        if statement is None:
            continue
        key = (statement, binding.site.span)
        names[key][binding.name] = None
        window = _window_at(tape, binding.time)
        (bound if window in explained else elsewhere)[key].append(binding.node)
    for node in tape.nodes:
        if node.site is None or node.site.path not in ("", program.path) or node.kind is Kind.LITERAL:
            continue
        span = node.site.span
        statement = program.statement_at(span.line, span.column)
        if statement is None:
            continue
        (inner if node.window in explained else elsewhere_inner)[statement, span].append(node.id)
    done = {statement for statement, *_ in bound} | {statement for statement, _ in inner}
    for key, nodes in elsewhere.items():
        if key[0] not in done:
            bound[key] = nodes
    for spans, nodes in elsewhere_inner.items():
        if spans[0] not in done:
            inner[spans] = nodes
    found: dict[Span, list[Piece]] = defaultdict(list)
    for (statement, place), nodes in bound.items():
        # What is bound to hs[0], hs[1], … is one target, hs[t].
        name = (
            next(iter(names[statement, place]))
            if len(names[statement, place]) == 1
            else program.text_of(place)
        )
        changed = tape.nodes[nodes[-1]].kind is Kind.MUTATION
        span = statement if changed else values.get(statement, place) if values.is_plain(statement) else place
        found[statement].append(Piece(span, program.text_of(span), _unique(nodes), name, True))
    for (statement, span), nodes in inner.items():
        pieces = found[statement]
        ids = _unique(nodes)
        if span == statement:
            mutated = [n for n in ids if tape.nodes[n].kind is Kind.MUTATION]
            if mutated and not any(set(p.nodes) & set(mutated) for p in pieces):
                node = tape.nodes[mutated[-1]]
                target = values.target(statement) or (node.names[-1] if node.names else None)
                pieces.append(Piece(span, program.text_of(span), tuple(mutated), target, True))
            continue
        if any(set(p.nodes) & set(ids) and p.whole and values.get(statement) == span for p in pieces):
            continue
        returned = values.is_all_of(statement, span) and not any(
            p.whole and not values.is_all_of(statement, p.span) for p in pieces
        )
        pieces.append(Piece(span, program.text_of(span), ids, None, returned))
    for pieces in found.values():
        pieces.sort(key=lambda p: (not p.whole, p.span.line, p.span.column, -p.span.end_column))
    return dict(sorted(found.items()))


def _unique(nodes: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(nodes))


def _window_at(tape: Tape, time: int) -> int:
    """The window that was open when so many nodes stood on the tape."""
    for number, window in enumerate(tape.windows):
        if window.start < time <= window.stop or window.start == time == window.stop:
            return number
    return -1


class _Values(dict[Span, Span]):
    """The span of the value of each statement: the right side, what is returned, the expression."""

    targets: dict[Span, str]
    plain: set[Span]
    listed: dict[Span, set[Span]]

    def is_all_of(self, statement: Span, span: Span) -> bool:
        """Whether an expression is the value of the statement, or an item of the list, tuple or dict that it makes."""
        return self.get(statement) == span or span in self.listed.get(statement, ())

    def is_plain(self, statement: Span) -> bool:
        """Whether the statement binds one name to its value."""
        return statement in self.plain

    def target(self, statement: Span) -> str | None:
        return self.targets.get(statement)


def _value_spans(program: Program) -> _Values:
    values = _Values()
    values.targets = {}
    values.plain = set()
    values.listed = {}
    for node in ast.walk(program.tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr) and node.value is not None:
            values[program.span(node)] = program.span(node.value)
            values.listed[program.span(node)] = {program.span(item) for item in _items(node.value)}
        if isinstance(node, ast.AugAssign):
            values[program.span(node)] = program.span(node)
            values.plain.add(program.span(node))
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if len(targets) == 1 and not isinstance(targets[0], ast.Tuple | ast.List):
                values.plain.add(program.span(node))
        if isinstance(node, ast.AugAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
            while isinstance(target, ast.Subscript):
                if isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str):
                    break
                target = target.value
            if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
                values.targets[program.span(node)] = program.text_of(program.span(target))
    return values


def _items(value: ast.expr) -> list[ast.expr]:
    match value:
        case ast.ListComp(elt=item) | ast.GeneratorExp(elt=item) | ast.DictComp(value=item):
            return [item]
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Dict(values=items):
            return items
        case _:
            return []
