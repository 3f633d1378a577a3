"""Proof that a recorded value is the gradient it looks like: equality of normal forms, for all sizes.

Comes in: a match that was found in numbers.  Goes out: *proved*, with both normal forms and what the proof
relied on, or *checked*, with the reason why it could not be proved.  Invariant: a proof never looks at
recorded values; what it assumes about the inputs is said.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec import Struct

from tracer.calculus import (
    Lemma,
    NoDerivative,
    TooLarge,
    add,
    arrays_in,
    constant,
    differentiate,
    entry,
    multiply,
    power,
    prove_equal,
    sum_over,
)
from tracer.calculus.adjoint import ReverseMode, instantiate, onto
from tracer.calculus.algebra import ONE, fresh, make_term
from tracer.calculus.complex_values import holds_complex, is_complex
from tracer.calculus.terms import Axes, Definition, Delta, Entry, Expr, Index, IndexExpr, Term
from tracer.gradients.accumulated import accumulated
from tracer.gradients.graph import Graph
from tracer.gradients.held import held
from tracer.gradients.named_sizes import counts, scale_expr
from tracer.matching.candidates import Match, Sort
from tracer.matching.clock import Clock, Task
from tracer.matching.matcher import Matcher
from tracer.matching.replays import describe

Free = tuple[Index | int, ...]
_SEED = "seed"
_NOT_SEEN = "the normal forms were not seen to be equal"
_OF_COMPLEX = "complex values are compared in numbers only"


class Proof(Struct, frozen=True):
    """The outcome for one match.

    Attributes:
        proved: whether the normal forms are equal.
        free, left, right: both sides at an entry, in normal form if they are equal.
        assumptions: what the proof relied on, as sentences.
        why_not: what stood in the way, if it is not proved.
    """

    proved: bool
    free: Free = ()
    left: Expr = ()
    right: Expr = ()
    assumptions: tuple[str, ...] = ()
    why_not: str | None = None


#: How long one attempt may take; the more time went into vain attempts, the less is spent on the next.
_LONGEST, _SHORTEST = 1.0, 0.2


@dataclass
class Prover:
    """Proves matches in the order of the tape; adjoints proved once stand for themselves later.

    What rests on an adjoint that could not be proved is not unfolded through it: whether it follows from that
    adjoint is told, and it stays unproved.
    """

    matcher: Matcher
    known: dict[int, dict[int, tuple[int, Expr]]] = field(default_factory=dict)
    unproved: dict[int, dict[int, tuple[int, Expr]]] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    seconds_in_vain: float = 0.0
    _in_vain: Counter[tuple[object, ...]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.graph: Graph = self.matcher.graph
        self.definitions: dict[str, Definition] = self.graph.named_definitions()
        self.axes: Mapping[str, Axes] = self.graph.array_axes()
        self.counts = counts(self.graph)
        self.unfolded = {**self.definitions, **accumulated(self.graph), **held(self.graph)}
        self.aside = self._prepared()
        self.reverse = ReverseMode(self.definitions, self.axes)
        self.lemmas = tuple(self._lemmas())
        self.symmetric = self._symmetric()

    def _prepared(self) -> frozenset[str]:
        """The arrays that are worked out from no parameter, such as data divided by their deviation.

        What is only put together, or one less such a value, stays what it is.
        """
        parameters, behind = self.matcher.variables.parameters, self.matcher.all_ancestors
        return frozenset(
            d.array
            for number, d in self.graph.definitions.items()
            if any(t.bound or any(e != 1 or not isinstance(f, Entry | Delta) for f, e in t.factors) for t in d.expr)
            and parameters.isdisjoint(behind(number))
        )

    def prove(self, match: Match) -> Proof:
        """Try to prove one match."""
        if match.candidate.sort is Sort.TRUNCATED:
            return Proof(False, why_not="gradients that are cut in time are compared in numbers only")
        if not self.clock.left(Task.PROOF):
            site = self.graph.tape.nodes[match.node].site
            if site is not None:
                self.clock.leave_out(Task.PROOF, (site.span.line,))
            return Proof(False, why_not="the time for proofs was used up")
        start = time.thread_time()
        proof = self._stepwise(match)
        took = self.clock.spend(Task.PROOF, start)
        self.seconds_in_vain += 0.0 if proof.proved else took
        candidate = match.candidate
        if candidate.sort is Sort.FULL and not candidate.transposed:
            store = self.known if proof.proved else self.unproved
            store.setdefault(candidate.root, {}).setdefault(
                candidate.wrt, (match.node, power(self._scale(match), -1))
            )
        return proof

    def _stepwise(self, match: Match) -> Proof:
        """From the adjoints that were met before; if that rests on unproved ones, also without those, to the root.

        The last is long.  What it did not bring at a place in the source, it is not asked for there again, nor is a
        proof where two had no success.
        """
        root, place = match.candidate.root, self._place(match)
        if self._in_vain[place] > 1:
            return Proof(False, why_not="it could not be proved for other steps of the same line")
        known = self.known.get(root, {})
        before = self.unproved.get(root, {}).get(match.candidate.wrt)
        if before is not None and before[0] < match.node and match.candidate.sort is Sort.FULL:
            again, _ = self._tried(match, {match.candidate.wrt: before})
            if again.proved:  # a multiple of what could not be proved
                return Proof(False, why_not=self._given({match.candidate.wrt: before}))
        believed = {w: n for w, n in self.unproved.get(root, {}).items() if n[0] < match.node}
        step, rests_on = self._tried(match, {**believed, **known}) if believed else (None, frozenset())
        if step is not None and step.proved and rests_on.isdisjoint(n for n, _ in believed.values()):
            return step
        proof = step
        if believed or proof is None:
            proof, _ = self._tried(match, known)
        follows = step is not None and step.proved
        if not proof.proved and known and not follows and not self._in_vain[place]:
            proof, _ = self._tried(match, {})
        if not proof.proved:
            self._in_vain[place] += 1
        return proof if proof.proved or not follows else Proof(False, why_not=self._given(believed))

    def _place(self, match: Match) -> tuple[object, ...]:
        """What a match has in common with those of other steps of a loop: where it stands, and what it is by."""
        nodes = self.graph.tape.nodes
        site, by = nodes[match.node].site, nodes[match.candidate.wrt]
        where = match.node if site is None else site.span
        return where, by.site.span if by.site is not None and by.op else (*by.names[:1],), match.scale.text

    def _tried(self, match: Match, known: Mapping[int, tuple[int, Expr]]) -> tuple[Proof, frozenset[int]]:
        """A proof, and the nodes whose adjoints it took as given."""
        try:
            return self._attempt(match, known)
        except (KeyError, TooLarge, NoDerivative, ValueError) as reason:
            return Proof(False, why_not=str(reason)), frozenset()

    def _given(self, believed: Mapping[int, tuple[int, Expr]]) -> str:
        sites = [self.graph.tape.nodes[node].site for node, _ in believed.values()]
        lines = sorted({site.span.line for site in sites if site is not None})
        several = "lines" if len(lines) > 1 else "line"
        return f"it follows from {several} {', '.join(map(str, lines))}, where not all could be proved"

    def _attempt(self, match: Match, known: Mapping[int, tuple[int, Expr]]) -> tuple[Proof, frozenset[int]]:
        candidate = match.candidate
        given = {
            self.graph.name(wrt): (self.graph.name(node), factor)
            for wrt, (node, factor) in known.items()
            if (wrt != candidate.wrt or known.keys() == {wrt})
            and node != match.node
            and node < match.node
            and self.graph.name(wrt) in self.definitions
            and (wrt == candidate.wrt or self.matcher.picked(candidate.root, wrt) is None)
        }
        derived = self._derived(match, given)
        outcomes = [self._compared(match, known, given, free, right) for free, right in derived]
        return next((o for o in outcomes if o[0].proved), outcomes[0])

    def _compared(
        self,
        match: Match,
        known: Mapping[int, tuple[int, Expr]],
        given: Mapping[str, tuple[str, Expr]],
        free: Free,
        right: Expr,
    ) -> tuple[Proof, frozenset[int]]:
        """Whether the recorded value is the candidate's formula."""
        candidate = match.candidate
        value = self.graph.name(match.node)
        at = onto(tuple(reversed(free)) if candidate.transposed else free, self.axes[value])
        left = entry(value, *at)
        right = multiply(self._scale(match), right)
        # The gradient by complex numbers may itself be real, and is no less one of complex numbers.
        of_complex = holds_complex(left) or holds_complex(right) or is_complex(self.graph.name(candidate.wrt))
        used = arrays_in(right)
        rests_on = frozenset(node for node, _ in known.values() if self.graph.name(node) in used)
        # What only the value mentions is unfolded: it may be a part of an adjoint, such as a slice of it.
        kept = frozenset(name for name, _ in given.values()) & used
        outcome = prove_equal(
            left,
            right,
            self.unfolded,
            keep=kept,
            aside=self.aside,
            lemmas=self.lemmas,
            sizes=self.graph.table.sizes(),
            counts=self.counts,
            symmetric=self.symmetric,
            budget_seconds=self._longest,
        )
        proved = outcome.proved and not of_complex
        why_not = None if proved else _OF_COMPLEX if of_complex else _NOT_SEEN
        proof = Proof(proved, free, outcome.left, outcome.right, tuple(outcome.used), why_not)
        return proof, rests_on

    @property
    def _longest(self) -> float:
        """How many seconds an attempt may take now."""
        return max(_LONGEST - self.seconds_in_vain / 3, _SHORTEST)

    def _scale(self, match: Match) -> Expr:
        scale = match.scale.scale
        return scale_expr(self.graph, scale.coefficient, scale.symbols)

    def _derived(self, match: Match, given: Mapping[str, tuple[str, Expr]]) -> Iterator[tuple[Free, Expr]]:
        """The candidate's formula at an entry; of a partial sum there are two, by the direction of the loop."""
        candidate = match.candidate
        wrt, root = self.graph.name(candidate.wrt), self.graph.name(candidate.root)
        if candidate.sort is Sort.VALUE:
            free: Free = tuple(fresh(a) for a in self.axes[wrt])
            yield free, entry(wrt, *free)
        elif candidate.sort is Sort.LOCAL:
            free, expr = self.reverse.adjoints(root, wrt=[wrt], seed=_SEED, seconds=self._longest)[wrt]
            yield free, _without(expr, _SEED)
        elif candidate.sort is Sort.FULL and wrt in given:
            array, factor = given[wrt]
            free = tuple(fresh(a) for a in self.axes[wrt])
            yield free, multiply(factor, entry(array, *free))
        elif candidate.sort is Sort.FULL and (picked := self.matcher.picked(candidate.root, candidate.wrt)) is not None:
            array = self.graph.name(picked.whole)
            yield (), instantiate(
                self.reverse.adjoints(root, given=given, wrt=[array], seconds=self._longest)[array],
                entry_indices(self.definitions[wrt], array),
            )
        elif candidate.sort is Sort.FULL:
            yield self.reverse.adjoints(root, given=given, wrt=[wrt], seconds=self._longest)[wrt]
        elif candidate.via is not None:
            via = self.graph.name(candidate.via)
            if candidate.sort is Sort.PATH:
                yield self._through([via], wrt, root, given)
                return
            sweep = self.matcher.adjoints[candidate.root][0].contributions
            consumers = [self.graph.name(c.consumer) for c in sweep if c.wrt == candidate.wrt]
            place = consumers.index(via)
            for some in (consumers[: place + 1], consumers[place:]):
                yield self._through(dict.fromkeys(some), wrt, root, given)

    def _through(
        self, consumers: Iterable[str], wrt: str, root: str, given: Mapping[str, tuple[str, Expr]]
    ) -> tuple[Free, Expr]:
        """What reaches the root through some of the arrays that are made from ``wrt``."""
        free: Free = tuple(fresh(a) for a in self.axes[wrt])
        parts = []
        for via in consumers:
            definition = self.definitions[via]
            incoming = self.reverse.adjoints(root, given=given, wrt=[via], seconds=self._longest)[via]
            local = differentiate(definition.expr, wrt, free, definition)
            parts.append(sum_over(definition.free, multiply(instantiate(incoming, definition.free), local)))
        return free, add(*parts)

    def _symmetric(self) -> dict[str, str] | None:
        """The inputs that are drawn symmetric, each with what says so; None where no computed array is symmetric either."""
        tape, replays = self.graph.tape, self.matcher.replays
        given = {
            self.graph.name(node): describe(tape.nodes[node], kept)
            for node, kept in replays.assumptions.items()
            if kept.startswith("entries are symmetric")
        }
        if given or any(_equals_transpose(replays.of(node.id)) for node in tape.window_nodes() if node.op):
            return given
        return None

    def _lemmas(self) -> Iterator[Lemma]:
        """What the replays kept of inputs: sums of rows, and entries that are their own squares."""
        for node, kept in self.matcher.replays.assumptions.items():
            name, says = self.graph.name(node), describe(self.graph.tape.nodes[node], kept)
            free: Free = tuple(fresh(a) for a in self.axes[name])
            if kept.startswith(("rows", "columns")):
                summed = free[1 if kept.startswith("rows") else 0]
                if isinstance(summed, Index):
                    pattern = make_term(ONE, (summed,), [(Entry(name, free), ONE)])
                    assert pattern is not None
                    yield Lemma(pattern, constant(1), says)
            elif kept.startswith("entries") and "sum to 1" in kept:
                over = tuple(i for i in free if isinstance(i, Index))
                pattern = make_term(ONE, over, [(Entry(name, free), ONE)])
                assert pattern is not None
                yield Lemma(pattern, constant(1), says)
            if kept.endswith("0 on the diagonal"):
                own = make_term(ONE, (), [(Entry(name, (free[0], free[0])), ONE)])
                assert own is not None
                yield Lemma(own, constant(0), says)
            if kept.endswith(("0 or 1", "one-hot")):
                square = make_term(ONE, (), [(Entry(name, free), ONE * 2)])
                assert square is not None
                yield Lemma(square, entry(name, *free), says)


