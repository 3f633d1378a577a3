"""Which array a backward pass starts from, and the output of which forward pass it is the gradient by.

Comes in: a matcher that has run.  Goes out: pairs such as ``dout`` and ``out``; several together where one backward pass
starts from several, as that of a recurrent step from ``dh`` and ``dc``.  Invariants: what comes in is used in no forward
pass that a pair is made with, and all that is taken for its backward pass is linear in it; a pair is made only if
something comes out as its gradient, or if the two are called so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tracer.gradients.adjoints import is_real, numeric_adjoints
from tracer.matching.candidates import Matcher
from tracer.matching.linear import Shares, descendants, is_linear, shares
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import GIVEN, Tape

#: What the gradient that comes in is called: ``dA``, ``d_out``, ``dout``, ``grad_output``, ``delta``.
_UPSTREAM = re.compile(
    r"^_?(d_?[A-Z]|d_|dout|[dg]y$|g_)|(?i:grad|delta|upstream|incoming|adjoint|cotangent)|_bar$"
)
#: What stands before the name of an output in the name of its gradient.
_PREFIX = re.compile(r"^_?(d[l_]?_?|dl_?d|grad(ient)?s?_?|delta_?|upstream_?|g_)$", re.I)

#: How many leaves are looked at, how many outputs are tried for each, and how many ways to combine those of several.
_MOST_UPSTREAM, _MOST_OUTPUTS, _MOST_COMBINATIONS = 24, 8, 32
#: How many results of a backward pass are compared with gradients.
_MOST_RESULTS = 80


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

    # What may come in, and of which outputs.

    @cached_property
    def upstream(self) -> tuple[int, ...]:
        """The data that no loss is computed from and that are used after an array of their shape was computed."""
        named = {k for r in self.matcher.roots if r.named for k in self._behind(r.node)}
        found = [
            n.id
            for n in self.tape.window_nodes()
            if n.kind in (Kind.LEAF, Kind.RANDOM)
            and is_real(n)
            and n.shape
            and n.id not in named
            and self.matcher.replays.moves(n.id)
            and self.outputs(n.id)
        ]
        return tuple(found[-_MOST_UPSTREAM:])

    def outputs(self, upstream: int) -> tuple[int, ...]:
        """The arrays that something may be the gradient by, the likeliest first."""
        if upstream not in self._outputs:
            self._outputs[upstream] = self._find_outputs(upstream)[:_MOST_OUTPUTS]
        return self._outputs[upstream]

    @cached_property
    def _outputs(self) -> dict[int, tuple[int, ...]]:
        return {}

    def _find_outputs(self, upstream: int) -> tuple[int, ...]:
        tape, leaf = self.tape, self.tape.nodes[upstream]
        last = max((u for u in tape.users(upstream) if is_real(tape.nodes[u])), default=0)
        after = descendants(tape, upstream, self.matcher.updates.keys())
        given = {k for n in after for k in tape.operands(n) if k not in after}
        read = frozenset().union(*(self._behind(k) for k in given)) - {upstream}
        read = frozenset(k for k in read if tape.nodes[k].shape and is_real(tape.nodes[k]))
        able = [
            n.id
            for n in tape.nodes[:last]
            if n.window == leaf.window
            and n.shape == leaf.shape
            and n.id in self.matcher.live
            and n.kind not in GIVEN
            and n.id not in self.matcher.updates
            and n.id not in self._from_gradients
            and not any(u < last and _writes_to(tape.nodes[u], n.id) for u in tape.users(n.id))
            and upstream not in self._behind(n.id)
            and not read.isdisjoint(self._behind(n.id))
        ]
        inner = frozenset().union(*(self._behind(n) - {n} for n in able)) if able else frozenset()

        def rank(node: int) -> tuple[bool, bool, bool, int]:
            return not self.belongs(upstream, node), node in inner, not tape.nodes[node].names, -node

        return tuple(sorted(able, key=rank))

    def belongs(self, upstream: int, output: int) -> bool:
        """Whether something was made in the shape of an output, or is called so: ``dout`` and ``out``."""
        sized = {k for n in self.tape.operands(upstream) for k in (n, *self.tape.operands(n))}
        return output in sized or self.is_called_so(upstream, output)

    def is_called_so(self, upstream: int, output: int) -> bool:
        """Whether a name is that of an output with a prefix for its gradient: ``dout`` and ``out``."""
        for name in self.tape.nodes[upstream].names:
            for of in self.tape.nodes[output].names:
                plain, wanted = name.rpartition(".")[2], of.rpartition(".")[2]
                if plain.lower().endswith(wanted.lower()) and _PREFIX.match(
                    plain[: len(plain) - len(wanted)]
                ):
                    return True
        return False

    def says_gradient(self, leaf: int) -> bool:
        """Whether a leaf is called a gradient, or as another array is with a ``d`` before its name."""
        names = [n.rpartition(".")[2] for n in self.tape.nodes[leaf].names]
        return any(_UPSTREAM.search(n) or (n[:1] == "d" and n[1:].lstrip("_") in self._names) for n in names)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(
            n.rpartition(".")[2] for node in self.tape.window_nodes() if is_real(node) for n in node.names
        )

    @cached_property
    def _from_gradients(self) -> frozenset[int]:
        """What is computed from leaves that are called gradients: no output of a forward pass."""
        leaves = [n.id for n in self.tape.window_nodes() if n.kind in GIVEN and is_real(n) and n.shape]
        cuts = self.matcher.updates.keys()
        return frozenset().union(*(descendants(self.tape, n, cuts) for n in leaves if self.says_gradient(n)))

    # Which pairs most results come out as gradients of.

    def _merged(self) -> Iterator[Backward]:
        """Backward passes; from several arrays together where more comes out so, as from ``dh`` and ``dc`` of a step."""
        alone = {u: self._best((u,)) for u in self.upstream}
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
                unread = tuple(p for u in self._unread if (p := self._beside(u, best)) is not None)
                yield Backward((*best.pairs, *unread), best.explained)

    @cached_property
    def _unread(self) -> tuple[int, ...]:
        """Data that are called gradients and from which nothing is computed, as where a term was forgotten."""
        leaves = (n for n in self.tape.window_nodes() if n.kind in (Kind.LEAF, Kind.RANDOM) and is_real(n) and n.shape)
        return tuple(n.id for n in leaves if not self.tape.users(n.id) and self.says_gradient(n.id))

    def _beside(self, unread: int, backward: Backward) -> Pair | None:
        """The output whose gradient an array was to be that is handed to the same function as another one."""
        tape = self.tape
        last = max(p.output for p in backward.pairs)
        behind = frozenset().union(*(self._behind(p.output) for p in backward.pairs))
        outputs = [n for n in behind if tape.nodes[n].shape == tape.nodes[unread].shape and n <= last]
        called = [n for n in outputs if self.is_called_so(unread, n) and tape.nodes[n].kind not in GIVEN]
        calls = {call.site.text for n in backward.explained for call in tape.nodes[n].calls}
        names = [set(tape.nodes[u].names) for u in (unread, *(p.upstream for p in backward.pairs))]
        together = any(all(names_of_one & _handed(text) for names_of_one in names) for text in calls)
        return Pair(unread, max(called)) if together and called else None

    def _all_belong(self, backward: Backward) -> bool:
        return all(self.belongs(p.upstream, p.output) for p in backward.pairs)

    def _further(self, backward: Backward) -> Iterator[Backward]:
        """Backward passes of other layers that start from the same array."""
        upstream = tuple(p.upstream for p in backward.pairs)
        seen = [backward]
        while True:
            known = frozenset().union(*(b.explained for b in seen))
            rest = [n for n in self._results(upstream) if n not in known]
            apart = {o for u in upstream for o in self.outputs(u) if not self._is_related(o, seen)}
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
        outputs = [[o for o in self.outputs(u) if allowed is None or o in allowed] for u in upstream]
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
        said = any(self.says_gradient(u) for u in upstream)
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


def _handed(call: str) -> set[str]:
    """The variables that a call hands to a function."""
    try:
        read = ast.parse(call.strip(), mode="eval").body
    except SyntaxError:
        return set()
    given = [*read.args, *(k.value for k in read.keywords)] if isinstance(read, ast.Call) else []
    return {ast.unparse(a) for a in given if isinstance(a, (ast.Name, ast.Attribute))}


def _writes_to(node: Node, array: int) -> bool:
    """Whether a node is an array after a change in place."""
    return node.kind is Kind.MUTATION and bool(node.args) and node.args[0] == Ref(array)


def _proportional(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two lists of several numbers are equal up to a factor that is not 0."""
    if one.shape != other.shape or one.size < 2:
        return False
    square = float(other @ other)
    factor = float(one @ other) / square if square > 0 else 0.0
    error = float(np.max(np.abs(one - factor * other)))
    return factor != 0 and error <= 1e-8 * float(np.max(np.abs(one)))
