"""A function for a slope that is called with the wrong one of an activation's input and its output.

Written for the input, ``1 - np.tanh(x) ** 2``, and called with the output, it applies the activation twice; written for
the output, ``1 - x ** 2``, and called with the input, it applies it never.  Comes in: the backward nodes behind a wrong
gradient.  Goes out: edits of the line in which the slope is written, for every call of it at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import WithCall, WithoutCall
from tracer.diagnosis.trials import Edit, Overlay, Trials
from tracer.gradients.adjoints import ELEMENTWISE, is_real
from tracer.tape.node import Kind as NodeKind
from tracer.tape.node import Node, Site
from tracer.tape.tape import evaluate

#: Of how many operations a function that is applied twice is made at most.
_MOST_STEPS = 10


def applied_again(trials: Trials) -> Iterator[Edit]:
    """Every line that applies an activation to its output, taking the output instead."""
    found: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    sites: dict[tuple[str, int], Site] = {}
    for node in trials.tried:
        recorded = trials.node(node)
        if not recorded.shape or not is_real(recorded) or recorded.kind is not NodeKind.OPERATION:
            continue
        for output in _outputs_behind(trials, node):
            site = _written_at(recorded, trials.node(output))
            if site is not None and _is_same_function(trials, node, output):
                place = site.text, site.span.line
                sites.setdefault(place, site)
                found[place][node] = output
                break
    for place, outputs in found.items():

        def change(node: int, now: Mapping[int, Any], _: int, outputs: Mapping[int, int] = outputs) -> Any:
            return now[outputs[node]]

        nodes = tuple(sorted(outputs))
        first = trials.node(nodes[0])
        alike = (n for n in trials.tried if trials.node(n).site == first.site and trials.node(n).op == first.op)
        level = 2.4 if any(n not in outputs for n in alike) else 1.0  # where other calls are right, this one is wrong
        yield Edit(Kind.MISSING_DERIVATIVE, level, nodes, change, WithoutCall(sites[place].span, outputs[nodes[0]]))


def never_applied(trials: Trials) -> Iterator[Edit]:
    """Every line that makes a slope of the inputs of an activation, making it of the outputs instead."""
    found: dict[tuple[str, int, str], dict[int, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    sites: dict[tuple[str, int, str], Site] = {}
    for node in trials.tried:
        recorded = trials.node(node)
        if recorded.site is None or not recorded.shape or recorded.op not in ELEMENTWISE:
            continue
        for operand in dict.fromkeys(trials.operands(node)):
            for output in _made_entry_by_entry(trials, operand):
                function = _written_at(trials.node(output), None)
                if function is not None:
                    place = recorded.scope, recorded.site.span.line, function.text.partition("(")[0]
                    sites.setdefault(place, recorded.site)
                    found[place][node][operand] = output
    for place, readers in found.items():

        def change(
            node: int, now: Mapping[int, Any], _: int, readers: Mapping[int, Mapping[int, int]] = readers
        ) -> Any:
            return evaluate(trials.node(node), Overlay(now, {z: now[a] for z, a in readers[node].items()}))

        nodes = tuple(sorted(readers))
        old, new = next(iter(readers[nodes[0]].items()))
        yield Edit(Kind.MISSING_DERIVATIVE, 1.7, nodes, change, WithCall(sites[place].span, old, new))


def _made_entry_by_entry(trials: Trials, operand: int) -> Iterator[int]:
    """What the forward pass makes of one of its values, entry by entry, up to what it makes otherwise.

    What is only shifted and scaled, as ``1 - z``, is no activation.
    """
    forward, tape = trials.analysis.matcher.forward, trials.analysis.tape
    if operand not in forward or operand not in trials.analysis.matcher.live:
        return
    todo, seen, straight = [operand], {operand}, {operand}
    while todo and len(seen) <= _MOST_STEPS:
        for user in tape.users(todo.pop()):
            made = tape.nodes[user]
            others = [k for k in tape.operands(user) if k not in seen and tape.nodes[k].kind is not NodeKind.LITERAL]
            if user in forward and made.op in ELEMENTWISE and not others and made.shape == tape.nodes[operand].shape:
                seen.add(user)
                todo.append(user)
                if _is_straight(made.op, tape.operands(user), straight):
                    straight.add(user)
                else:
                    yield user


def _is_straight(op: str, operands: Sequence[int], straight: Collection[int]) -> bool:
    """Whether an operation of numbers and of one shifted and scaled value only shifts and scales it further."""
    of = [k for k in operands if k in straight]
    return op in ("add", "subtract", "multiply", "negative") and len(of) == 1 or op == "divide" and of == [*operands[:1]]


def _outputs_behind(trials: Trials, node: int) -> Iterator[int]:
    """The forward values that a backward value was computed from, in a few steps that keep the shape."""
    forward, shape = trials.analysis.matcher.forward, trials.node(node).shape
    todo, seen = [(k, 1) for k in trials.operands(node)], set[int]()
    while todo:
        behind, steps = todo.pop()
        if behind in seen or trials.node(behind).shape != shape:
            continue
        seen.add(behind)
        if behind in forward:
            if behind in trials.analysis.matcher.live and trials.node(behind).kind is not NodeKind.LEAF:
                yield behind
        elif steps < _MOST_STEPS:
            todo += [(k, steps + 1) for k in trials.operands(behind)]


def _is_same_function(trials: Trials, node: int, output: int) -> bool:
    """Whether a value is made of a forward value just as that was made of another one."""
    inputs: set[int] = set()
    return _are_alike(trials, node, output, output, inputs) and len(inputs) == 1


def _are_alike(trials: Trials, one: int, other: int, output: int, inputs: set[int], steps: int = 0) -> bool:
    if one == output:
        inputs.add(other)
        return other != output
    first, second = trials.node(one), trials.node(other)
    if first.kind is NodeKind.LITERAL or second.kind is NodeKind.LITERAL:
        return first.kind is second.kind and bool(first.value == second.value)
    below = trials.operands(one), trials.operands(other)
    same = first.op == second.op and len(below[0]) == len(below[1]) > 0 and steps < _MOST_STEPS
    return same and all(_are_alike(trials, a, b, output, inputs, steps + 1) for a, b in zip(*below, strict=True))


def _written_at(value: Node, output: Node | None) -> Site | None:
    """Where an activation is applied: the call, if it is one of a function of the program's own.

    Arguments:
        output: another output of the same activation, if there is one: then its function is known.
    """
    if value.calls and (output is None or (output.calls and value.calls[-1].function == output.calls[-1].function)):
        return value.calls[-1].site
    return value.site
