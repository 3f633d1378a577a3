"""A derivation as the model wants it: inputs, and steps with formula, reason and executable code.

Comes in: a `Derived` from the calculus, and a vocabulary.  Goes out: a `Derivation`.  Invariant: every code
was run, at random small inputs, before it is shown; steps about the same quantity agreed.  A derivation
that does not pass is not shown.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from msgspec import Struct

from tracer.calculus import arrays_in
from tracer.calculus.complex_values import is_complex, is_weights, without_conjugates
from tracer.calculus.printing import Letters, NoForm, matrix_code, open_code, statements
from tracer.calculus.terms import Axis, Definition, Delta, Entry, Expr, Factor, Function, Index
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.explanation.model import Derivation, Input, Step
from tracer.explanation.words.reasons import reason
from tracer.formula import (
    Tree,
    entry,
    equation,
    index_form,
    matrix_formula,
    plus,
    render,
    scalar_symbol,
    sum_over,
    times,
)
from tracer.formula.tree import Conjugate, Parenthesised, Partial, Subscript, Text
from tracer.gradients.derived import DerivationStep, Derived, Quantity
from tracer.gradients.graph import Graph
from tracer.gradients.local import forward_formula


class WrittenDerivation(Struct, frozen=True):
    """A derivation with the code of its last step."""

    derivation: Derivation
    numpy: str
    passed: bool


def array_code(expr: Expr, free: tuple[Index | int, ...], names: Vocabulary) -> str:
    """Code that leaves the value in ``result``: an expression if there is one, else statements."""
    try:
        return "result = " + matrix_code(expr, free, names)
    except NoForm:
        pass
    try:
        return statements(expr, free, names, "result")
    except NoForm:
        return open_code(expr, free, names)


def spelled_out(expr: Expr, names: Vocabulary, temporaries: Mapping[str, Definition]) -> Vocabulary:
    """The vocabulary in which an array without a name is written as the code that makes it."""
    told = Vocabulary(
        names.graph, names.root_name, names.partials, list(names.at_hand), dict(names.identifiers)
    )
    for array in sorted(without_conjugates(arrays_in(expr))):
        inner = temporaries.get(array)
        if inner is None:
            continue
        told.at_hand = [
            *sorted(without_conjugates(arrays_in(inner.expr)) - set(temporaries)),
            *(a for a in told.at_hand if a != array),
        ]
        code = array_code(inner.expr, inner.free, spelled_out(inner.expr, names, temporaries))
        if code.startswith("result = ") and code.count("\n") == 0:
            told.identifiers[array] = code.removeprefix("result = ")
        told.at_hand.append(array)
    return told


def prelude(expr: Expr, computed: Mapping[str, Definition], names: Vocabulary) -> str:
    """Code that computes those arrays of an expression, and of their definitions, that are ``computed``, and weights."""
    needed = without_conjugates(arrays_in(expr))
    waiting = list(needed)
    while waiting:
        definition = computed.get(waiting.pop())
        new = without_conjugates(arrays_in(definition.expr)) - needed if definition else set()
        needed |= new
        waiting += new
    node_of = names.graph.node_of
    ordered = sorted(computed.items(), key=lambda item: (node_of(item[0]) is None, node_of(item[0]) or 0))
    lines: list[str] = []
    for array in sorted(needed):
        code = names.weights(array)
        lines += [] if code is None else [f"{names.array(array)} = {code}"]
    for array, definition in ordered:
        if array in needed:
            code = names.code_of(definition, array_code)
            target = names.array(array)
            single = code.count("\n") == 0
            lines += (
                [code.replace("result = ", f"{target} = ", 1)] if single else [code, f"{target} = result"]
            )
    return "".join(f"{line}\n" for line in lines)


class DerivationWriter:
    """Writes the steps of one derivation."""

    def __init__(
        self,
        graph: Graph,
        derived: Derived,
        vocabulary: Vocabulary,
        positive: frozenset[str],
        one_hot: frozenset[str],
        named: frozenset[int],
        factor: Tree | None = None,
        factor_text: str = "1",
    ) -> None:
        self.graph, self.derived, self.names = graph, derived, vocabulary
        self.positive, self.one_hot, self.named = positive, one_hot, named
        self.factor, self.factor_text = factor, factor_text
        self.computed: dict[str, Definition] = {d.array: d for d in derived.computed.values()}
        used = {a for s in derived.steps for a in arrays_in(s.expr)}
        used |= {a for d in derived.held.values() for a in arrays_in(d.expr)}
        used |= without_conjugates(used)
        used |= self._behind(used)
        self.temporaries = self._made_up(used)
        self.computed = {**self.temporaries, **self.computed}
        self.temporaries = {**self.temporaries, **derived.held}
        used |= self._behind(used)
        order = sorted(used, key=lambda a: (self.graph.node_of(a) is None, self.graph.node_of(a) or 0, a))
        for name in order:
            self.names.array(name)
        self.names.at_hand = order
        self.letters = self._letters()

    def _made_up(self, arrays: Iterable[str]) -> dict[str, Definition]:
        """What the arrays are that the program has no name for, in what it has names for."""
        found: dict[int, Definition] = {}
        waiting = list(arrays)
        while waiting:
            node = self.graph.node_of(waiting.pop())
            if node is None or node in found or node in self.named or self.graph.name(node) in self.computed:
                continue
            definition = forward_formula(self.graph, node, self.named)
            if definition is not None:
                found[node] = definition
                waiting += without_conjugates(arrays_in(definition.expr))
        return {found[node].array: found[node] for node in sorted(found)}

    def _behind(self, arrays: Iterable[str]) -> set[str]:
        """The arrays that the computed ones among ``arrays`` are computed from."""
        found: set[str] = set()
        todo = list(arrays)
        while todo:
            definition = self.computed.get(todo.pop())
            for name in without_conjugates(arrays_in(definition.expr)) if definition else ():
                if name not in found:
                    found.add(name)
                    todo.append(name)
        return found

    def _letters(self) -> Letters:
        avoid = {self.names.array(a) for a in self.names.at_hand} | {"L"}
        letters = Letters(avoid=frozenset(avoid))
        for step in self.derived.steps:
            letters = letters.extended(step.free, step.expr)
        return letters

    def write(self) -> WrittenDerivation:
        """All steps, with their inputs, and the code of the result."""
        steps: list[Step] = []
        for step in self.derived.steps:
            if step.form == "matrix":
                steps += self._matrix(step)
            else:
                steps.append(self._index(step))
        inputs = self._inputs(steps)
        numpy = (
            steps[-1].code.removeprefix("result = ") if steps[-1].code.count("\n") == 0 else steps[-1].code
        )
        derivation = Derivation(inputs, tuple(steps))
        return WrittenDerivation(derivation, numpy, agrees(derivation, self._places(), self._tied_sizes()))

    def _tied_sizes(self) -> dict[str, int]:
        """The sizes of axes that a Fourier transform makes longer or shorter: they depend on one another."""
        tied: dict[str, int] = {}
        for array in self.names.at_hand:
            axes = (self.graph.weight_axes(array) if is_weights(array) else None) or ()
            if len(set(axes)) > 1:
                tied |= {self.graph.axis_text(a): self.graph.table.size(a) for a in axes if a is not None}
        return tied

    def _places(self) -> dict[str, int]:
        """How long axes must be at least, by name: so that they have every entry that is written by its number."""
        found: dict[str, int] = {}
        for expr in [s.expr for s in self.derived.steps] + [d.expr for d in self.computed.values()]:
            for term in expr:
                for factor, _ in term.factors:
                    for held in factor.arguments if isinstance(factor, Function) else (factor,):
                        for axis, place in _numbers(held, self.names):
                            name = self.graph.axis_text(axis)
                            found[name] = max(found.get(name, 0), place + 1)
        return found

    def _index(self, step: DerivationStep) -> Step:
        code = self.prelude(step.expr) + open_code(step.expr, step.free, self.names, self.letters)
        left = self._left(step.quantity, step.free)
        right = (
            self._chain_rule(step)
            if step.rule == "chain rule"
            else index_form(step.shown, step.free, self.letters, self.names.symbols(), self.names)
        )
        return self._step(step, left, right, self._left_text(step.quantity, step.free), code)

    def _matrix(self, step: DerivationStep) -> list[Step]:
        """The matrix form, after the index form of the same array."""
        alone = step.quantity.kind != "value"
        prelude = self.prelude(step.expr, self.temporaries if alone else None)
        left = self._left(step.quantity, ())
        text = self._left_text(step.quantity, (), whole=True)
        try:
            right = matrix_formula(step.expr, step.free, self.names, self.names.symbols(), self.letters)
        except NoForm:
            right = index_form(step.expr, step.free, self.letters, self.names.symbols(), self.names)
        if not alone:
            code = prelude + array_code(step.expr, step.free, self.names)
            return [self._step(step, left, right, self._left_text(step.quantity, step.free), code)]
        index = index_form(step.expr, step.free, self.letters, self.names.symbols(), self.names)
        entry_left = self._left(step.quantity, step.free)
        literal = prelude + open_code(step.expr, step.free, self.names, self.letters)
        code = array_code(step.expr, step.free, spelled_out(step.expr, self.names, self.temporaries))
        unsaid = {self.names.array(a) for a in self.temporaries}
        if _names_in(code)[0] & unsaid:
            code = prelude + code
        return [
            self._step(step, entry_left, index, text, literal, rule="every entry"),
            self._step(step, left, right, text, code),
        ]

    def _step(
        self,
        step: DerivationStep,
        left: Tree,
        right: Tree,
        left_text: str,
        code: str,
        rule: str | None = None,
    ) -> Step:
        latex, text, mathml = render(equation(left, right))
        why = reason(rule or step.rule, step, self.names, self.letters)
        return Step(rule or _rule_name(step), why, left_text, latex, text, mathml, code)

    def _left(self, quantity: Quantity, free: tuple[Index | int, ...]) -> Tree:
        indices = self._indices(quantity, free)
        if quantity.kind == "value":
            return entry(self.names.symbol(quantity.array), indices)
        if quantity.kind == "path":
            derivative = entry(Partial(self._root(), self.names.symbol(quantity.array)), indices)
            return Subscript(Parenthesised(derivative), (Text(f"through {self.names.source(quantity.wrt)}"),))
        if quantity.kind == "direct":
            return _directly(entry(Partial(self._root(), self.names.symbol(quantity.wrt)), indices))
        if quantity.kind == "local":
            split = len(self.names.axes(quantity.array) or ())
            of, by = tuple(indices[:split]), tuple(indices[split:])
            return Partial(self.names.symbol(quantity.array), self.names.symbol(quantity.wrt), of, by)
        if quantity.kind == "conjugate":
            return Conjugate(entry(Partial(self._root(), self.names.symbol(quantity.array)), indices))
        if quantity.kind == "slope":
            at = tuple(indices)
            return Partial(self.names.symbol(quantity.array), self.names.symbol(quantity.wrt), at, at)
        derivative = entry(Partial(self._root(), self.names.symbol(quantity.array)), indices)
        return (
            times([self.factor, derivative])
            if quantity.kind == "scaled" and self.factor is not None
            else derivative
        )

    def _root(self) -> Tree:
        return scalar_symbol(self.names.root_name)

    def _indices(self, quantity: Quantity, free: tuple[Index | int, ...]) -> list[Tree]:
        from tracer.formula import letter

        return [letter(self.letters[i]) if isinstance(i, Index) else letter("1") for i in free]

    def _left_text(self, quantity: Quantity, free: tuple[Index | int, ...], whole: bool = False) -> str:
        letters = [self.letters[i] if isinstance(i, Index) else "0" for i in free]
        at = f"[{', '.join(letters)}]" if letters else ""
        if not letters and not whole and quantity.kind in ("adjoint", "scaled", "direct", "path", "conjugate"):
            at = "[()]"  # the one entry of a scalar; without it, this would be the left side of the matrix form
        name = self.names.source(quantity.array)
        if quantity.array in self.names.sources:
            name = f"({name})"  # dL/d(W[i, j]) is a number, dL/dW[i, j] an entry of an array
        if quantity.kind == "value":
            return f"{name}{at}"
        if quantity.kind == "direct":
            return f"direct part of d{self.names.root_name}/d{self.names.source(quantity.wrt)}{at}"
        if quantity.kind == "local":
            split = len(self.names.axes(quantity.array) or ())
            of = f"[{', '.join(letters[:split])}]" if letters[:split] else ""
            by = f"[{', '.join(letters[split:])}]" if letters[split:] else ""
            return f"d{name}{of}/d{self.names.source(quantity.wrt)}{by}"
        if quantity.kind == "slope":
            return f"d{name}{at}/d{self.names.source(quantity.wrt)}{at}"
        if quantity.kind == "path":
            return f"d{self.names.root_name}/d{name}{at} through {self.names.source(quantity.wrt)}"
        if quantity.kind == "conjugate":
            return f"conj(d{self.names.root_name}/d{name}{at})"
        factor = f"{self.factor_text} * " if quantity.kind == "scaled" else ""
        return f"{factor}d{self.names.root_name}/d{name}{at}"

    def _chain_rule(self, step: DerivationStep) -> Tree:
        """Σ ∂L/∂out · ∂out/∂X, one sum for each consumer."""
        from tracer.formula import letter

        parts: list[tuple[int, Tree]] = []
        sole = [c for c, *_ in step.arguments.get("parts", ())] == [step.arguments.get("root")]
        if sole and not step.arguments.get("inner"):
            return index_form(step.shown, step.free, self.letters, self.names.symbols(), self.names)
        for expr in step.arguments.get("inner", ()):
            parts.append((1, index_form(expr, step.free, self.letters, self.names.symbols(), self.names)))
        for consumer, out, _ in step.arguments.get("parts", ()):
            bound = [i for i in out if isinstance(i, Index)]
            letters = [letter(self.letters[i]) for i in bound]
            shown = [letter(self.letters[i]) if isinstance(i, Index) else letter("1") for i in out]
            free = [letter(self.letters[i]) if isinstance(i, Index) else letter("1") for i in step.free]
            jacobian = Partial(
                self.names.symbol(consumer), self.names.symbol(step.quantity.array), tuple(shown), tuple(free)
            )
            if consumer == step.arguments.get("root") and len(step.arguments["parts"]) > 1:
                parts.append((1, _directly(entry(Partial(self._root(), jacobian.wrt), free))))
                continue
            upstream = (
                entry(Partial(self._root(), self.names.symbol(consumer)), shown)
                if consumer != step.arguments.get("root")
                else None
            )
            parts.append(
                (1, sum_over(letters, times([upstream, jacobian] if upstream is not None else [jacobian])))
            )
        return plus(parts)

    def prelude(self, expr: Expr, among: Mapping[str, Definition] | None = None) -> str:
        """Code that computes the arrays an expression relies on from others; only those ``among``, if given."""
        return prelude(expr, self.computed if among is None else among, self.names)

    def _inputs(self, steps: Iterable[Step]) -> dict[str, Input]:
        read: set[str] = set()
        for step in steps:
            read |= _names_in(step.code)[0]
        expressions = [s.expr for s in self.derived.steps] + [d.expr for d in self.computed.values()]
        below = _bounds(expressions, self.names)
        inputs: dict[str, Input] = {}
        for array, identifier in self.names.identifiers.items():
            if identifier in read:
                inputs[identifier] = self._input(array, below)
        return inputs

    def _input(self, array: str, below: Mapping[str, Axis | int]) -> Input:
        axes = tuple(self.graph.axis_text(a) for a in self.names.axes(array) or ())
        source = self.names.source(array)
        if array in below:
            bound = below[array]
            return Input(
                source, axes, "integer", self.graph.axis_text(bound) if isinstance(bound, Axis) else bound
            )
        if self.names.is_boolean(array):
            return Input(source, axes, "mask")
        if array in self.one_hot:
            return Input(source, axes, "one-hot")
        if is_complex(array):
            return Input(source, axes, "complex")
        if not axes and self.names.axes(array) == ():
            return Input(source, axes, "scalar")
        return Input(source, axes, "positive" if array in self.positive else "real")


@lru_cache(maxsize=4096)
def _names_in(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that code reads before it binds them, and those that it binds."""
    read: set[str] = set()
    bound: set[str] = set()
    if "\n" in code and "\n " not in code:
        for line in code.split("\n"):  # the same lines come again in the code of other steps
            reads, binds = _names_in(line)
            read |= reads - bound
            bound |= binds
    else:
        for statement in ast.parse(code).body:
            names = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
            read |= {n.id for n in names if isinstance(n.ctx, ast.Load)} - bound
            bound |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
    return frozenset(read), frozenset(bound)


