"""What a single entry of an array is changed by: ``W[i][j] -= …``, ``W[i, j] = w - …``, also with weight decay.

Comes in: a tape and its arrays that are written entry by entry.  Goes out: for a write the number that is added to what the
entry was, and the sign.
"""

from __future__ import annotations

from msgspec import Struct

from tracer.matching.entries import Entry, Versions
from tracer.tape.node import Kind, Ref
from tracer.tape.tape import Tape

_SUMS = frozenset(("add", "subtract"))


class EntryStep(Struct, frozen=True):
    """``written`` = ``part`` + sign · ``change``.

    Attributes:
        part: the node that reads the entry first.
        decays: whether it is this for a multiple of the entry.
    """

    written: int
    part: int
    change: int
    sign: int
    decays: bool = False


def entry_step(tape: Tape, node: int, versions: Versions) -> EntryStep | None:
    """What a write changes an entry by; None if it is no write of an entry, or not of one made from what was there."""
    entry = versions.written(node)
    if entry is None:
        return None
    written = tape.operands(node)[-1]
    for kept, rest, sign in _sides(tape, written):
        part = _read(versions, kept, entry)
        if part is not None and _multiple_of(tape, versions, rest, entry) is None:
            return EntryStep(written, part, rest, sign)
        decayed = _decayed(tape, versions, entry, (kept, rest, sign))
        if decayed is not None:
            part, change, sign = decayed
            return EntryStep(written, part, change, sign, True)
    return None


def _decayed(
    tape: Tape, versions: Versions, entry: Entry, side: tuple[int, int, int]
) -> tuple[int, int, int] | None:
    """``(1 - c) * w - step``, ``w - step - c * w`` and ``w - c * w - step``: the entry, the step, and its sign."""
    kept, rest, sign = side
    part = _multiple_of(tape, versions, kept, entry)
    if part is not None and _multiple_of(tape, versions, rest, entry) is None:
        return part, rest, sign
    if tape.nodes[kept].names:
        return None
    for inner, other, own in _sides(tape, kept):
        part = _read(versions, inner, entry)
        if part is None:
            continue
        decays = [_multiple_of(tape, versions, term, entry) is not None for term in (rest, other)]
        if decays == [True, False]:
            return part, other, own
        if decays == [False, True]:
            return part, rest, sign
    return None


def _sides(tape: Tape, node: int) -> list[tuple[int, int, int]]:
    """What a sum or difference keeps, what it adds, and with which sign."""
    made = tape.nodes[node]
    operands = [a.node for a in made.args if isinstance(a, Ref)]
    if made.op not in _SUMS or len(operands) != 2:
        return []
    first, second = operands
    found = [(first, second, 1 if made.op == "add" else -1)]
    found += [(second, first, 1)] if made.op == "add" else []
    return [side for side in found if tape.nodes[side[1]].kind not in (Kind.LEAF, Kind.LITERAL)]


def _read(versions: Versions, node: int, entry: Entry) -> int | None:
    """The first reader of an entry, if a node reads it."""
    read = versions.read(node)
    return versions.readers(node)[0] if read is not None and versions.is_same(read, entry) else None


def _multiple_of(tape: Tape, versions: Versions, node: int, entry: Entry) -> int | None:
    """The first reader of an entry that a number is a product with, and nothing is added to; None if it is none."""
    todo = [node]
    for current in todo:
        operands = tape.operands(current) if tape.nodes[current].op in ("multiply", "negative") else ()
        for operand in operands:
            part = _read(versions, operand, entry)
            if part is not None:
                return part
        todo += operands
    return None
