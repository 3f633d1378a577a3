"""What a diagnosis says: the kind of the fault, where it is, and what each value was meant to be."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from tracer.diagnosis.rewrites import Rewrite
from tracer.matching.candidates import Match
from tracer.tape.node import Span


class Kind(StrEnum):
    """The kinds of faults that a reader may be told of."""

    STALE_OPERAND = "stale operand"
    WRONG_OPERAND = "wrong operand"
    TRANSPOSE = "transpose"
    SIGN = "sign"
    FACTOR = "factor"
    MISSING_MASK = "missing mask"
    MISSING_DERIVATIVE = "missing derivative"
    EXTRA_DERIVATIVE = "extra derivative"
    MISSING_TERM = "missing term"
    AXIS = "axis"
    ACCUMULATION = "accumulation"
    FRESH_RANDOM_NUMBERS = "fresh random numbers"
    SOFTMAX_JACOBIAN = "softmax jacobian"
    CONSTANT_STATISTICS = "constant statistics"
    UNKNOWN = "unknown"


class Finding(Struct, frozen=True):
    """One fault with everything that it spoils.

    Attributes:
        cause: the node that brought the fault in: for a stale operand, the update that came too early.
        spoiled: the gradients that are wrong because of it: nodes that feed an update, or are named a gradient.
        readers: the nodes whose value an edit changes; for a stale operand, those that read the wrong version.
        meant: what each spoiled node is once the fault is mended; the numbers were computed, on every replay.
        rewrite: what the smallest edit does to the source; None for a stale operand, whose lines change places.
        place: where a reader looks for the fault: where the edit is, or the call that runs that code wrongly.
        grown: the shape of a parameter before and after a step that NumPy broadcasts.
    """

    kind: Kind
    cause: int
    spoiled: tuple[int, ...]
    readers: tuple[int, ...]
    meant: Mapping[int, Match]
    rewrite: Rewrite | None = None
    place: Span | None = None
    grown: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def first_spoiled(self, operands: Mapping[int, tuple[int, ...]]) -> tuple[int, ...]:
        """The spoiled nodes all of whose own operands are right: where the fault enters."""
        return tuple(n for n in self.meant if not any(o in self.meant for o in operands.get(n, ())))