def _directly(derivative: Tree) -> Tree:
    """A derivative as far as it does not go through other values."""
    return Subscript(Parenthesised(derivative), (Text("direct"),))


def _rule_name(step: DerivationStep) -> str:
    return (
        "as the code computes it"
        if step.rule == "definition" and step.form == "matrix"
        else {
            "matrix": "matrix form",
            "insert": "insert what was found above",
            "fold": "in the program's own names",
            "delta": "use the deltas",
            "in the output": "local derivative, in the output",
            "definition": "forward formula",
            "scale": "times the factor",
            "spell out": "write out what has no name",
            "own words": "as the program writes it",
            "conjugate": "conjugate",
            "entry": "the entry that changes",
        }.get(step.rule, step.rule)
    )


def _bounds(expressions: Iterable[Expr], names: Vocabulary) -> dict[str, Axis | int]:
    """For each array that is used as an index, the axis that bounds its entries."""
    found: dict[str, Axis | int] = {}
    for expr in expressions:
        for term in expr:
            for factor, _ in term.factors:
                if (
                    isinstance(factor, Delta)
                    and isinstance(factor.at, Entry)
                    and isinstance(factor.over, Index)
                ):
                    found.setdefault(factor.at.array, factor.over.axis)
                for held in factor.arguments if isinstance(factor, Function) else (factor,):
                    if isinstance(held, Entry):
                        axes = names.axes(held.array) or ()
                        for index, axis in zip(held.indices, axes, strict=False):
                            if isinstance(index, Entry) and axis is not None:
                                found.setdefault(index.array, axis)
    return found


