"""The gradients by single entries, of arrays that are updated entry by entry.

∂L/∂(W[i, j]) = (∂L/∂W)[i, j].  Comes in: the versions of such arrays, the updates, the sweeps of a root.  Goes out:
the gradient by each entry that some step is by, and the numbers that those steps are made of.  Invariant: a root that
reads one entry of several versions, between which others were written, has no gradient by it here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tracer.gradients.adjoints import Adjoints, is_real
from tracer.matching.entries import Entry, Versions
from tracer.matching.updates import Update
from tracer.tape.node import Kind
from tracer.tape.tape import Tape


class EntryGradients:
    """What is known of the single entries that a program updates.

    Attributes:
        reading: which nodes read which entries of arrays that are written entry by entry.
    """

    def __init__(self, tape: Tape, updates: Mapping[int, Update]) -> None:
        self._tape, self._updates = tape, updates
        self.reading = Versions(tape)
        self._picked: set[tuple[int, int]] = set()

    @cached_property
    def entries(self) -> dict[int, Entry]:
        """The entries of arrays that are updated entry by entry, by the first node that reads each in an iteration."""
        return self.reading.first_readers(self._updates)

    @cached_property
    def readers(self) -> frozenset[int]:
        """All nodes that read an entry of such an array."""
        return frozenset(reader for node in self.entries for reader in self.reading.readers(node))

    def picked(self, root: int, wrt: int) -> Entry | None:
        """The entry that a gradient is by, if the root reads it with others: with a row, or with all of its array."""
        return self.entries[wrt] if (root, wrt) in self._picked else None

    def added_to(self, root: int, sweeps: Sequence[Adjoints]) -> Iterator[tuple[int, list[Any]]]:
        """Put the gradients by the entries into the sweeps of a root; give each that there is, by its first reader."""
        versions = self.reading.numbers(sweeps[0].full)
        for node, entry in self.entries.items():
            readers = self.reading.readers(node)
            if self.reading.same_in(entry, versions) != [entry.whole]:
                for sweep in sweeps:
                    for reader in readers:
                        sweep.full.pop(reader, None)
                continue
            values = [np.asarray(s.full[entry.whole])[entry.place] for s in sweeps]
            own = [s.full.get(node) for s in sweeps]
            if not all(o is not None and np.allclose(o, v, rtol=1e-9, atol=0) for o, v in zip(own, values, strict=True)):
                self._picked.add((root, node))
            for sweep, value in zip(sweeps, values, strict=True):
                sweep.full.update(dict.fromkeys(readers, value))
            yield node, values

    def made_of(self, forward: Collection[int]) -> dict[int, frozenset[int]]:
        """The numbers that steps by single entries are made of, with the entries that the steps are by.

        Arguments:
            forward: what the losses are computed from; that is no part of a step.
        """
        nodes, found = self._tape.nodes, dict[int, set[int]]()
        for update in self._updates.values():
            todo = [update.change] if update.written is not None else []
            while todo:
                node = todo.pop()
                entry = self.reading.read(node)
                before = None if entry is None or node in forward else self.reading.number_written(entry)
                if before is not None and nodes[before].window == nodes[node].window:
                    node = before  # ``v[i][j] = …`` and then ``W[i][j] += v[i][j]``
                seen = found.setdefault(node, set())
                if update.wrt in seen or nodes[node].kind is not Kind.OPERATION or nodes[node].op == "getitem":
                    continue
                seen.add(update.wrt)
                operands = (nodes[k] for k in self._tape.operands(node))
                todo += [k.id for k in operands if k.shape == () and is_real(k) and k.window == nodes[node].window]
        return {node: frozenset(by) for node, by in found.items() if by and node not in forward}
