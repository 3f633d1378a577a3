"""What a single entry of an array is changed by: ``W[i][j] -= …``, ``W[i, j] = w - …``, also with weight decay.

Comes in: a tape and its arrays that are written entry by entry.  Goes out: for a write the number that is added to what the
entry was, and the sign.
"""

from __future__ import annotations

from msgspec import Struct

from tracer.matching.entries import Entry, Versions
from tracer.matching.updates import sides
from tracer.tape.node import Kind
from tracer.tape.tape import Tape


class EntryStep(Struct, frozen=True):
    """``written`` = ``part`` + sign · ``change``.

    Attributes:
        part: the node that reads the entry first.
        decays: whether it is this for a multiple of the entry.
        beside: what is added to it, too, and was left behind by an earlier iteration: a momentum; None if nothing is.
    """

    written: int
    part: int
    change: int
    sign: int
    decays: bool = False
    beside: int | None = None


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
        if decayed is not None and versions.is_read_with_others(entry):  # else it is the state of an optimiser
            part, change, sign = decayed
            return EntryStep(written, part, change, sign, True)
        beside = _with_state(tape, versions, entry, (kept, rest, sign))
        if beside is not None:
            part, change, sign, state = beside
            return EntryStep(written, part, change, sign, beside=state)
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


def _with_state(
    tape: Tape, versions: Versions, entry: Entry, side: tuple[int, int, int]
) -> tuple[int, int, int, int] | None:
    """``w + rate * change + momentum * before[i][j]``: what an earlier iteration left is added beside the step."""
    kept, rest, sign = side
    if tape.nodes[kept].names:
        return None
    for inner, other, own in _sides(tape, kept):
        part = _read(versions, inner, entry)
        left = [_is_left_behind(tape, versions, term) for term in (rest, other)]
        if part is not None and left[0] != left[1]:
            return (part, other, own, rest) if left[0] else (part, rest, sign, other)
    return None


def _is_left_behind(tape: Tape, versions: Versions, node: int) -> bool:
    """Whether a number is a product of settings and an entry that an earlier iteration made."""
    entries = False
    todo = [node]
    for current in todo:
        recorded = tape.nodes[current]
        if versions.is_from_before(current):
            entries = True
        elif recorded.op in ("multiply", "negative"):
            todo += tape.operands(current)
        elif recorded.kind not in (Kind.LEAF, Kind.LITERAL):
            return False
    return entries


def _sides(tape: Tape, node: int) -> list[tuple[int, int, int]]:
    """What a sum or difference keeps, what it adds, and with which sign; a number that is only read is no change."""
    found = (side for side in sides(tape.nodes[node]) if tape.nodes[side.change].kind not in (Kind.LEAF, Kind.LITERAL))
    return [(side.kept, side.change, side.sign) for side in found]


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
