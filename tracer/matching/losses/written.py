"""A loss that the program does not compute, written behind its end.

Comes in: the nodes of a tape.  Goes out: the same nodes with operations added at their end, and what is said of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tracer.gradients.adjoints import is_real
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape, evaluate, references

INFERRED = "inferred loss"


#: How a loss was found out.
How = Literal["fits", "moved", "restored", "added", "layer", "begun", "meant"]

#: Why a step does not go down what the program computes: it adds up absolute errors, is the same kind of loss of other
#: samples, compares every output with every target, or tells how far a sample is from the data.
Aside = Literal["absolute", "other samples", "broadcast", "samples"]


class Inferred(Struct, frozen=True):
    """A tape with an inferred loss.

    Attributes:
        tape: the tape with the loss's operations at its end.
        losses: node of each loss → the node of the error that it was inferred from.
        says: the loss in words; for one of the program's own, its name.
        how: whether the backward pass fits it, it is one of the program's own moved to other values, or computed from an
            array as it was before the backward pass changed it, several of
            them added up, what stands for the loss behind a layer that is called by hand, or behind a backward pass
            that starts from the gradient of nothing that is known; or whether the backward pass does not fit it, but can
            mean no other one.
        reported: a measure that the program computes, by its name, where the step goes down another one.
        aside: why the step does not go down that one.
        reach: losses that only some values can be gradients of → those values.
        starts: the values that backward passes start from, if they are the gradient of no known loss.
        behind: what these were computed from.
        minimised: whether it is one that nobody goes up, though it may be negative at some values.
        unnamed: those of the losses that are scalars of the program which it does not call a loss.
        parts: what was found for each of several trainings.
    """

    tape: Tape
    losses: dict[int, int]
    says: str
    how: How = "fits"
    reported: str = ""
    aside: Aside | None = None
    reach: Mapping[int, frozenset[int]] = {}
    starts: frozenset[int] = frozenset()
    behind: frozenset[int] = frozenset()
    minimised: bool = False
    unnamed: frozenset[int] = frozenset()
    parts: tuple[Inferred, ...] = ()

    @property
    def is_unwritten(self) -> bool:
        """Whether the program computes no such loss, so that a factor of its own is not known."""
        return self.how in ("fits", "layer", "begun", "meant")

    @property
    def unwritten(self) -> frozenset[int]:
        """The losses that the program computes nowhere, of all trainings."""
        return frozenset(k for part in self.parts or (self,) if part.is_unwritten for k in part.losses)


def held(nodes: list[Node], equal: Sequence[int], kind: Kind) -> None:
    """Make what several nodes compute alike a constant of real numbers; those after the first become copies of it.

    Arguments:
        kind: as what replays draw it: data keep their pattern, also zeros; random numbers do not.
    """
    first, *_ = equal
    for node in equal:
        made = nodes[node] if is_real(nodes[node]) else _with_real_value(nodes[node])
        if node == first:
            nodes[node] = replace(made, kind=kind, op="", args=(), kwargs={}, read_from=None)
        else:
            nodes[node] = replace(made, kind=Kind.OPERATION, op="copy", args=(Ref(first),), kwargs={}, read_from=None)


def _with_real_value(node: Node) -> Node:
    return replace(node, dtype="float64", value=np.asarray(node.value, dtype=float)[()])


class TapeWriter:
    """Appends operations to a copy of a tape."""

    def __init__(self, tape: Tape, like: Node) -> None:
        self.nodes = list(tape.nodes)
        self.like = like
        self.values = [n.value for n in tape.nodes]

    def add(self, op: str, *args: Any, kind: Kind = Kind.OPERATION, **kwargs: Any) -> Ref:
        node = Node(len(self.nodes), kind, op, args, kwargs, None, (), "float64", self.like.site)
        node.window = self.like.window
        with np.errstate(all="ignore"):
            node.value = evaluate(node, self.values) if kind is Kind.OPERATION else args[0]
        if kind is Kind.LITERAL:
            node.args, node.dtype = (), "float"
        node.shape = np.shape(node.value)
        self.nodes.append(node)
        self.values.append(node.value)
        return Ref(node.id)

    def operands(self, node: int) -> list[int]:
        """The nodes that an added one is computed from."""
        return list(references((self.nodes[node].args, self.nodes[node].kwargs)))

    def number(self, value: float) -> Ref:
        return self.add("", value, kind=Kind.LITERAL)
