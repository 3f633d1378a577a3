"""Where an iteration read the entries of an array first, before it changed others of them.

Comes in: a tape, and the updates that are known so far.  Goes out: for a version of an array and an index, the node
that read these entries first.  Invariant: thousands of rows can be written one after the other; the time is
proportional to the reads.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import suppress

from tracer.matching.updates import Update
from tracer.tape.node import Ref
from tracer.tape.tape import Tape


class EarlierReads:
    """Where an iteration read the entries of an array first, before it changed others of them.

    All versions that one iteration makes of an array share what was read of the earlier ones, so that thousands of
    rows can be written one after the other.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._before: dict[int, dict[Hashable, int]] = {}

    def first(self, version: int, index: object, updates: Mapping[int, Update], window: int) -> int | None:
        """The first read at an index in a window before it made a version: ``b[i] -= …`` comes before ``b[j] -= …``."""
        if self._tape.nodes[version].window != window:
            return None  # the window has not changed the array yet
        try:
            return self._earlier(version, updates).get(_hashable(index))
        except TypeError:
            return None

    def _earlier(self, version: int, updates: Mapping[int, Update]) -> dict[Hashable, int]:
        nodes, path = self._tape.nodes, list[Update]()
        found: dict[Hashable, int] = {}
        while (made := updates.get(version)) is not None and made.part is not None:
            if version in self._before:
                found = self._before[version]
                break
            path.append(made)
            if nodes[made.before].window != nodes[version].window:
                break
            version = made.before
        for made in reversed(path):
            window = nodes[made.node].window
            for read in map(nodes.__getitem__, self._tape.users(made.before)):
                if read.op != "getitem" or read.window != window or read.args[0] != Ref(made.before):
                    continue
                with suppress(TypeError):
                    found.setdefault(_hashable(read.args[1]), read.id)
            self._before[made.node] = found
        return found


def _hashable(index: object) -> Hashable:
    """An index to look things up by; a `TypeError` if it holds arrays of constants."""
    if isinstance(index, list | tuple):
        return (type(index), tuple(map(_hashable, index)))
    hash(index)
    return index
