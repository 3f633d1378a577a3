"""What several parts ask of an analysis: names, lines, what lies behind a node.

Comes in: a program and its `Analysis`.  Goes out: answers, each computed once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

import numpy as np

from tracer.explanation.building.vocabulary import plain_source
from tracer.matching.analysis import Analysis
from tracer.matching.losses.names import loss_name
from tracer.program import Program
from tracer.program.joined import Section
from tracer.tape.node import Kind, Node


@dataclass
class Reading:
    """An analysed program, as the explanation reads it.

    Attributes:
        derives: whether formulas and derivations are asked for; verdicts and faults are told without them, too.
    """

    program: Program
    analysis: Analysis
    sections: tuple[Section, ...] = ()
    derives: bool = True

    @cached_property
    def named(self) -> frozenset[int]:
        """Nodes that the reader has a name for."""
        graph, tape = self.analysis.graph, self.analysis.tape
        found = {graph.representative(n.id) for n in tape.nodes if n.names}
        found |= {n.id for n in tape.window_nodes() if n.kind is Kind.LEAF or n.id in self.analysis.updates}
        return frozenset(found)

    @cached_property
    def readable(self) -> set[str]:
        """The names, in formulas, of what the reader has a name for."""
        return {self.analysis.graph.name(n) for n in self.named}

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of what updates change."""
        tape = self.analysis.tape
        return frozenset(x for u in self.analysis.updates.values() for x in tape.nodes[u.before].names)

    def place(self, line: int) -> str:
        """The number of a line, and the one it has in its own file, if that is a module of the program."""
        for section in self.sections:
            if section.line <= line <= section.end_line:
                return f"{line} (line {line - section.line + 1} of {PurePath(section.path).name})"
        return str(line)

    def node(self, node: int) -> Node:
        return self.analysis.tape.nodes[node]

    def named_as(self, node: int) -> tuple[str, tuple[str, ...]]:
        """The name of what a gradient is taken by, and its further names.

        A parameter goes by its first name, also where a loop such as ``for p in parameters`` updates it; an entry of one
        by what the program writes to read it, also after ``old = W[i][j]``.
        """
        recorded = self.node(node)
        names = list(recorded.names)
        if names and node in self.analysis.matcher.entries and recorded.site is not None:
            return plain_source(recorded.site.text), tuple(dict.fromkeys(names))
        if names and self._parameters_called[names[0]] > 1:
            own = [n for n in self._first_names(node) if self._parameters_called[n] < 2]
            names = [*own, *names]
        if names:
            return names[0], tuple(n for n in dict.fromkeys(names[1:]) if n != names[0])
        return plain_source(recorded.site.text) if recorded.site else f"node {node}", ()

    @cached_property
    def _parameters_called(self) -> Counter[str]:
        """How many parameters go by each name: ``p`` is every one in ``for p in parameters``."""
        called: dict[str, set[int]] = {}
        for node in self.analysis.updates:
            first = self.analysis.matcher.variables.first(node)
            for name in (*self.node(node).names, *self.node(first).names):
                called.setdefault(name, set()).add(first)
        return Counter({name: len(firsts) for name, firsts in called.items()})

    def _first_names(self, node: int) -> list[str]:
        """The names of the first version of an updated parameter."""
        if node not in self.analysis.updates:
            return []
        return self.node(self.analysis.matcher.variables.first(node)).names

    def root_name(self, root: int) -> str:
        """What the program calls a root."""
        return loss_name(self.analysis.tape, self.node(root)) or self.named_as(root)[0]

    def root_line(self, root: int) -> int:
        """The line on which a root gets the name it goes by."""
        name = self.root_name(root)
        for binding in self.analysis.tape.bindings:
            if binding.node == root and binding.name == name:
                return binding.site.span.line
        site = self.node(root).site
        return site.span.line if site else 0

    def everything_behind(self, node: int) -> frozenset[int]:
        return self.analysis.matcher.all_ancestors(node)

    def lines_behind(self, node: int) -> set[int]:
        sites = (self.node(n).site for n in self.everything_behind(node))
        return {s.span.line for s in sites if s is not None}

    @cached_property
    def positive(self) -> frozenset[str]:
        graph = self.analysis.graph
        found = set()
        for node in self.analysis.tape.window_nodes():
            real = node.dtype.startswith("float") and node.shape and np.size(node.value)
            if real and node.kind is not Kind.LEAF and float(np.min(node.value)) > 0:
                found.add(graph.name(node.id))
        return frozenset(found)

    @cached_property
    def one_hot(self) -> frozenset[str]:
        rows = {n for n, kept in self.analysis.replays.assumptions.items() if kept.startswith("rows")}
        return frozenset(self.analysis.graph.name(n) for n in rows)
