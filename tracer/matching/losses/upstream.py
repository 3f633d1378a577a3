"""The arrays that a backward pass may start from, and the outputs of forward passes that they may be gradients by.

Comes in: a matcher that has run.  Goes out: candidates, the likeliest first, by when and in which shape they were made and
by what they are called.  Which of them are meant is decided elsewhere, by what comes out of the backward pass.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tracer.gradients.adjoints import is_real
from tracer.matching.linear import descendants
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import GIVEN, Tape

#: What the gradient that comes in is called: ``dA``, ``d_out``, ``dout``, ``grad_output``, ``delta``.
_UPSTREAM = re.compile(
    r"^_?(d_?[A-Z]|d_|dout|[dg]y$|g_)|(?i:grad|delta|upstream|incoming|adjoint|cotangent)|_bar$"
)
#: What stands before the name of an output in the name of its gradient.
_PREFIX = re.compile(r"^_?(d[l_]?_?|dl_?d|grad(ient)?s?_?|delta_?|upstream_?|g_)$", re.I)
#: How many arrays are looked at, and how many outputs are tried for each.
_MOST_UPSTREAM, _MOST_OUTPUTS = 24, 8


@dataclass
class Upstreams:
    """Finds what may come in to a backward pass."""

    matcher: Matcher

    @property
    def tape(self) -> Tape:
        return self.matcher.graph.tape

    def _behind(self, node: int) -> frozenset[int]:
        return self.matcher.all_ancestors(node)

    @cached_property
    def found(self) -> tuple[int, ...]:
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
        read = {k for k in self._together_behind(given) if tape.nodes[k].shape and is_real(tape.nodes[k])}
        read.discard(upstream)
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

    def _together_behind(self, nodes: Iterable[int]) -> set[int]:
        """What several nodes are computed from, with themselves; in one walk, since a loop over entries makes many."""
        seen: set[int] = set()
        todo = list(nodes)
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += self.tape.operands(node) if node not in self.matcher.updates else ()
        return seen

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

    @cached_property
    def unread(self) -> tuple[int, ...]:
        """Data that are called gradients and from which nothing is computed, as where a term was forgotten."""
        leaves = (
            n
            for n in self.tape.window_nodes()
            if n.kind in (Kind.LEAF, Kind.RANDOM) and is_real(n) and n.shape
        )
        return tuple(n.id for n in leaves if not self.tape.users(n.id) and self.says_gradient(n.id))

    def beside(
        self, unread: int, upstream: Sequence[int], outputs: Sequence[int], results: frozenset[int]
    ) -> int | None:
        """The output whose gradient an array was to be that is handed to the same function as others.

        Arguments:
            upstream, outputs: the others, and their outputs.
            results: what the function computes from them.
        """
        tape, last = self.tape, max(outputs)
        behind = frozenset().union(*map(self._behind, outputs))
        alike = [n for n in behind if tape.nodes[n].shape == tape.nodes[unread].shape and n <= last]
        called = [n for n in alike if self.is_called_so(unread, n) and tape.nodes[n].kind not in GIVEN]
        calls = {call.site.text for n in results for call in tape.nodes[n].calls}
        names = [set(tape.nodes[u].names) for u in (unread, *upstream)]
        together = any(all(names_of_one & _handed(text) for names_of_one in names) for text in calls)
        return max(called) if together and called else None


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
