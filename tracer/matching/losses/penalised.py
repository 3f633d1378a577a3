"""The penalty that a loss must have had, where one was inferred and the steps also draw the parameters to 0.

``P[i][k] += rate * (2 * e * Q[k][j] - beta * P[i][k])`` goes down e² + β/2 · (|P_i|² + |Q_j|²): with ½ e² alone it would
be a step with weight decay, and a step of that kind has no gradient of its own to be judged by.  Comes in: a matcher that
has run with an inferred loss.  Goes out: the tape with that loss, times the number with which the steps take its gradient,
and with the penalty that belongs to what they subtract.  It is read off entries that are updated one by one; that it was
inferred is always said.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tracer.gradients.adjoints import is_real
from tracer.matching.candidates import Sort
from tracer.matching.entries import Entry
from tracer.matching.losses.written import INFERRED, Inferred, TapeWriter
from tracer.matching.matcher import Matcher
from tracer.matching.updates import Update
from tracer.tape.node import Kind, Ref
from tracer.tape.tape import Tape

_SUMS = frozenset(("add", "subtract"))
_PRODUCTS = frozenset(("multiply", "divide"))


class _Decayed(Struct, frozen=True):
    """A step along ``rest_sign`` · rest + ``sign`` · rate · entry."""

    update: Update
    rest: int
    rest_sign: int
    rate: int
    sign: int


def with_penalties(matcher: Matcher, inferred: Inferred) -> Inferred | None:
    """The tape with the inferred loss and its penalty; None if the steps do not tell one."""
    nodes = matcher.graph.tape.nodes
    losses: dict[int, int] = {}
    told: set[int] = set()
    for root, error in inferred.losses.items():
        window = matcher.graph.tape.nodes[error].window
        own = [u for u in matcher.updates.values() if u.written is not None and nodes[u.node].window == window]
        decayed = [d for u in own if u.wrt in matcher.adjoints[root][0].full and (d := _decayed(matcher, u)) is not None]
        size = _factor(matcher, root, decayed)
        if size is None or any(d.sign * (1 if size > 0 else -1) < 0 for d in decayed):
            return None
        told.add(abs(size))
        writer = TapeWriter(Tape(nodes), nodes[error])
        writer.nodes[root] = replace(nodes[root], names=[])
        whole = Ref(root) if abs(size) == 1 else writer.add("multiply", writer.number(float(abs(size))), Ref(root))
        for rate, part in _parts(matcher, decayed):
            squared = writer.add("square", Ref(part))
            summed = squared if nodes[part].shape == () else writer.add("sum", squared, axis=None, keepdims=False)
            half = writer.add("multiply", writer.number(0.5), Ref(rate))
            whole = writer.add("add", whole, writer.add("multiply", half, summed))
        writer.nodes[whole.node].names.append(INFERRED)
        losses[whole.node] = error
        nodes = writer.nodes
    if len(told) != 1:
        return None
    tape = matcher.graph.tape
    times = told.pop()
    says = inferred.says if times == 1 else f"{times} times {inferred.says}".removeprefix("2 times half ")
    return Inferred(
        tape.with_nodes(nodes), losses, f"{says}, with a penalty on the parameters"
    )


def _factor(matcher: Matcher, root: int, decayed: list[_Decayed]) -> int | None:
    """The whole number with which steps take the gradient by their entries, the same for all that are known."""
    found: set[int] = set()
    for step in decayed:
        for match in matcher.matches.get(step.rest, ()):
            by = match.candidate
            same = by.sort is Sort.FULL and by.root == root and by.wrt == step.update.wrt
            if same and not match.scale.scale.symbols and match.scale.scale.coefficient.denominator == 1:
                found.add(step.rest_sign * int(match.scale.scale.coefficient))
                break
    return found.pop() if len(found) == 1 else None


def _decayed(matcher: Matcher, update: Update) -> _Decayed | None:
    """The sum that a step takes a multiple of, if one of its terms is a setting times the entry that changes."""
    tape, same = matcher.graph.tape, matcher.graph.representative
    node = update.change
    while tape.nodes[node].op in _PRODUCTS:
        inner = [k for k in tape.operands(node) if tape.nodes[k].op in _SUMS | _PRODUCTS and matcher.replays.moves(k)]
        trained = [k for k in inner if not _is_setting(matcher, k)]
        if len(trained) != 1:
            return None
        node = trained[0]
    operands = tape.operands(node)
    if tape.nodes[node].op not in _SUMS or len(operands) != 2:
        return None
    second = -1 if tape.nodes[node].op == "subtract" else 1
    for term, sign, rest, rest_sign in ((operands[1], second, operands[0], 1), (operands[0], 1, operands[1], second)):
        factors = tape.operands(term)
        if tape.nodes[term].op != "multiply" or len(factors) != 2:
            continue
        for rate, entry in (factors, factors[::-1]):
            if same(entry) == same(update.wrt) and _is_setting(matcher, rate):
                return _Decayed(update, rest, rest_sign, rate, sign)
    return None


def _is_setting(matcher: Matcher, node: int) -> bool:
    """Whether a positive number rests on nothing that is trained, and on no data."""
    recorded = matcher.graph.tape.nodes[node]
    behind = [matcher.graph.tape.nodes[k] for k in matcher.all_ancestors(node)]
    plain = all(n.shape == () and n.id not in matcher.versions and n.kind is not Kind.RANDOM for n in behind)
    return plain and is_real(recorded) and float(recorded.value) > 0 and node not in matcher.variables.data_numbers


def _parts(matcher: Matcher, decayed: Iterable[_Decayed]) -> list[tuple[int, int]]:
    """The rates of penalties with what each is on: the row that the loss reads if all of its entries are, else entries."""
    same = matcher.graph.representative
    by_array: dict[tuple[int, int], dict[Entry, int]] = {}
    rates: dict[object, int] = {}
    for step in decayed:
        entry = matcher.entries[step.update.wrt]
        rate = rates.setdefault(_value(matcher, step.rate), step.rate)
        by_array.setdefault((entry.whole, rate), {})[entry] = step.update.wrt
    found: list[tuple[int, int]] = []
    for (whole, rate), entries in by_array.items():
        rows = (r for r in matcher.reading.larger(whole, [e.place for e in entries]) if same(r) in matcher.forward)
        row = next(rows, None)
        found += [(rate, row)] if row is not None else [(rate, part) for part in entries.values()]
    return found


def _value(matcher: Matcher, node: int) -> object:
    """What tells two rates apart: where they are computed, or the number that is written."""
    recorded = matcher.graph.tape.nodes[node]
    literal = recorded.kind is Kind.LITERAL
    return float(np.asarray(recorded.value)) if literal else f"v{matcher.graph.representative(node)}"