def _equals_transpose(values: Sequence[Any]) -> bool:
    """Whether a square matrix, of which there are several values, is always symmetric and not diagonal."""
    for value in values:
        if np.ndim(value) != 2 or value.shape[0] != value.shape[1] or value.shape[0] < 3 or value.dtype.kind != "f":
            return False
        if not np.allclose(value, value.T, rtol=1e-12, atol=0) or np.count_nonzero(value) <= len(value):
            return False
    return True


def entry_indices(definition: Definition, array: str) -> tuple[IndexExpr, ...]:
    """Where the one entry of an array stands that a definition says a number is.

    Raises:
        ValueError: if it says something else.
    """
    match definition.expr:
        case (Term(bound=(), factors=((Entry(array=named, indices=indices), _),)),) if named == array:
            return indices
    raise ValueError(f"{definition.array} is no entry of {array}")


def _without(expr: Expr, array: str) -> Expr:
    """The expression with the entries of one array replaced by one.

    Raises:
        ValueError: if a term does not hold exactly one such entry outside of sums.
    """
    result = []
    for term in expr:
        held = [f for f, e in term.factors if isinstance(f, Entry) and f.array == array and e == 1]
        if len(held) != 1 or any(i in term.bound for i in held[0].indices):
            raise ValueError("the derivative is not entry by entry")
        made = make_term(term.coefficient, term.bound, [(f, e) for f, e in term.factors if f != held[0]])
        if made is not None:
            result.append(made)
    if any(array in arrays_in((t,)) for t in result):
        raise ValueError("the derivative is not entry by entry")
    return tuple(result)
