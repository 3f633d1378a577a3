"""An expression recorded on a tape, as the forward pass of L = Σ G ⊙ expression.

Comes in: an `Expression` and its `Inputs`.  Goes out: `Recorded`, the tape with its index formulas, and which
node is which.  Invariant: axes are told apart by their names, because each is made from a variable of its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tracer.calculus.adjoint import differentiable_operands
from tracer.calculus.terms import Axis
from tracer.expressions.errors import CannotDerive
from tracer.expressions.inputs import COMPLEX, Inputs
from tracer.gradients.adjoints import is_continuous
from tracer.gradients.axis_names import AxisNames
from tracer.gradients.graph import Graph
from tracer.gradients.graph_building import build_graph
from tracer.ops import STEP_FUNCTIONS
from tracer.program import parse
from tracer.recording import RecordingError, record_source
from tracer.tape.node import Kind, Node
from tracer.tape.tape import Tape

#: Operations that are linear in each operand, or that only move entries; and those that are rational.
_LINEAR = frozenset(
    "add subtract multiply negative positive matmul dot sum mean transpose reshape ravel flatten expand_dims squeeze "
    "getitem take swapaxes moveaxis copy astype asarray einsum tensordot inner outer concatenate stack "
    "axis_size size shape sum_of trace diagonal".split()
)
#: How often numbers are drawn for which the expression might not fail.
_MOST_SEEDS = 12
_RATIONAL = frozenset(("divide", "power", "square", "sqrt", "reciprocal"))


@dataclass
class Recorded:
    """The tape of an expression.

    Attributes:
        value, upstream, loss: what the expression, the gradient by it, and their product are called.
        root, output: the nodes of the loss and of the expression.
        leaves: array → its node.
        bound: name → the node that it was bound to last.
        letters: array of a formula → the letter that it has been given.
        first_line: the line of the recorded program on which the expression begins.
    """

    inputs: Inputs
    tape: Tape
    graph: Graph
    value: str
    upstream: str
    loss: str
    root: int
    output: int
    leaves: Mapping[str, int]
    first_line: int
    bound: Mapping[str, int]
    letters: dict[str, str] = field(default_factory=dict)

    @cached_property
    def behind(self) -> frozenset[int]:
        """The nodes that the expression is computed from, with itself."""
        seen: set[int] = set()
        todo = [self.output]
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += self.tape.operands(node)
        return frozenset(seen)

    @cached_property
    def own(self) -> frozenset[int]:
        """The nodes that have a name: arrays, sizes, the value, the upstream gradient."""
        return frozenset(n.id for n in self.tape.nodes if n.names)

    @cached_property
    def named(self) -> tuple[frozenset[int], ...]:
        """Choices of nodes to be steps of a derivation: what any function is applied to, less of that, none but the own."""
        every, fewer = self._operands_of(_LINEAR), self._operands_of(_LINEAR | _RATIONAL)
        return tuple(dict.fromkeys((self.own | every, self.own | fewer, self.own)))

    def _operands_of(self, plain: frozenset[str]) -> frozenset[int]:
        """What operations are applied to, other than the plain ones."""
        found: set[int] = set()
        for node in self.behind:
            recorded = self.tape.nodes[node]
            if recorded.kind is Kind.LITERAL or not recorded.op or self.graph.representative(node) != node:
                continue
            for operand in self.tape.operands(node):
                inner = self.tape.nodes[operand]
                compound = inner.op and inner.kind is not Kind.RANDOM and is_continuous(inner)
                if compound and recorded.op not in plain:
                    found.add(self.graph.representative(operand))
        return frozenset(found)

    def on_the_way(self, wrt: str) -> tuple[int, ...]:
        """The nodes between an array and the value of the expression, in order, both included."""
        start = self.leaves[wrt]
        reached = {start}
        for node in sorted(self.behind):
            if any(k in reached for k in self.tape.operands(node)):
                reached.add(node)
        return tuple(sorted(reached))

    def smooth_way(self, wrt: str) -> tuple[int, ...]:
        """The nodes of numbers that change with an array through such nodes, in order."""
        reached = [self.leaves[wrt]]
        for number in self.on_the_way(wrt)[1:]:
            node = self.tape.nodes[number]
            moved = any(k in reached for k in self.tape.operands(number))
            if moved and is_continuous(node):
                reached.append(number)
        return tuple(reached)

    def reaches_smoothly(self, wrt: str) -> bool:
        """Whether the value of the expression changes with an array where it is smooth."""
        if self.output == self.leaves[wrt]:
            return True
        graph = self.graph
        start = graph.name(self.leaves[wrt])
        changing = {start}
        for number in self.smooth_way(wrt)[1:]:
            definition = graph.definitions.get(graph.representative(number))
            if definition is None and self.tape.nodes[number].op in STEP_FUNCTIONS:
                continue
            if definition is None or changing & set(differentiable_operands(definition)):
                changing.add(graph.name(number))
        return graph.name(self.output) in changing

    def error(self, message: str, node: Node, hint: str) -> CannotDerive:
        """An error about a node, at its place in the expression."""
        if node.site is None:
            return CannotDerive(message, hint=hint)
        line = node.site.span.line - self.first_line + 1
        return CannotDerive(message, self.inputs.expression.text, line, node.site.span.column, hint)


def record(inputs: Inputs, code: Iterable[str] = ()) -> Recorded:
    """Record the expression, and after it some statements.

    Arguments:
        code: statements, such as the code that was derived.

    Raises:
        CannotDerive: it fails at all numbers that were drawn.
    """
    after = tuple(code)
    for seed in range(_MOST_SEEDS):
        try:
            return _record(inputs, after, seed)
        except RecordingError as error:
            failed = error
    text = inputs.expression.text
    raise CannotDerive(
        f"It could not be recorded: {failed.message}", text, hint="Derive its parts one by one."
    )


def _record(inputs: Inputs, code: tuple[str, ...], seed: int) -> Recorded:
    expression = inputs.expression
    taken = {*inputs.shapes, *inputs.sizes, *expression.modules, *expression.sizes}
    value = free_name(("Y", "out", "value"), taken)
    upstream = free_name(("G", "dY", "upstream"), taken | {value})
    loss = free_name(("L", "loss", "total"), taken | {value, upstream})
    lines = [*expression.imports(), f"np.random.seed({seed})"]
    lines += [f"{name} = {size}" for name, size in inputs.sizes.items()]
    lines += [f"{name} = {_drawn(inputs, name)}" for name in expression.arrays]
    shape = np.shape(inputs.value(inputs.draw(1)))
    of_complex = np.iscomplexobj(inputs.value(inputs.draw(1)))
    number = f"np.random.uniform(0.5, 2.0, {shape})" if shape else "1.5"
    turned = f" + 1j * np.random.uniform(0.5, 2.0, {shape})" if shape else " + 0.7j"
    lines.append(f"{upstream} = {number}{turned if of_complex else ''}")
    total = f"np.sum({upstream} * {value})"
    total = f"np.real({total})" if of_complex else total
    lines.append(f"{value} = (")
    first = len(lines) + 1
    lines += [*expression.text.split("\n"), ")", f"{loss} = {total}", *code]
    with np.errstate(all="ignore"):
        recording = record_source(parse("\n".join(lines) + "\n", "<expression>"))
    tape = recording.tape
    graph = build_graph(tape)
    bound = {binding.name: binding.node for binding in tape.bindings}
    recorded = Recorded(
        inputs, tape, graph, value, upstream, loss, bound[loss], bound[value],
        {name: bound[name] for name in expression.arrays}, first, bound,
    )  # fmt: skip
    _name_sizes(recorded)
    return recorded


def free_name(wanted: Iterable[str], taken: Iterable[str]) -> str:
    """The first of the names that is not taken, else the first one with a number."""
    used, names = set(taken), list(wanted)
    numbered = (f"{names[0]}{k}" for k in range(1, len(used) + 2))
    return next(name for name in (*names, *numbered) if name not in used)


def _drawn(inputs: Inputs, name: str) -> str:
    """Code that draws an array of the program that is recorded."""
    axes = inputs.shapes[name]
    shape = "(" + "".join(f"{axis}, " for axis in axes) + ")"
    if inputs.kinds[name] == COMPLEX:
        parts = (f"np.random.uniform({low}, 2.0{', ' + shape if axes else ''})" for low in ("0.3", "-2.0"))
        return " + 1j * ".join(parts)
    match inputs.kinds[name]:
        case "mask":
            return f"(np.random.permutation(np.prod({shape})) % 3 > 0).reshape{shape}"
        case "integer":
            if not axes:
                return str(inputs.below[name] - 1)
            return f"np.random.randint(0, {inputs.below[name]}, {shape})"
        case "positive":
            low, high = "0.3", "2.0"
        case "between 0 and 1":
            low, high = "0.1", "0.9"
        case "between -1 and 1":
            low, high = "-0.9", "0.9"
        case "greater than 1":
            low, high = "1.2", "3.0"
        case "positive definite":
            low, high = "0.1", "1.0"
        case _:
            low, high = "-2.0", "2.0"
    return f"np.random.uniform({low}, {high}, {shape})" if axes else f"np.random.uniform({low}, {high})"


def _name_sizes(recorded: Recorded) -> None:
    """An axis that was given as a number is called by it."""
    graph = recorded.graph
    names: dict[Axis, str] = dict(graph.axis_names.names)
    for name, node in recorded.leaves.items():
        for axis, given in zip(graph.axes(node), recorded.inputs.shapes[name]):
            if axis is not None and isinstance(given, int):
                names.setdefault(graph.table.find(axis), str(given))
    graph.axis_names = AxisNames(names)
