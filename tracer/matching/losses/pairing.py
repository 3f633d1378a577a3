"""Which array a backward pass starts from, and the output of which forward pass it is the gradient by.

Comes in: a matcher that has run.  Goes out: pairs such as ``dout`` and ``out``; several together where one backward pass
starts from several, as that of a recurrent step from ``dh`` and ``dc``.  Invariants: what comes in is used in no forward
pass that a pair is made with, and all that is taken for its backward pass is linear in it; a pair is made only if
something comes out as its gradient, or if the two are called so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tracer.gradients.adjoints import numeric_adjoints
from tracer.matching.linear import Shares, is_linear, shares
from tracer.matching.losses.upstream import Upstreams
from tracer.matching.matcher import Matcher
from tracer.tape.tape import Tape

#: How many ways to combine the outputs of several arrays are tried, and how many results are compared with gradients.
_MOST_COMBINATIONS, _MOST_RESULTS = 32, 80


class Pair(Struct, frozen=True):
    """An array that a backward pass starts from, and the output whose gradient it is."""

    upstream: int
    output: int


class Backward(Struct, frozen=True):
    """A backward pass that starts from one or several arrays, and the results in it that are gradients."""

    pairs: tuple[Pair, ...]
    explained: frozenset[int]


@dataclass
class Pairing:
    """Looks for the backward passes of a tape that start from data."""

    matcher: Matcher

    def __post_init__(self) -> None:
        self.upstreams = Upstreams(self.matcher)

    @property
    def tape(self) -> Tape:
        return self.matcher.graph.tape

    @cached_property
    def values(self) -> list[Any]:
        return self.matcher.replays.values[0]

    def found(self) -> list[Backward]:
        """The backward passes, in program order; no result belongs to two of them."""
        chosen: list[Backward] = []
        for backward in sorted(self._merged(), key=lambda b: -len(b.explained)):
            taken = {k for b in chosen for k in (*b.explained, *(p.upstream for p in b.pairs))}
            mine = backward.explained | {p.upstream for p in backward.pairs}
            forward = {k for b in chosen for p in b.pairs for k in self._behind(p.output)}
            if taken.isdisjoint(mine) and not any(p.upstream in forward for p in backward.pairs):
                chosen += [backward, *self._further(backward)]
        return sorted(chosen, key=lambda b: b.pairs[0].upstream)

    def _behind(self, node: int) -> frozenset[int]:
        return self.matcher.all_ancestors(node)

    # Which pairs most results come out as gradients of.

    def _merged(self) -> Iterator[Backward]:
        """Backward passes; from several arrays together where more comes out so, as from ``dh`` and ``dc`` of a step."""
        alone = {u: self._best((u,)) for u in self.upstreams.found}
        done: set[int] = set()
        order = sorted(alone, key=lambda u: -len(b.explained) if (b := alone[u]) is not None else 0)
        for first in order:
            if first in done:
                continue
            best = alone[first]
            together: tuple[int, ...] = (first,)
            for other in order:
                if other in together or other in done or not self._meet(together, other):
                    continue
                joint = self._best(tuple(sorted((*together, other))))
                apart = sum(len(b.explained) for b in (best, alone[other]) if b is not None)
                if joint is not None and (len(joint.explained) > apart or self._all_belong(joint)):
                    best, together = joint, tuple(sorted((*together, other)))
            if best is not None:
                done.update(together)
                yield Backward((*best.pairs, *self._unread(best)), best.explained)

    def _unread(self, backward: Backward) -> Iterator[Pair]:
        """What comes in too, and is read nowhere."""
        upstream, outputs = zip(*((p.upstream, p.output) for p in backward.pairs), strict=True)
        for unread in self.upstreams.unread:
            output = self.upstreams.beside(unread, upstream, outputs, backward.explained)
            if output is not None:
                yield Pair(unread, output)

    def _all_belong(self, backward: Backward) -> bool:
        return all(self.upstreams.belongs(p.upstream, p.output) for p in backward.pairs)

    def _further(self, backward: Backward) -> Iterator[Backward]:
        """Backward passes of other layers that start from the same array."""
        upstream = tuple(p.upstream for p in backward.pairs)
        seen = [backward]
        while True:
            known = frozenset().union(*(b.explained for b in seen))
            rest = [n for n in self._results(upstream) if n not in known]
            apart = {o for u in upstream for o in self.upstreams.outputs(u) if not self._is_related(o, seen)}
            best = self._best(upstream, rest, apart) if rest and apart else None
            if best is None or not best.explained:
                return
            seen.append(best)
            yield best

    def _is_related(self, output: int, known: Sequence[Backward]) -> bool:
        outputs = [p.output for b in known for p in b.pairs]
        return any(output in self._behind(o) or o in self._behind(output) for o in outputs)

    def _best(
        self,
        upstream: tuple[int, ...],
        results: list[int] | None = None,
        allowed: Collection[int] | None = None,
    ) -> Backward | None:
        """The outputs with which most results come out as gradients; None if nothing speaks for any.

        An output that what comes in belongs to, by name or shape, goes before what it was computed from: else a
        layer whose own derivative was forgotten would look right.
        """
        results = self._results(upstream) if results is None else results
        if not results:
            return None
        outputs = [
            [o for o in self.upstreams.outputs(u) if allowed is None or o in allowed] for u in upstream
        ]
        tried: list[Backward] = []
        for chosen in islice(product(*outputs), _MOST_COMBINATIONS):
            pairs = tuple(Pair(u, o) for u, o in zip(upstream, chosen, strict=True))
            tried.append(Backward(pairs, self._explained(pairs, results)))
        best = max(tried, key=lambda b: len(b.explained), default=None)
        if best is None:
            return None
        for other in tried:
            meant = self._all_belong(other)
            inner = all(
                p.output in self._behind(o.output) for p, o in zip(best.pairs, other.pairs, strict=True)
            )
            if meant and inner and (other.explained or not self.matcher.updates):
                best = max((b for b in tried if b.pairs == other.pairs), key=lambda b: len(b.explained))
                break
        said = any(self.upstreams.says_gradient(u) for u in upstream)
        if best.explained:
            return best if said or len(best.explained) > 1 else None
        return best if said and self._all_belong(best) and not self.matcher.updates else None

    def _meet(self, together: Sequence[int], other: int) -> bool:
        """Whether some value is made from two leaves, and linear in both together."""
        mine = set().union(*(self._shares(u).keys() for u in together))
        return any(n in mine and self._is_linear(n, (*together, other)) for n in self._shares(other))

    def _shares(self, upstream: int) -> Shares:
        if upstream not in self._all_shares:
            self._all_shares[upstream] = shares(self.tape, self.values, upstream, self.matcher.updates.keys())
        return self._all_shares[upstream]

    @cached_property
    def _all_shares(self) -> dict[int, Shares]:
        return {}

    def _is_linear(self, node: int, upstream: Sequence[int]) -> bool:
        parts = [found[node] for u in upstream if node in (found := self._shares(u))]
        return bool(parts) and is_linear(self.values[node], parts)

    def _results(self, upstream: tuple[int, ...]) -> list[int]:
        """The named values, and those that nothing is made from, that are linear in some leaves."""
        tape = self.tape
        reached = sorted(set().union(*(self._shares(u).keys() for u in upstream)))
        ends = [n for n in reached if tape.nodes[n].names or not tape.users(n)]
        linear = [n for n in ends if np.size(self.values[n]) > 1 and self._is_linear(n, upstream)]
        return linear[-_MOST_RESULTS:]

    def _explained(self, pairs: tuple[Pair, ...], results: Sequence[int]) -> frozenset[int]:
        """The results that are a multiple of a gradient of the pairs' scalar, other than what came in."""
        adjoints: dict[int, NDArray[Any]] = {}
        for pair in pairs:
            for node, value in self._adjoints(pair).items():
                adjoints[node] = adjoints[node] + value if node in adjoints else value
        outputs = {p.output for p in pairs}
        by_shape: dict[tuple[int, ...], list[NDArray[Any]]] = {}
        for node, value in adjoints.items():
            if node not in outputs:
                plain = np.squeeze(value)
                by_shape.setdefault(plain.shape, []).append(plain.ravel())
        came_in = [np.squeeze(self.values[p.upstream]).ravel() for p in pairs]
        found = set()
        for node in results:
            if node < max(outputs):
                continue
            value = np.squeeze(np.asarray(self.values[node], dtype=float))
            if any(_proportional(value.ravel(), other) for other in came_in):
                continue
            if any(_proportional(value.ravel(), other) for other in by_shape.get(value.shape, ())):
                found.add(node)
        return frozenset(found)

    def _adjoints(self, pair: Pair) -> dict[int, NDArray[Any]]:
        """The gradient of a pair's scalar by everything that its output was computed from."""
        if pair not in self._all_adjoints:
            matcher = self.matcher
            seed = np.asarray(self.values[pair.upstream], dtype=float)
            relevant = self._behind(pair.output) & matcher.live
            cuts = matcher.updates.keys()
            with np.errstate(all="ignore"):
                swept = numeric_adjoints(
                    self.tape, matcher.rules, self.values, pair.output, relevant, cuts, seed
                )
            self._all_adjoints[pair] = swept.full
        return self._all_adjoints[pair]

    @cached_property
    def _all_adjoints(self) -> dict[Pair, dict[int, NDArray[Any]]]:
        return {}


def _proportional(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two lists of several numbers are equal up to a factor that is not 0."""
    if one.shape != other.shape or one.size < 2:
        return False
    square = float(other @ other)
    factor = float(one @ other) / square if square > 0 else 0.0
    error = float(np.max(np.abs(one - factor * other)))
    return factor != 0 and error <= 1e-8 * float(np.max(np.abs(one)))
