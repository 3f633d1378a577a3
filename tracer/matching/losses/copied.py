"""The operations of a loss once more, with other values in the place of some.

Comes in: a tape, the nodes of a loss, and what stands in the place of which.  Goes out: the copies.  Invariant: what
the step itself computes in the same way is its own node, and is not computed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tracer.matching.losses.names import loss_name
from tracer.matching.losses.written import How, Inferred
from tracer.matching.updates import Update
from tracer.tape.functions import Slice
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import GIVEN, Tape, evaluate


def copied(
    tape: Tape,
    inside: list[int],
    instead: Mapping[int, int],
    inputs: Mapping[tuple[int, int], int],
    root: int,
    step: Update,
) -> list[Node] | None:
    """The operations that rest on what is replaced, once more; None if they cannot be carried out.

    What the step computes itself, in the same way, is not computed again.
    """
    window = tape.nodes[step.node].window
    new = {old: put for old, put in instead.items() if old != put}
    values: dict[int, Any] = {n: tape.nodes[n].value for n in (*inside, *instead.values(), *inputs.values())}
    present: dict[Any, int] = {}
    first: dict[int, int] = {}
    for done in tape.nodes[: step.node]:
        if done.window == window and done.kind not in GIVEN:
            first[done.id] = present.setdefault(_key(tape, done, first), done.id)
    copies: list[Node] = []
    for node in inside:
        recorded = tape.nodes[node]
        own = new | {operand: put for (reader, operand), put in inputs.items() if reader == node}
        if node in instead or recorded.kind in GIVEN or own.keys().isdisjoint(tape.operands(node)):
            continue
        made = Node(
            len(tape.nodes) + len(copies), recorded.kind, recorded.op, renamed(recorded.args, own),
            renamed(recorded.kwargs, own), None, None, recorded.dtype, recorded.site, (), [], window,
        )  # fmt: skip
        key = _key(tape, made, first)
        if key in present:
            new[node] = present[key]
            values[new[node]] = tape.nodes[new[node]].value
            continue
        try:
            with np.errstate(all="ignore"):
                made.value = evaluate(made, values)
        except Exception:  # whatever NumPy says of shapes that do not fit
            return None
        made.shape = np.shape(made.value)
        values[made.id] = made.value
        new[node] = made.id
        copies.append(made)
    return copies if copies and new.get(root) == copies[-1].id and copies[-1].shape == () else None


def told_by_copies(tape: Tape, root: int, copies: list[Node], where: int, how: How) -> Inferred:
    """The tape with a loss of the program once more at its end, under its own name.

    Arguments:
        where: the node that it belongs behind in the order of the program.
    """
    name = loss_name(tape, tape.nodes[root]) or "the loss"
    copies[-1].names[:] = [name]
    nodes = [*tape.nodes, *copies]
    return Inferred(tape.with_nodes(nodes), {len(nodes) - 1: where}, name, how)


def _key(tape: Tape, node: Node, first: Mapping[int, int]) -> tuple[str, str, str]:
    """What two nodes that compute the same have in common; a number that is written twice is one number.

    Arguments:
        first: for each node that computes something the first one that computes the same.
    """

    def read(argument: Any) -> Any:
        if isinstance(argument, Ref) and argument.node < len(tape.nodes):
            operand = tape.nodes[argument.node]
            return (
                ("literal", repr(operand.value))
                if operand.kind is Kind.LITERAL
                else Ref(first.get(operand.id, operand.id))
            )
        if isinstance(argument, (tuple, list)):
            return [read(item) for item in argument]
        if isinstance(argument, Slice):
            return ["slice", read(argument.start), read(argument.stop), read(argument.step)]
        return argument

    return node.op, repr(read(node.args)), repr({k: read(v) for k, v in node.kwargs.items()})


def renamed(argument: Any, new: Mapping[int, int]) -> Any:
    """The argument with references to other nodes."""
    if isinstance(argument, Ref):
        return Ref(new.get(argument.node, argument.node))
    if isinstance(argument, (tuple, list)):
        return type(argument)(renamed(item, new) for item in argument)
    if isinstance(argument, dict):
        return {key: renamed(item, new) for key, item in argument.items()}
    if isinstance(argument, Slice):
        return Slice(*(renamed(part, new) for part in (argument.start, argument.stop, argument.step)))
    return argument
