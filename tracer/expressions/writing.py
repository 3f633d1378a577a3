"""What was derived, written down: statements, formulas, steps.

Comes in: a `Recorded` expression and an array.  Goes out: `Written`, the best way to write it first; whoever
takes one runs its code before it is shown.  Invariant: code starts from the inputs and the upstream gradient alone.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tracer.calculus import NoDerivative, TooLarge, arrays_in, backward, constant, fresh
from tracer.calculus.printing import NoForm
from tracer.calculus.terms import Index
from tracer.explanation.building.array_code import array_code, names_in
from tracer.explanation.building.derivations import DerivationWriter
from tracer.explanation.model import Derivation, Formula, Input, Step
from tracer.expressions.differences import run, upstream_at
from tracer.expressions.formulas import Formulas
from tracer.expressions.recorded import Recorded
from tracer.expressions.vocabulary import Names, names_for, with_definitions
from tracer.formula import symbol
from tracer.formula.tree import Partial
from tracer.gradients.derivation import derive
from tracer.gradients.derived import Known
from tracer.gradients.stations import find_cone

Free = tuple[Index | int, ...]


@dataclass(frozen=True)
class Written:
    """One way to write a gradient.

    Attributes:
        code: statements that leave it in the variable of the result; empty if they could not be compared with anything.
        matrix, index: its formula, in whole arrays and entry by entry.
        derivation: the steps that lead to it, if there are any.
    """

    code: str
    matrix: Formula | None
    index: Formula | None
    derivation: Derivation | None


#: Seconds of the processor after which no further way of writing is looked for.
_ENOUGH = 0.8


def write(recorded: Recorded, wrt: str, result: str) -> Iterator[Written]:
    """The gradient by an array, written in several ways: the shortest first; without a derivation if there is none.

    Raises:
        NoForm, NoDerivative, TooLarge, KeyError, ValueError: there is no way to write it.
    """
    if not recorded.reaches_smoothly(wrt):
        yield _Writer(recorded, wrt, result, recorded.own, recorded.own).nothing()
        return
    found: list[Written] = []
    start = time.thread_time()
    for named in recorded.named:
        for readable in dict.fromkeys((recorded.own, named)):
            if found and time.thread_time() - start > _ENOUGH:
                break
            try:
                found.append(_Writer(recorded, wrt, result, named, readable).derived())
            except (NoForm, NoDerivative, TooLarge, KeyError, ValueError):
                continue
    yield from sorted(found, key=lambda w: _length(w, recorded.value))
    if found:
        return
    yield _Writer(recorded, wrt, result, recorded.named[0], recorded.own).composed()


def _length(written: Written, value: str) -> tuple[int, int]:
    """How many operations code has besides those of the expression itself; then how long its formula is."""
    total = 0
    work = (ast.BinOp, ast.UnaryOp, ast.Call, ast.Compare, ast.Assign, ast.AugAssign, ast.For)
    for statement in ast.parse(written.code).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == value:
            total += 1
        else:
            total += sum(isinstance(node, work) for node in ast.walk(statement))
    return total, len(written.matrix.text) if written.matrix else 0


@dataclass
class _Writer:
    """Writes one gradient over the nodes in ``named``, if possible with those in ``readable`` only."""

    recorded: Recorded
    wrt: str
    result: str
    named: frozenset[int]
    readable: frozenset[int]

    def derived(self) -> Written:
        """With a derivation step by step.

        Raises:
            NoForm, NoDerivative, TooLarge, KeyError, ValueError: there is none that could be written.
        """
        recorded, graph = self.recorded, self.recorded.graph
        node = graph.representative(recorded.leaves[self.wrt])
        cone = find_cone(graph, recorded.root, node, (), self.named)
        known = {
            graph.name(recorded.output): Known(graph.name(recorded.bound[recorded.upstream]), constant(1))
        }
        derived = derive(graph, cone, known, constant(1), {graph.name(n) for n in self.readable})
        names = names_for(recorded, self.result)
        for adjoint in derived.computed.values():
            if graph.node_of(adjoint.array) is None:
                names.partials[adjoint.array] = (graph.name(recorded.root), adjoint.array[1:])
        writer = DerivationWriter(graph, derived, names, self._positive(), frozenset(), self.named)
        written = writer.write()
        steps = tuple(self._step(names, step) for step in written.derivation.steps)
        steps = tuple(s for s in steps if not _says_nothing(s))
        if not steps_agree(recorded, steps):
            raise ValueError("the steps do not agree")
        where = Formulas(recorded, names, dict(derived.held))
        left = Partial(symbol(recorded.loss), symbol(self.wrt))
        return Written(
            self._statements(names, written.numpy),
            where.formula(left, derived.result, derived.free, True),
            where.formula(left, derived.result, derived.free, False),
            Derivation(self._inputs(written.derivation), steps),
        )

    def nothing(self) -> Written:
        """Zero: the expression is a step function of the array, or takes its shape only."""
        recorded = self.recorded
        names = names_for(recorded, self.result)
        free: Free = tuple(fresh(a, "a") for a in recorded.graph.axes(recorded.leaves[self.wrt]))
        where = Formulas(recorded, names, {})
        left = Partial(symbol(recorded.loss), symbol(self.wrt))
        formula = where.formula(left, (), free, True)
        why = (
            f"A small change of {self.wrt} does not change the expression: comparisons, signs and positions jump, and "
            "are constant in between."
        )
        about = f"d{recorded.loss}/d{self.wrt}"
        zeros = f"np.zeros_like({self.wrt})"
        step = Step("constant", why, about, formula.latex, formula.text, formula.mathml, f"result = {zeros}")
        index = where.formula(left, (), free, False)
        return Written(f"{self.result} = {zeros}", formula, index, Derivation({}, (step,)))

    def composed(self) -> Written:
        """In one piece: the chain rule through every operation, multiplied out."""
        recorded, graph = self.recorded, self.recorded.graph
        array = graph.name(recorded.leaves[self.wrt])
        root = graph.name(recorded.root)
        found = backward(graph.named_definitions(), root, wrt=[array], axes=graph.array_axes())
        free, expr = found[array]
        names = names_for(recorded, self.result)
        names.at_hand = sorted(arrays_in(expr) | {array})
        for used in names.at_hand:
            names.array(used)
        code = array_code(expr, free, names)
        where = Formulas(recorded, names, {})
        left = Partial(symbol(recorded.loss), symbol(self.wrt))
        index = where.formula(left, expr, free, False)
        told = with_definitions(
            recorded, names, code if "result" in names_in(code)[1] else f"result = {code}"
        )
        step = Step(
            "chain rule",
            "The chain rule through every operation of the expression, multiplied out.",
            f"d{recorded.loss}/d{self.wrt}",
            index.latex,
            index.text,
            index.mathml,
            told,
        )
        return Written(
            self._statements(names, code.removeprefix("result = ") if code.count("\n") == 0 else code),
            where.formula(left, expr, free, True),
            index,
            Derivation({}, (step,)),
        )

    def _step(self, names: Names, step: Step) -> Step:
        """The step with code from the inputs, and with a word about the upstream gradient where that is put in."""
        code = with_definitions(self.recorded, names, step.code)
        value, upstream = self.recorded.value, self.recorded.upstream
        if step.rule == "substitute" and re.search(rf"\b{value}\b", step.why):
            return replace(
                step, code=code, why=f"{step.why} {upstream} stands for ∂{self.recorded.loss}/∂{value}."
            )
        return replace(step, code=code)

    def _statements(self, names: Names, numpy: str) -> str:
        """Code that leaves the gradient in the variable of the result."""
        if "result" in names_in(numpy)[1]:
            code = re.sub(r"\bresult\b", self.result, numpy)
        else:
            code = f"{self.result} = {numpy}"
        return with_definitions(self.recorded, names, code)

    def _positive(self) -> frozenset[str]:
        graph = self.recorded.graph
        real = [n for n in self.recorded.tape.nodes if n.dtype.startswith("float") and n.shape and n.op]
        return frozenset(graph.name(n.id) for n in real if np.size(n.value) and float(np.min(n.value)) > 0)

    def _inputs(self, derivation: Derivation) -> dict[str, Input]:
        given = {*self.recorded.leaves, self.recorded.upstream}
        return {name: found for name, found in derivation.inputs.items() if name in given}


def steps_agree(recorded: Recorded, steps: Iterable[Step], seeds: Iterable[int] = (11, 12)) -> bool:
    """Whether the code of all steps about the same quantity gives the same numbers, from the inputs alone."""
    told = list(steps)
    inputs = recorded.inputs
    for seed in seeds:
        point = inputs.draw(seed)
        value = upstream_at(inputs, point, seed)
        results: dict[str, Any] = {}
        for step in told:
            try:
                found = np.asarray(run(step.code, "result", inputs, point, recorded.upstream, value)) + 0.0
            except Exception:
                return False
            first = results.setdefault(step.left, found)
            if first.shape != found.shape or not np.allclose(first, found, rtol=1e-8, atol=1e-10):
                return False
            if not np.all(np.isfinite(found)):
                return False
    return True


def _says_nothing(step: Step) -> bool:
    """A formula whose sides are written alike."""
    left, _, right = step.text.partition(" = ")
    return left == right
