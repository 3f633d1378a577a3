"""Edits of what an operation reads: another version of a variable, or another variable.

Comes in: the backward nodes behind a wrong gradient.  Goes out: edits in which every reader of a value within one
statement, or within one call that it makes, reads another value of the same shape instead.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import BeforeTheFirst, OneOperand, Operand
from tracer.diagnosis.target import is_gradient
from tracer.diagnosis.trials import Change, Edit, Overlay, Trials
from tracer.gradients.adjoints import is_real
from tracer.matching.gradient_names import numbered
from tracer.matching.updates import fits_into
from tracer.tape.functions import resolve
from tracer.tape.node import Kind as NodeKind
from tracer.tape.node import Node, Span
from tracer.tape.tape import evaluate

#: By how many changes in place a value is taken back at most.
_MOST_CHANGES = 3
#: What repeats a row or a column of one side.
_BROADCAST = ("multiply", "divide", "add", "subtract")


def other_operands(trials: Trials) -> Iterator[Edit]:
    """Every value that a statement reads, replaced by each other one of its shape."""
    for (span, scope), readers in _readers(trials).items():
        pairs: dict[Any, dict[int, int]] = defaultdict(dict)
        for reader, operand in readers:
            pairs[_variable(trials, operand)][reader] = operand
        for operands in pairs.values():
            yield from _replaced(trials, span, scope, operands)


def met_by_itself(trials: Trials) -> Iterator[Edit]:
    """A value that is combined with itself, ``p - p``, with each other variable on one side."""
    for first, nodes in trials.places:
        both = {n: trials.operands(n) for n in nodes}
        itself = all(len(sides) == 2 and sides[0] == sides[1] for sides in both.values())
        if first.site is None or first.op not in _BROADCAST or not itself:
            continue
        for side, bindings in itertools.product((1, 0), trials.variables[first.scope].values()):
            held = {n: b for n in nodes if (b := trials.bound_before(bindings, n)) is not None}
            if len(held) == len(nodes) and all(is_real(trials.node(b)) and b not in both[n] for n, b in held.items()):
                rewrite = OneOperand(first.site.span, side, held[nodes[0]])
                yield Edit(Kind.WRONG_OPERAND, 2.0, nodes, _on_one_side(trials, side, held), rewrite)


def _on_one_side(trials: Trials, side: int, held: Mapping[int, int]) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        sides = [now[k] for k in trials.operands(node)]
        sides[side] = now[held[node]]
        return resolve(trials.node(node).op)(*sides)

    return change


def _readers(trials: Trials) -> dict[tuple[Span, str], list[tuple[int, int]]]:
    """For each place in the source: the nodes that were computed there, or in a call from there, with their operands.

    A place comes with the function that it stands in.
    """
    tape = trials.analysis.tape
    arguments: dict[str, set[int]] = defaultdict(set)
    for function, variables in trials.variables.items():
        arguments[function] = {n for bound in variables.values() for _, n in bound} if function else set()
    found: dict[tuple[Span, str], list[tuple[int, int]]] = defaultdict(list)
    for node in trials.tried:
        recorded = tape.nodes[node]
        if recorded.site is None:
            continue
        functions = ["", *(call.function.rpartition(".")[2] for call in recorded.calls)]
        sites = [*(call.site for call in recorded.calls), recorded.site]
        for operand in dict.fromkeys(tape.operands(node)):
            if tape.nodes[operand].kind is NodeKind.LITERAL or tape.nodes[operand].shape is None:
                continue
            for site, scope, callee in zip(sites, functions, [*functions[1:], ""], strict=True):
                handed = site is recorded.site or _is_said(tape.nodes[operand], site.text)
                if handed or operand in arguments[callee]:
                    found[site.span, scope].append((node, operand))
    return found


def _is_said(operand: Node, text: str) -> bool:
    """Whether the text of a call hands over a value: by its name, or as an expression."""
    names = [re.escape(n.partition("[")[0]) for n in operand.names]
    if operand.site is not None and operand.site.text in text:
        return True
    return any(re.search(rf"(?<![\w.]){name}(?!\w)", text) for name in names)


def _variable(trials: Trials, operand: int) -> Any:
    """What tells the variables that a place reads apart; ``hs[0]``, ``hs[1]``… are one."""
    names = trials.node(operand).names
    if not names:
        site = trials.node(operand).site
        return site.span if site is not None else operand
    stored = numbered(names[:1])
    return stored[0] if stored is not None else names[0]


def _replaced(trials: Trials, span: Span, scope: str, operands: Mapping[int, int]) -> Iterator[Edit]:
    nodes = tuple(sorted(operands))
    first = operands[nodes[0]]
    tried: set[tuple[int, ...]] = {tuple(operands[n] for n in nodes)}
    for replacements, previous in _candidates(trials, scope, operands):
        key = tuple(replacements[n] for n in nodes)
        if key in tried:
            continue
        tried.add(key)
        changed = tuple(n for n in nodes if replacements[n] != operands[n])
        old, new = operands[changed[0]], replacements[changed[0]]
        # A call hands over what is read within it; a place of which some runs are right is hardly the one.
        further = (0.0 if _is_own(trials, nodes[0], span) else 0.15) + 0.3 * (len(changed) < len(nodes))
        change = _reading(trials, operands, replacements)
        level = _level(trials, old, new) + further
        if _goes_round(operands, changed):
            yield Edit(Kind.WRONG_OPERAND, level, changed, change, BeforeTheFirst(span, old, new))
        else:
            yield Edit(_kind(trials, old, new), level, changed, change, Operand(span, old, new, previous=previous))
    if len(trials.node(first).shape or ()) == 2 and all(is_real(trials.node(n)) for n in nodes):
        yield Edit(
            Kind.TRANSPOSE,
            1.2,
            nodes,
            _reading(trials, operands, operands, transposed=True),
            text=Operand(span, first, first, transposed=True),
        )


def _goes_round(operands: Mapping[int, int], changed: tuple[int, ...]) -> bool:
    """Whether the runs of a place that are to be changed read the end of a series of which the others read what is before.

    ``hs[t - 1]`` is the last item at ``t = 0``.  Such runs are the first ones or the last ones of the loop.
    """
    readers = sorted(operands)
    others = [operands[r] for r in readers if r not in changed]
    together = {tuple(readers[: len(changed)]), tuple(readers[-len(changed) :])}
    return len(set(others)) > 1 and changed in together and min(operands[r] for r in changed) > max(others)


def _is_own(trials: Trials, reader: int, span: Span) -> bool:
    site = trials.node(reader).site
    return site is not None and site.span == span


def _reading(
    trials: Trials, operands: Mapping[int, int], replacements: Mapping[int, int], transposed: bool = False
) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        value = now[replacements[node]]
        overlay = Overlay(now, {operands[node]: np.swapaxes(value, -1, -2) if transposed else value})
        return evaluate(trials.node(node), overlay)

    return change


def _candidates(
    trials: Trials, scope: str, operands: Mapping[int, int]
) -> Iterator[tuple[dict[int, int], int]]:
    """What might be read instead: one node for each reader, and by how many steps it stands earlier in its series."""
    readers = sorted(operands)
    distinct = list(dict.fromkeys(operands[r] for r in readers))
    for bindings in trials.variables[scope].values():
        held = {r: n for r in operands if (n := trials.bound_before(bindings, r)) is not None}
        if len(held) == len(operands) and _may_stand(trials, operands, held):
            yield held, 0
    yield from _before_changes(trials, operands)
    if len(distinct) == 1:
        yield from (
            (dict.fromkeys(operands, other), 0) for other in _single_values(trials, distinct[0], readers[0])
        )
    else:
        yield from _in_series(trials, operands, distinct)
    for ordered in _in_turn(trials):
        for places in (distinct, readers) if len(distinct) < len(readers) else (distinct,):
            if len(places) < 2 or len(ordered) < len(places):
                continue
            for start in {0, len(ordered) - len(places)}:
                aligned = dict(zip(places, ordered[start : start + len(places)], strict=True))
                chosen = {r: aligned[r if places is readers else o] for r, o in operands.items()}
                if _may_stand(trials, operands, chosen) and all(n < r for r, n in chosen.items()):
                    yield chosen, 0
    first = {o: min(r for r in readers if operands[r] == o) for o in distinct}
    for group in (*trials.repeated, *trials.read_in_turn):
        for handed in _of_each_sample(sorted(first.values()), group):
            chosen = {r: handed[first[o]] for r, o in operands.items()}
            if _may_stand(trials, operands, chosen):
                yield chosen, 0


def _before_changes(trials: Trials, operands: Mapping[int, int]) -> Iterator[tuple[dict[int, int], int]]:
    """What was changed in place before it is read, as it was: by one change, or by several after each other."""
    former = dict(operands)
    for _ in range(_MOST_CHANGES):
        if any(trials.node(n).kind is not NodeKind.MUTATION or n in trials.analysis.updates for n in former.values()):
            return
        former = {r: trials.operands(n)[0] for r, n in former.items()}
        if _may_stand(trials, operands, former):
            yield former, 0


def _of_each_sample(readers: list[int], group: tuple[int, ...]) -> Iterator[dict[int, int]]:
    """What a loop over samples computed for each, handed to what it reads for the same sample, in either order.

    The forward values of a sample stand right before its readers: what comes between other readers is of others.
    """
    blocks: list[tuple[list[int], list[int]]] = []
    for node in sorted({*readers, *group}):
        if node in group and (not blocks or blocks[-1][1]):
            blocks.append(([], []))
        if blocks:
            blocks[-1][0 if node in group else 1].append(node)
    made, read = {len(b[0]) for b in blocks}, {len(b[1]) for b in blocks}
    if len(blocks) < 2 or len(made) != 1 or len(read) != 1 or sum(read) * len(blocks) != len(readers):
        return
    [size], [count] = made, read
    for start in range(size - count + 1):
        for step in (1, -1):
            yield {r: n for of, by in blocks for r, n in zip(by, of[::step][start : start + count], strict=True)}


def _in_turn(trials: Trials) -> Iterator[tuple[int, ...]]:
    """What repeated places of the forward pass compute or read, in both orders."""
    for group in (*trials.repeated, *trials.read_in_turn):
        yield group
        yield group[::-1]


def _single_values(trials: Trials, operand: int, reader: int) -> Iterator[int]:
    """Values that one operand may be replaced by: of its shape, of its reader's shape, or numbers."""
    yield from (n for n in trials.values_like(operand, reader) if n != operand)
    shape = trials.node(operand).shape or ()
    if trials.node(reader).shape and shape != trials.node(reader).shape:
        # A number, or a smaller array, where one of full size belongs.
        yield from (n for n in trials.values_like(reader, reader) if trials.node(n).names)
    if len(shape) < 2:
        yield from trials.scalars_before(reader)
    wider = trials.wider_shape(reader)
    if wider is not None:  # broadcast by accident further on
        yield from (n for n in trials.values_of_shape(wider, reader) if trials.node(n).names)


