"""Which numbers of a program may be the factor between a recorded value and a gradient.

Hyper-parameters, sizes, counts that a mean divides by, and the numbers written in the expression itself.  Comes in:
the formulas of a tape, its replays, and the roots that are likely.  Goes out: for a node, the `Scalar`s that may name
its factor, the sizes to look a number up by, and the name of a factor that was measured.  Invariant: an integer names
a factor only by where it comes from (a vocabulary of 5 is not every 5), and a scalar only where it goes into the node
or into the root.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from functools import cached_property

from tracer.gradients.adjoints import ancestors, is_real
from tracer.gradients.graph import Graph
from tracer.gradients.named_sizes import MEANS, mean_counts
from tracer.matching.replays import Replays
from tracer.matching.scale import NamedScale, Scalar, name_scale
from tracer.tape.node import Kind, Node

#: Operations through which an integer may become a factor of a gradient.
_FACTORS = frozenset(("multiply", "divide", "power"))
#: Operations whose numbers are factors of what they give.
_SCALING = frozenset(("multiply", "divide", "negative", "true_divide"))
#: Of more scalars than these the first are looked up by; of more than the second, no pairs.
_MOST_NAMED, _MOST_FOR_PAIRS = 40, 8
#: Of the scalars that a value is multiplied by the first ones are looked at.
_MOST_AROUND = 4


class Factors:
    """The scalars of a tape that may be factors, and what each node may be scaled by.

    Arguments:
        cuts: where the parameters are new: nothing behind is a factor of what comes after.
        live: the nodes that depend smoothly on a leaf; what is computed from them is no setting.
        roots: the likely losses; what goes into them is looked for first.
        compound: the nodes that may have several factors at once, a number of their own and one of the program.
        parameters: the versions of what is updated; a number that one is multiplied by is data, and no setting.
    """

    def __init__(
        self,
        graph: Graph,
        replays: Replays,
        *,
        cuts: Collection[int],
        live: Collection[int],
        roots: Iterable[int],
        compound: Collection[int] = (),
        parameters: Set[int] = frozenset(),
    ) -> None:
        self._graph, self._tape, self._replays = graph, graph.tape, replays
        self._cuts, self._live, self._roots, self._compound = cuts, live, tuple(roots), compound
        self._parameters = parameters
        self._behind: list[frozenset[int]] = []

    def scalars(self, node: int, root: int) -> list[Scalar]:
        """The scalars that may name a factor between ``node`` and a gradient of ``root``."""
        inside = sorted(self._factors_behind(root) | self._factors_behind(node))
        found = {s.key: s for n in inside if (s := self._named.get(n)) is not None}
        for count in mean_counts(self._graph, inside):
            text = " * ".join(self._graph.axis_text(a) for a in count.axes)
            values = (float(count.count),) * len(self._replays.values)
            found.setdefault(count.key, Scalar(count.key, text, values, True))
        return list(found.values())

    def literals(self, node: int) -> frozenset[float]:
        """The numbers that an expression multiplies or divides by, down to what it has a name for."""
        tape = self._tape
        found: set[float] = set()
        todo = [node]
        while todo:
            current = tape.nodes[todo.pop()]
            if current.op not in _SCALING:
                continue
            numbers = [a for a in current.args if isinstance(a, int | float)]  # such as the length of a list
            for operand in tape.operands(current.id):
                inner = tape.nodes[operand]
                if inner.kind is Kind.LITERAL and isinstance(inner.value, int | float):
                    numbers.append(inner.value)
                elif not inner.names:
                    todo.append(operand)
            found |= {float(n) for n in numbers if n} | {1 / float(n) for n in numbers if n}
        return frozenset(found)

    def sizes(self, node: int) -> list[float]:
        """The sizes, on the first replay, of the factors that a number may differ by from a gradient."""
        written = self.literals(node)
        several = [w * f for w in written for f in self._usual] if node in self._compound else []
        return [*self._usual, *written, *several, *self._multiplied_by(node)]

    def around(self, node: int) -> list[tuple[int, bool]]:
        """The named scalars that a value is multiplied by, one after the other, through any names; whether each divides."""
        tape, found = self._tape, list[tuple[int, bool]]()
        while tape.nodes[node].op in _SCALING and tape.nodes[node].window >= 0:
            operands = tape.operands(node)
            scalars = [k for k in operands if k in self._named]
            inner = [k for k in operands if k not in scalars and tape.nodes[k].kind not in (Kind.LITERAL, Kind.LEAF)]
            if len(inner) != 1:
                break
            found += [(s, tape.nodes[node].op in ("divide", "true_divide")) for s in scalars]
            [node] = inner
        return found

    def _multiplied_by(self, node: int) -> list[float]:
        """The sizes of the products of some of those, upside down where they divide; and twice and half of them.

        Which of the numbers beside a gradient belong to it is not known: ``rate * delta * x`` is half the rate times one.
        """
        products, around = [1.0], self.around(node)
        for scalar, divides in around[:_MOST_AROUND]:
            value = self._named[scalar].values[0]
            products += [size / value if divides else size * value for size in products if value]
        return [factor * size for factor in (1.0, 2.0, 0.5) for size in products[1:]]

    def named(self, scalars: Iterable[int]) -> list[Scalar]:
        """Scalars by their nodes, each once."""
        return list({s.key: s for n in scalars if (s := self._named.get(n)) is not None}.values())

    def of(self, node: int) -> NodeFactors:
        """The names of the factors of one node."""
        return NodeFactors(self, node)

    def _factors_behind(self, node: int) -> frozenset[int]:
        """The named scalars and the means that a node is computed from."""
        tape, found = self._tape, self._behind
        for current in range(len(found), len(tape.nodes)):
            own = current in self._named or tape.nodes[current].op in MEANS
            behind = [] if current in self._cuts else tape.operands(current)
            sets = {found[k] for k in behind if tape.nodes[k].window >= 0}
            largest = max(sets, key=len, default=frozenset[int]())  # often the union of all: then nothing is copied
            whole = largest if all(s <= largest for s in sets) else largest.union(*sets)
            found.append(whole | {current} if own else whole)
        return found[node]

    @cached_property
    def _usual(self) -> list[float]:
        """One, two, a half, what goes into the roots, what the program has a name for, and products of few of these."""
        counts = {float(c.count) for r in self._roots for c in mean_counts(self._graph, self._factors_behind(r))}
        named = [*counts, *(s.values[0] for s in self._named.values() if s.values[0])][:_MOST_NAMED]
        program = [*named, *(1 / v for v in named)]
        pairs = [a * b for a in program for b in program] if len(named) <= _MOST_FOR_PAIRS else []
        squares = [k * v for k in (2.0, 0.5) for v in program]  # a square was differentiated before the rate came in
        return list(dict.fromkeys([1.0, 2.0, 0.5, *program, *squares, *pairs]))

    @cached_property
    def _named(self) -> dict[int, Scalar]:
        """The scalars of the program that may be factors: hyper-parameters, sizes, counts that are divided by."""
        found: dict[int, Scalar] = {}
        for scalar in self._tape.window_nodes():
            if self._may_be_a_factor(scalar):
                values = tuple(float(v) for v in self._replays.of(scalar.id))
                text = scalar.names[0] if scalar.names else self._size_text(scalar)
                found[scalar.id] = Scalar(self._graph.name(scalar.id), text, values, not is_real(scalar))
        return found

    def _may_be_a_factor(self, scalar: Node) -> bool:
        if scalar.shape != () or scalar.dtype.startswith(("bool", "complex")) or scalar.kind is Kind.LITERAL:
            return False
        integer, leaf = not is_real(scalar), scalar.kind is Kind.LEAF
        if scalar.op != "axis_size" and not (scalar.names and (leaf or integer)):
            return False
        if integer and not self._scales_numbers(scalar):
            return False
        if not self._parameters.isdisjoint(self._multiplied_with(scalar.id)):
            return False
        return leaf or scalar.id not in self._live

    def _multiplied_with(self, scalar: int) -> Iterator[int]:
        """What the losses multiply a number by."""
        products = (u for u in self._tape.users(scalar) if self._tape.nodes[u].op == "multiply" and u in self._forward)
        return (k for u in products for k in self._tape.operands(u) if k != scalar)

    @cached_property
    def _forward(self) -> frozenset[int]:
        return frozenset(ancestors(self._tape, self._roots, self._cuts))

    def _scales_numbers(self, integer: Node) -> bool:
        users = (self._tape.nodes[u] for u in self._tape.users(integer.id))
        return any(is_real(user) and user.op in _FACTORS for user in users)

    def _size_text(self, size: Node) -> str:
        """What the reader calls a size that has no name of its own: the name of the axis."""
        axis = self._graph.axes(size.args[0].node)[int(size.kwargs.get("axis", 0))]
        return self._graph.axis_text(axis)


class NodeFactors:
    """Names the factors of one node over gradients; what may name them is looked up once for each root."""

    def __init__(self, factors: Factors, node: int) -> None:
        self._factors, self._node = factors, node
        self._scalars: dict[int, list[Scalar]] = {}

    @cached_property
    def _literals(self) -> frozenset[float]:
        return self._factors.literals(self._node)

    def name(self, measured: Sequence[float], root: int) -> NamedScale | None:
        """The name of a factor over a gradient of ``root``; None if nothing constant or named fits."""
        if root not in self._scalars:
            self._scalars[root] = self._factors.scalars(self._node, root)
        named = name_scale(measured, self._scalars[root], self._literals)
        # Of very many scalars no pair is tried, but of those that the value itself is multiplied by.
        return named if named is not None and named.rank <= 3 else self._of_own(measured) or named

    def _of_own(self, measured: Sequence[float]) -> NamedScale | None:
        own = name_scale(measured, self._own, self._literals) if self._own else None
        return own if own is not None and own.rank <= 3 else None

    @cached_property
    def _own(self) -> list[Scalar]:
        return self._factors.named(scalar for scalar, _ in self._factors.around(self._node))
