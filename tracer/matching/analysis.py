"""All that is known of a tape: its formulas, its updates, what each node is, and how well that is known.

Comes in: a tape.  Goes out: an `Analysis`, in which every node that looks like a gradient has a match, a
proof or the reason why there is none, and a finite difference at the recorded values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from tracer.gradients.graph import Graph
from tracer.gradients.graph_building import build_graph
from tracer.gradients.rules import NumericRules
from tracer.matching.candidates import Match, Sort
from tracer.matching.clock import Clock
from tracer.matching.differences import Difference, FiniteDifferences
from tracer.matching.losses.written import Inferred
from tracer.matching.matcher import Matcher
from tracer.matching.proof import Proof, Prover
from tracer.matching.replays import Replays, random_replays
from tracer.matching.update_search import find_updates
from tracer.matching.updates import Update
from tracer.matching.vanishing import recognise_zeros
from tracer.tape.tape import Tape


class Verified(Struct, frozen=True):
    """A match with its proof and its numeric evidence.

    Attributes:
        difference: a finite difference at one recorded entry; None if there was none.
    """

    match: Match
    proof: Proof
    difference: Difference | None

    @property
    def verdict(self) -> Literal["proved", "checked", "unexplained"]:
        """Proved or checked; not known if a finite difference disagrees, whatever else was found."""
        if self.difference is not None and not self.difference.agrees:
            return "unexplained"
        return "proved" if self.proof.proved else "checked"


@dataclass
class Analysis:
    """A tape, read.

    Attributes:
        inferred: the loss that was inferred, if the program computes none, or none of the explained step.
    """

    tape: Tape
    graph: Graph
    updates: Mapping[int, Update]
    replays: Replays
    rules: NumericRules
    matcher: Matcher
    prover: Prover
    differences: FiniteDifferences
    inferred: Inferred | None = None
    _proofs: dict[tuple[int, Any, str], Proof] = field(default_factory=dict)
    _verified: dict[tuple[int, Any, str], Verified] = field(default_factory=dict)

    @property
    def is_fitted(self) -> bool:
        """Whether the loss is a usual one that the program does not compute, and that its backward pass fits or means."""
        return self.inferred is not None and self.inferred.how in ("fits", "meant")

    @property
    def clock(self) -> Clock:
        """The time that the explanation may take."""
        return self.prover.clock

    def proof(self, match: Match) -> Proof:
        """The proof of a match; nothing is asked for twice."""
        key = (match.node, match.candidate, match.scale.text)
        if key not in self._proofs:
            self._proofs[key] = self.prover.prove(match)
        return self._proofs[key]

    def verify(self, match: Match) -> Verified:
        """Prove a match, and compare one entry with a finite difference."""
        key = (match.node, match.candidate, match.scale.text)
        if key not in self._verified:
            full = match.candidate.sort is Sort.FULL
            difference = self.differences.compare(match) if full else None
            self._verified[key] = Verified(match, self.proof(match), difference)
        return self._verified[key]

    def verified(self, node: int) -> Verified | None:
        """The best identity of a node, verified; None if it was not recognised."""
        match = self.matcher.best(node)
        return None if match is None else self.verify(match)


def matched(
    tape: Tape,
    loss: str | None,
    inferred: Inferred | None = None,
    exactly: bool = False,
    graph: Graph | None = None,
) -> Analysis:
    """An analysis without proofs.

    Arguments:
        exactly: whether zeros and ones among the data stay such in replays.
        graph: the formulas of the tape, if they are known already.
    """
    updates = find_updates(tape)
    graph = graph or build_graph(tape, updates)
    replays = random_replays(tape, updates, indicators=exactly)
    rules = NumericRules(graph)
    fitted = inferred is not None and inferred.is_unwritten
    losses, reach = (inferred.losses, inferred.reach) if inferred is not None else ({}, {})
    unnamed = inferred.unnamed if inferred is not None else frozenset[int]()
    matcher = Matcher(graph, updates, replays, rules, loss, losses, fitted, reach, unnamed)
    matcher.run()
    recognise_zeros(matcher)
    prover = Prover(matcher)
    differences = FiniteDifferences(tape, matcher)
    return Analysis(
        tape,
        graph,
        updates,
        replays,
        rules,
        matcher,
        prover,
        differences,
        inferred,
    )