def _in_series(
    trials: Trials, operands: Mapping[int, int], distinct: list[int]
) -> Iterator[tuple[dict[int, int], int]]:
    """Members of numbered series: of another one at the same numbers, or one step earlier or later."""
    places = {o: m for o in distinct if (m := numbered(trials.node(o).names)) is not None}
    if len(places) < len(distinct):
        return
    own = places[distinct[0]][0]
    for base, members in trials.series.items():
        for step in (0, -1, 1):
            if base == own and step == 0:
                continue
            chosen = {
                r: n for r, o in operands.items() if (n := members.get(places[o][1] + step)) is not None
            }
            whole = len(chosen) == len(operands) and all(n < r for r, n in chosen.items())
            if whole and _may_stand(trials, operands, chosen):
                yield chosen, -step if base == own else 0


def _may_stand(trials: Trials, operands: Mapping[int, int], others: Mapping[int, int]) -> bool:
    """Whether the others have the shapes of what they replace, or what they replace is smaller than its reader.

    A row or a column may stand for what is multiplied or added entry by entry, and an array of a parameter's shape for
    a number.
    """
    wanted = {trials.node(t.wrt).shape for t in trials.targets}
    for reader, operand in operands.items():
        shape, other = trials.node(operand).shape, trials.node(others[reader])
        if other.shape == shape or shape != trials.node(reader).shape:
            continue
        narrow = bool(other.shape) and is_real(other) and fits_into(other.shape, shape or ())
        if not (narrow or (shape == () and other.shape in wanted)) or trials.node(reader).op not in _BROADCAST:
            return False
    return True


def _kind(trials: Trials, old: int, new: int) -> Kind:
    one, other = trials.node(old), trials.node(new)
    if trials.is_fresh_random(old):
        return Kind.FRESH_RANDOM_NUMBERS
    of_one_loop = one.site == other.site and one.calls == other.calls and old not in trials.analysis.updates
    if _is_version_of(trials, old, new) and new < old and not of_one_loop:
        return Kind.STALE_OPERAND
    return Kind.WRONG_OPERAND


def _is_version_of(trials: Trials, one: int, other: int) -> bool:
    """Whether two values were the same variable from the start; what is read from elsewhere gets its name later."""
    return not set(trials.own_names(one)).isdisjoint(trials.own_names(other))


def _level(trials: Trials, old: int, new: int) -> float:
    """A version of the same variable is nearer than a value of the same sort, and that nearer than any."""
    other = trials.node(new)
    if _is_version_of(trials, old, new):
        return 0.5 if old in trials.analysis.updates else 1.6
    if trials.is_fresh_random(old):
        return 0.8
    same_sort = is_gradient(trials.analysis.matcher.best(old)) == is_gradient(
        trials.analysis.matcher.best(new)
    )
    return (2.0 if same_sort else 2.5) + (0.0 if other.names else 0.4)