def _numbers(factor: Factor, names: Vocabulary) -> Iterator[tuple[Axis, int]]:
    """The axes in which a factor is read at a place that is given as a number, with the place."""
    if isinstance(factor, Delta) and isinstance(factor.over, Index) and isinstance(factor.at, int):
        yield factor.over.axis, factor.at
    if isinstance(factor, Entry):
        for index, axis in zip(factor.indices, names.axes(factor.array) or (), strict=False):
            if isinstance(index, int) and axis is not None:
                yield axis, index


def agrees(
    derivation: Derivation,
    least: Mapping[str, int] | None = None,
    given: Mapping[str, int] | None = None,
    seed: int = 7,
) -> bool:
    """Whether all steps about the same quantity give the same numbers at random small inputs.

    Arguments:
        least: how long axes are at least.
        given: how long axes are that cannot be of any length.
    """
    rng = np.random.default_rng(seed)
    sizes = {axis: max(3 + number % 4, length) for number, (axis, length) in enumerate((least or {}).items())}
    sizes.update(given or {})
    try:
        compiled = [compile(step.code, "<step>", "exec") for step in derivation.steps]
    except SyntaxError:
        return False
    for _ in range(2):
        values = {name: _random(i, sizes, rng) for name, i in derivation.inputs.items()}
        results: dict[str, Any] = {}
        for step, code in zip(derivation.steps, compiled, strict=True):
            space: dict[str, Any] = {
                "np": np,
                **{k: np.copy(v) if np.ndim(v) else v for k, v in values.items()},
            }
            try:
                with np.errstate(all="ignore"):
                    exec(code, space)  # code made by the calculus
            except Exception:
                return False
            result = np.asarray(space["result"]) + 0.0
            if not np.all(np.isfinite(result)):
                return False
            first = results.setdefault(step.left, result)
            if first.shape != result.shape or not np.allclose(first, result, rtol=1e-8, atol=1e-10):
                return False
    return True


def _random(given: Input, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    """Random values for an input; axes get different sizes."""
    shape = tuple(1 if a == "1" else sizes.setdefault(a, 3 + len(sizes) % 4) for a in given.axes)
    if given.kind == "integer":
        most = (
            sizes.setdefault(given.below, 3 + len(sizes) % 4)
            if isinstance(given.below, str)
            else int(given.below or 1)
        )
        return rng.integers(0, most, shape)
    if given.kind == "mask":
        return rng.random(shape) < 0.5
    if given.kind == "one-hot":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if given.kind == "scalar":
        return float(rng.uniform(0.5, 2.0))
    drawn = rng.standard_normal(shape)
    if given.kind == "complex":
        return drawn + 1j * rng.standard_normal(shape)
    return np.abs(drawn) + 0.1 if given.kind == "positive" else drawn


__all__ = ["DerivationWriter", "WrittenDerivation", "agrees", "array_code"]
