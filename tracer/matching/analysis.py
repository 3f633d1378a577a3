"""All that is known of a tape: its formulas, its updates, what each node is, and how well that is known.

Comes in: a tape.  Goes out: an `Analysis`, in which every node that looks like a gradient has a match, a
proof or the reason why there is none, and a finite difference at the recorded values.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tracer.gradients.graph import Graph, build_graph
from tracer.gradients.rules import NumericRules
from tracer.matching.candidates import Match, Sort
from tracer.matching.clock import Clock, Task
from tracer.matching.differences import Difference, FiniteDifferences
from tracer.matching.entries import with_entries
from tracer.matching.inference import Inferred, inferred_losses
from tracer.matching.initial import with_double_precision, with_equal_settings, with_initial_leaves
from tracer.matching.judging import is_right, judged_updates
from tracer.matching.layers import layer_losses
from tracer.matching.matcher import Matcher
from tracer.matching.optimisers import recognise
from tracer.matching.own_loss import own_losses
from tracer.matching.penalties import with_penalties
from tracer.matching.proof import Proof, Prover
from tracer.matching.replays import Replays, has_indicators, random_replays
from tracer.matching.severed import with_links
from tracer.matching.totals import are_computed_together, sum_of_losses
from tracer.matching.truncation import recognise_truncated
from tracer.matching.updates import Update, find_updates
from tracer.matching.vanishing import recognise_zeros
from tracer.tape.node import Kind
from tracer.tape.tape import Tape

#: Of more occurrences of one part of an expression only the first and the last are proved.
_MOST_OCCURRENCES = 16


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
        """Whether the loss is one that the program does not compute, and that fits most of its backward pass."""
        return self.inferred is not None and self.inferred.how == "fits"

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


def analyse(tape: Tape, loss: str | None = None, clock: Clock | None = None) -> Analysis:
    """Find out what every node of a tape is, and prove it.

    Arguments:
        loss: the name of the loss, if the user gave one.
        clock: the time that may be taken.
    """
    analysis = identified(tape, loss, clock)
    _prove_what_is_shown(analysis)
    return analysis


def identified(tape: Tape, loss: str | None = None, clock: Clock | None = None) -> Analysis:
    """Find out what every node of a tape is, in numbers; nothing is proved before it is asked for."""
    clock = clock or Clock()
    tape = with_entries(with_double_precision(with_equal_settings(with_initial_leaves(with_links(tape)))))
    analysis = _matched(tape, loss)
    matcher = analysis.matcher
    if matcher.updates and not _is_judged(matcher):
        # The loss was computed after the step, or of other data: moved to the step, it explains it or judges it.
        moved = [_matched(o.tape, loss, o) for o in _in_time(own_losses(matcher), clock)]
        analysis = max(
            (a for a in moved if _is_judged(a.matcher)), key=lambda a: _explained(a.matcher), default=analysis
        )
        matcher = analysis.matcher
    if loss is None and analysis.inferred is None and _some_are_wrong(matcher):
        together = sum_of_losses(tape, matcher.updates, matcher.live)
        tried = _in_time([] if together is None else [together], clock)
        summed = next((_matched(t.tape, None, t) for t in tried), None)
        if summed is not None:
            one, other = _along_gradients(summed.matcher), _along_gradients(matcher)
            whole, parted = _right(summed.matcher), _right(matcher)
            equal = one == other > 0 or whole == parted > 0  # of a sum the last term is found within it
            if one > other or (equal and are_computed_together(summed.tape, tape, matcher.updates)):
                analysis = summed
                matcher = analysis.matcher
    unknown = loss is None and analysis.inferred is None and _are_numbers(matcher)
    if unknown and matcher.updates and not _some_are_along(matcher):
        parameters = frozenset(u.before for u in matcher.updates.values())
        others = (f for f in inferred_losses(tape, matcher.live, parameters) if _is_another(f, matcher))
        analysis = _best_inferred(_in_time(others, clock)) or analysis
        analysis = _penalised(analysis, clock)
    if loss is None and analysis.inferred is None and not _some_are_along(analysis.matcher):
        layered = layer_losses(matcher)
        analysis = analysis if layered is None else _matched(layered.tape, None, layered)
    if analysis.inferred is None and _some_are_wrong(analysis.matcher) and has_indicators(tape):
        # Some identities need zeros and ones to be such: seen * seen == seen.
        exact = _matched(tape, loss, exactly=True, graph=analysis.graph if analysis.tape is tape else None)
        if _explained(exact.matcher) > _explained(analysis.matcher):
            analysis = exact
    if _some_are_wrong(analysis.matcher):
        recognise_truncated(analysis.matcher)
    analysis.prover.clock = clock
    return analysis


def _in_time(losses: Iterable[Inferred], clock: Clock) -> Iterator[Inferred]:
    """Other losses, as long as there is time to see what they explain."""
    for found in losses:
        if not clock.left(Task.LOSS):
            clock.leave_out(Task.LOSS, ())
            return
        start = time.thread_time()
        yield found
        clock.spend(Task.LOSS, start)


def _best_inferred(losses: Iterable[Inferred]) -> Analysis | None:
    """The analysis with the loss that explains most updates, if any; none is tried after one that explains all."""
    best: Analysis | None = None
    most = 0
    for found in losses:
        tried = _matched(found.tape, None, found)
        count = _along_gradients(tried.matcher)
        if count > most:
            best, most = tried, count
        if count == len(tried.matcher.updates):
            break
    return best


def _penalised(analysis: Analysis, clock: Clock) -> Analysis:
    """The analysis with a penalty in its inferred loss, if more steps are along the gradient of that."""
    found = None if analysis.inferred is None else with_penalties(analysis.matcher, analysis.inferred)
    tried = [_matched(f.tape, None, f) for f in _in_time([] if found is None else [found], clock)]
    return next((t for t in tried if _explained(t.matcher) > _explained(analysis.matcher)), analysis)


def _prove_what_is_shown(analysis: Analysis) -> None:
    """Prove what the nodes of the explained iterations are, in their order; of equal matches the proved one is first."""
    with np.errstate(all="ignore"):
        shown, forward = analysis.tape.last_windows(), analysis.matcher.forward
        nodes = [
            n
            for n in sorted(analysis.matcher.matches)
            if analysis.tape.nodes[n].window in shown and n not in forward  # a loss is told to be one
        ]
        for node in _without_repeats(analysis.tape, nodes):
            matches = analysis.matcher.matches[node]
            if matches[0].candidate.sort not in (Sort.FULL, Sort.PATH, Sort.LOCAL):
                continue
            if not analysis.proof(matches[0]).proved:
                same = [m for m in matches[1:] if _is_said_alike(analysis, m, matches[0])]
                proved = (m for m in same if analysis.proof(m).proved)
                better = next((m for m in proved if analysis.verify(m).verdict == "proved"), None)
                if better is not None:
                    matches.remove(better)
                    matches.insert(0, better)


def _without_repeats(tape: Tape, nodes: list[int]) -> list[int]:
    """The nodes, without those in the middle of very many that one part of an expression was, one after the other.

    What is shown of a part is its last occurrence.  What has a name is the gradient that later steps rest on.
    """
    places: dict[Any, list[int]] = defaultdict(list)
    for node in nodes:
        places[tape.nodes[node].site, tape.nodes[node].op].append(node)
    left_out: set[int] = set()
    for same in places.values():
        if len(same) > _MOST_OCCURRENCES:
            left_out.update(n for n in same[_MOST_OCCURRENCES // 2 : -_MOST_OCCURRENCES // 2] if not tape.nodes[n].names)
    return [n for n in nodes if n not in left_out]


def _is_said_alike(analysis: Analysis, match: Match, best: Match) -> bool:
    """Whether another identity says the same to the reader: by another factor, or another version of the variable."""
    if match.candidate == best.candidate:
        return bool(best.scale.scale.symbols)
    nodes = analysis.tape.nodes
    names = nodes[best.candidate.wrt].names[:1]
    same = replace(match.candidate, wrt=best.candidate.wrt) == best.candidate
    return (
        same and bool(names) and nodes[match.candidate.wrt].names[:1] == names and match.scale == best.scale
    )


def _is_another(found: Inferred, named: Matcher) -> bool:
    """Whether an inferred loss is of outputs that no loss of the program is computed from.

    A loss that is there and does not fit is not replaced: then the gradients are wrong, or of something else.
    """
    if not any(r.named for r in named.roots):
        return True
    nodes = found.tape.nodes
    outputs: set[int] = set()
    todo = [k for error in found.losses.values() for k in found.tape.operands(error)]
    while todo:
        node = todo.pop()
        outputs.add(node)
        todo += found.tape.operands(node) if nodes[node].op in ("copy", "negative") else ()
    outputs = {k for k in outputs & named.live if nodes[k].kind is not Kind.LEAF}  # both may read the same targets
    return outputs.isdisjoint(named.forward)


def _some_are_wrong(matcher: Matcher) -> bool:
    return any(not is_right(matcher, u) for u in judged_updates(matcher))


def _is_judged(matcher: Matcher) -> bool:
    """Whether some update of the explained iterations is one of a parameter of a loss that was computed before it."""
    shown = set(matcher.graph.tape.last_windows())
    return any(matcher.graph.tape.nodes[u.node].window in shown for u in judged_updates(matcher))


def _explained(matcher: Matcher) -> int:
    """How many updates take a step along a gradient."""
    return sum(is_right(matcher, u) for u in judged_updates(matcher))


def _are_numbers(matcher: Matcher) -> bool:
    """Whether the losses of the program are finite: what is no number has no gradient, and is not there to be replaced."""
    losses = [r.node for r in (*matcher.roots, *matcher.unmoved) if r.named]
    return all(np.all(np.isfinite(v)) for node in losses for v in matcher.replays.of(node))


def _some_are_along(matcher: Matcher) -> bool:
    """Whether some update of the explained iterations takes a step along a gradient."""
    shown = set(matcher.graph.tape.last_windows())
    return any(
        _is_along(matcher, u)
        for u in judged_updates(matcher)
        if matcher.graph.tape.nodes[u.node].window in shown
    )


def _right(matcher: Matcher) -> int:
    """How many updates are a multiple of a gradient."""
    return sum(is_right(matcher, u) for u in judged_updates(matcher))


def _along_gradients(matcher: Matcher) -> int:
    """How many updates take a step along a gradient."""
    return sum(_is_along(matcher, u) for u in judged_updates(matcher))


def _is_along(matcher: Matcher, update: Update) -> bool:
    """Whether an update is a step along a gradient, also in an optimiser's way or with weight decay."""
    if is_right(matcher, update):
        return True
    within = recognise(matcher, update).gradient
    return within is not None and within.scale.rank <= 3


def _matched(
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
    fitted = inferred is not None and inferred.how in ("fits", "layer")
    losses, reach = (inferred.losses, inferred.reach) if inferred is not None else ({}, {})
    matcher = Matcher(graph, updates, replays, rules, loss, losses, fitted, reach)
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
