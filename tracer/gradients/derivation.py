"""The derivation of one gradient, step by step, as data.

Comes in: the forward formulas between a node and a root, and the adjoints that the program already holds in a
variable. Goes out: a `Derived`, its steps in groups of one quantity each.  Invariant: nothing is looked up by what a
line is called; every step is the result of the calculus.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from tracer.calculus import (
    Lemma,
    add,
    arrays_in,
    constant,
    contract,
    differentiate,
    entry,
    equal,
    fresh,
    multiply,
    power,
    simplify,
    substitute,
)
from tracer.calculus.adjoint import onto
from tracer.calculus.chain_rule import chain
from tracer.calculus.complex_values import conjugate_of, holds_complex, is_complex
from tracer.calculus.contraction import Substitution
from tracer.calculus.linearised import is_linearised, value_equation
from tracer.calculus.terms import Axes, Definition, Expr, Index
from tracer.gradients.derived import (
    DerivationStep,
    Derived,
    Free,
    Known,
    Quantity,
    adjoint_name,
    functions_in,
    written_alike,
)
from tracer.gradients.graph import Graph
from tracer.gradients.shortening import Shortening
from tracer.gradients.stations import Cone
from tracer.ops import statement

#: Nobody reads more than this.
_MOST_TERMS, _MOST_STEPS = 40, 300


def derive(
    graph: Graph,
    cone: Cone,
    known: Mapping[str, Known],
    scale: Expr,
    readable: set[str],
    partial: tuple[str, Known] | None = None,
    lemmas: tuple[Lemma, ...] = (),
    through: str = "",
) -> Derived:
    """Derive ``scale`` · ∂root/∂wrt.

    Arguments:
        known: the adjoints that the program holds by then, by the array they belong to.
        readable: arrays that the reader has a name for; results are folded back into them.
        partial: an inner root whose gradient by ``wrt`` the program holds already, and that gradient: then
            only what does not pass through the inner root is derived.
        lemmas: what is known of inputs, such as that the rows of a one-hot array sum to 1.
        through: the one consumer through which the variable is to reach the root; all of them by default.
    """
    return _Derivation(graph, cone, known, readable, partial, lemmas, through).run(scale)


class _Link(Struct, frozen=True):
    """What one consumer brings to the adjoint of an array.

    Attributes:
        incoming: ∂root/∂consumer, at the indices of its definition.
        local: ∂consumer/∂array.
        product: the two, multiplied and summed.
        contracted: the product without its deltas; ``substitutions`` are those that were made for it.
    """

    consumer: str
    definition: Definition
    incoming: Expr
    local: Expr
    product: Expr
    contracted: Expr
    substitutions: tuple[Substitution, ...]


class _Derivation:
    def __init__(
        self,
        graph: Graph,
        cone: Cone,
        known: Mapping[str, Known],
        readable: set[str],
        partial: tuple[str, Known] | None,
        lemmas: tuple[Lemma, ...],
        through: str,
    ) -> None:
        self.graph, self.cone, self.known, self.partial, self.through = graph, cone, known, partial, through
        self.axes: Mapping[str, Axes] = graph.array_axes()
        self.steps: list[DerivationStep] = []
        self.adjoints: dict[str, Definition] = {}
        self.shortening = Shortening(
            graph, cone, held=known.keys(), readable=readable, lemmas=lemmas, adjoints=self.adjoints
        )

    def run(self, scale: Expr) -> Derived:
        free, result = self._group(self.cone.wrt)
        quantity = self._about(self.cone.wrt)
        for rule, expr in self.shortening.best(result)[1]:
            if not written_alike(expr, result):
                new = {"names": sorted(arrays_in(expr) - arrays_in(result))}
                self._step(quantity, rule, free, expr, expr, new)
                result = expr
        if not equal(scale, constant(1)):
            quantity = Quantity("scaled", self.cone.wrt)
            scaled = multiply(scale, result)
            self._step(quantity, "scale", free, scaled, scaled)
            result = simplify(scaled)
            if not written_alike(result, scaled):
                self._step(quantity, "simplify", free, result, result)
        self._step(quantity, "matrix", free, result, result, form="matrix")
        return Derived(tuple(self.steps), free, result, self._computed(), self.shortening.mentioned(result))

    def _computed(self) -> dict[str, Definition]:
        values = {a: value_equation(d) for a, d in self.cone.stations.items()}
        return {**{a: d for a, d in values.items() if d is not None}, **self.adjoints}

    def _step(
        self,
        quantity: Quantity,
        rule: str,
        free: Free,
        shown: Expr,
        expr: Expr,
        arguments: Mapping[str, Any] | None = None,
        form: Literal["index", "matrix"] = "index",
    ) -> None:
        self.steps.append(DerivationStep(quantity, rule, free, shown, expr, form, arguments or {}))

    def _adjoint_entry(self, array: str, indices: Free) -> Expr:
        """∂root/∂array at these indices: 1, a variable of the program, or the result of an earlier group."""
        if array == self.cone.root:
            return constant(1)
        known = self.known.get(array)
        if known is not None:
            return self._held(known, indices)
        name = adjoint_name(array)
        if name not in self.adjoints:
            free, result = self._group(array)
            self.adjoints[name] = Definition(name, free, result)
        return entry(name, *indices)

    def _held(self, known: Known, indices: Free) -> Expr:
        """An adjoint that the program holds, at these indices: transposed, or with other axes of size 1."""
        at = tuple(reversed(indices)) if known.transposed else indices
        return multiply(power(known.factor, -1), entry(known.adjoint, *onto(at, self.axes[known.array])))

    def _group(self, array: str) -> tuple[Free, Expr]:
        """All steps that lead to ∂root/∂array; its indices and its formula."""
        consumers = self.cone.consumers.get(array, ())
        if self.partial is not None and array == self.cone.wrt:
            return self._group_beside(array, consumers)
        return self._chain(array, consumers, ())

    def _group_beside(self, array: str, consumers: tuple[str, ...]) -> tuple[Free, Expr]:
        """As `_group`, with the part through an inner root taken from the program."""
        assert self.partial is not None
        inner, known = self.partial
        beside = tuple(c for c in consumers if not self._leads_only_to(c, inner))
        if not beside or not self._leads_to(array, inner):
            return self._chain(array, consumers, ())
        return self._chain(array, beside, ((inner, known),))

    def _leads_to(self, array: str, inner: str) -> bool:
        """Whether some path from ``array`` passes through ``inner``."""
        return array == inner or any(self._leads_to(c, inner) for c in self.cone.consumers.get(array, ()))

    def _leads_only_to(self, array: str, inner: str) -> bool:
        """Whether every path from ``array`` to the root passes through ``inner``."""
        if array == inner:
            return True
        if array == self.cone.root:
            return False
        following = self.cone.consumers.get(array, ())
        return bool(following) and all(self._leads_only_to(c, inner) for c in following)

    def _chain(
        self, array: str, consumers: tuple[str, ...], given: tuple[tuple[str, Known], ...]
    ) -> tuple[Free, Expr]:
        """The chain rule over some consumers.

        Arguments:
            given: inner roots, with the gradient of each by the array that the program holds.
        """
        for consumer in consumers:  # their groups come before this one
            self._adjoint_entry(consumer, tuple(fresh(a, "a") for a in self.axes[consumer]))
        free: Free = tuple(fresh(a, "a") for a in self.axes[array])
        held = tuple(
            multiply(self._adjoint_entry(inner, ()), self._held(known, free)) for inner, known in given
        )
        links = [self._link(consumer, array, free) for consumer in consumers]
        whole = add(*held, *(link.product for link in links))
        quantity = self._about(array)
        self._step(quantity, "chain rule", free, whole, whole, self._chain_arguments(array, held, links, whole))
        for link in links:
            direct = link.consumer == self.cone.root and len(consumers) + len(given) > 1
            self._local(link.consumer, array, link.definition, free, link.local, direct)
            other = conjugate_of(array)
            by_other = differentiate(link.definition.expr, other, free, link.definition) if other != array else ()
            if by_other:
                self._local(link.consumer, other, link.definition, free, by_other, direct)
        if given or consumers != (self.cone.root,):  # else the chain rule has a single factor, shown already
            self._step(quantity, "substitute", free, whole, whole, {"through": consumers})
        contracted = add(*held, *(link.contracted for link in links))
        if not written_alike(contracted, whole):
            made = tuple(s for link in links for s in link.substitutions)
            self._step(quantity, "contract", free, contracted, contracted, {"substitutions": made, "of": array})
        result = simplify(contracted)
        if len(result) > _MOST_TERMS or len(self.steps) > _MOST_STEPS:
            raise ValueError("the derivation is too long to be read")
        if not written_alike(result, contracted):
            self._step(quantity, "simplify", free, result, result)
        return free, result

    def _link(self, consumer: str, array: str, free: Free) -> _Link:
        definition = self._refreshed(self.cone.stations[consumer])
        incoming = self._adjoint_entry(consumer, definition.free)
        local = differentiate(definition.expr, array, free, definition)
        product = chain(definition, array, free, incoming, local)
        substitutions: list[Substitution] = []
        contracted = contract(product, substitutions)
        return _Link(consumer, definition, incoming, local, product, contracted, tuple(substitutions))

    def _chain_arguments(
        self, array: str, held: tuple[Expr, ...], links: list[_Link], whole: Expr
    ) -> dict[str, Any]:
        """What the reason of a chain rule is worded from."""
        is_first_complex = is_complex(array) and not any(s.arguments.get("first complex") for s in self.steps)
        return {
            "of": array,
            "root": self.cone.root,
            "complex": holds_complex(whole),
            "first complex": is_first_complex,
            "mirrored": is_complex(array) and any(conjugate_of(array) in arrays_in(k.definition.expr) for k in links),
            "through": tuple(k.consumer for k in links),
            "inner": held,
            "parts": tuple((k.consumer, k.definition.free, k.incoming) for k in links),
            "summed": any(isinstance(i, Index) for k in links for i in k.definition.free),
        }

    def _about(self, array: str) -> Quantity:
        """What a group of steps leads to: an adjoint, or for the variable itself what one path brings to it."""
        if self.through and array == self.cone.wrt:
            return Quantity("path", array, self.through)
        return Quantity("adjoint", array)

    def _local(
        self, consumer: str, array: str, definition: Definition, free: Free, local: Expr, direct: bool
    ) -> None:
        """The forward formula of one consumer and its local derivative.

        Arguments:
            direct: the consumer is the root itself, and not the only way to it: what is derived here is the
                part that does not go through others.
        """
        self._define(consumer, definition)
        quantity = Quantity("direct" if direct else "local", consumer, array)
        at: Free = (*definition.free, *free)
        arguments = {"of": consumer, "wrt": array, "functions": functions_in(definition.expr)}
        raw = differentiate(definition.expr, array, free)
        if is_linearised(definition):
            arguments["equation"] = self._equation(consumer)
        self._step(quantity, "local derivative", at, raw, raw, arguments)
        if not written_alike(raw, local):
            self._step(quantity, "in the output", at, local, local, arguments)
        settled = simplify(contract(local))
        if not written_alike(settled, local):
            self._step(quantity, "delta", at, settled, settled, arguments)

    def _define(self, array: str, definition: Definition) -> None:
        """The forward formula, over indices and as a matrix expression; said once, and not of what an equation defines."""
        value = Quantity("value", array)
        if any(s.quantity == value for s in self.steps) or is_linearised(definition):
            return
        free, expr = definition.free, definition.expr
        self._step(value, "definition", free, expr, expr, {"of": array})
        self._step(value, "definition", free, expr, expr, {"of": array}, "matrix")

    def _equation(self, array: str) -> str:
        """What the row of an operation states that is defined by an equation."""
        node = self.graph.node_of(array)
        recorded = None if node is None else self.graph.tape.nodes[node]
        if recorded is None:
            return ""
        nodes = self.graph.tape.nodes
        of_complex = any(nodes[k].dtype.startswith("complex") for k in self.graph.tape.operands(recorded.id))
        stated = statement(recorded.op, recorded.args, of_complex)
        return " ".join(stated.split("\n\n")[0].split())

    def _refreshed(self, definition: Definition) -> Definition:
        """The definition with new indices, so that formulas of several consumers do not share them."""
        free: Free = tuple(fresh(i.axis, "o") if isinstance(i, Index) else 0 for i in definition.free)
        renamed = {
            o: n
            for o, n in zip(definition.free, free, strict=True)
            if isinstance(o, Index) and isinstance(n, Index)
        }
        return Definition(definition.array, free, substitute(definition.expr, renamed))
