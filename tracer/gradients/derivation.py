"""The derivation of one gradient, step by step, as data.

Comes in: the forward formulas between a node and a root, and the adjoints that the program already holds
in a variable.  Goes out: groups of steps.  All steps of a group say what the same quantity is; each has
an expression that can be evaluated, a rule's name, and the arguments from which the reason is worded.
Invariant: nothing is looked up by what a line is called; every step is the result of the calculus.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from tracer.calculus import (
    Lemma,
    add,
    arrays_in,
    canonical_key,
    closed_form,
    contract,
    differentiate,
    entry,
    equal,
    fresh,
    multiply,
    power,
    simplify,
)
from tracer.calculus.adjoint import chain, instantiate, onto
from tracer.calculus.complex_values import conjugate, conjugate_of, holds_complex, is_complex
from tracer.calculus.contraction import Substitution
from tracer.calculus.definitions import positive_part_of
from tracer.calculus.linearised import is_linearised, value_equation
from tracer.calculus.terms import (
    Axes,
    Definition,
    Entry,
    Expr,
    Factor,
    Function,
    Index,
    IndexExpr,
    Mask,
    Term,
)
from tracer.gradients.graph import Graph
from tracer.gradients.inlining import inline
from tracer.gradients.stations import Cone
from tracer.ops import statement

Free = tuple[Index | int, ...]
#: Nobody reads more than this.
_MOST_TERMS, _MOST_STEPS = 40, 300
#: A formula of this weight, (P − 1_y)/N for one, is short enough not to look for another.
_SHORT = 6


class Known(Struct, frozen=True):
    """A recorded array that holds an adjoint: ``array`` = ``factor`` · ∂root/∂(the key), perhaps transposed or conjugate."""

    array: str
    factor: Expr
    transposed: bool = False
    conjugate: bool = False

    @property
    def adjoint(self) -> str:
        """The array that is the adjoint, up to the factor."""
        return conjugate_of(self.array) if self.conjugate else self.array


class Quantity(Struct, frozen=True):
    """What the steps of a group are about.

    ``value``: an array; ``adjoint``: ∂root/∂array; ``path``: what comes to that through one consumer, which is
    ``wrt``; ``local``: ∂array/∂wrt; ``direct``: ∂array/∂wrt as far as the root holds ``wrt`` itself; ``slope``:
    ∂array/∂wrt entry by entry; ``scaled``: a factor times an adjoint; ``conjugate``: the conjugate of an adjoint.
    """

    kind: Literal["value", "adjoint", "path", "local", "direct", "slope", "scaled", "conjugate"]
    array: str
    wrt: str = ""


class DerivationStep(Struct, frozen=True):
    """``quantity[free]`` = ``shown``; ``expr`` is the same with every symbol replaced by what can be computed.

    ``form`` says how it is written: over indices, or as a matrix expression.
    ``arguments`` are what the reason is worded from.
    """

    quantity: Quantity
    rule: str
    free: Free
    shown: Expr
    expr: Expr
    form: Literal["index", "matrix"] = "index"
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Derived(Struct, frozen=True):
    """A derivation: its steps, its result, and what its names stand for.

    Attributes:
        steps: in the order in which they are read.
        free, result: ∂root/∂wrt (times the scale), in arrays the reader knows.
        computed: array → definition, of arrays that some steps rely on being computed from others
            (values between ``wrt`` and the root, and adjoints of earlier groups), in order.
        held: the adjoints that the result still mentions, each in its shortest form.
    """

    steps: tuple[DerivationStep, ...]
    free: Free
    result: Expr
    computed: Mapping[str, Definition]
    held: Mapping[str, Definition] = field(default_factory=dict)


def adjoint_name(array: str) -> str:
    """The name, in formulas, of the adjoint of an array that the program does not hold."""
    return f"d{array}"


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
        self.lemmas, self.through = lemmas, through
        self._found: dict[Expr, tuple[int, list[tuple[str, Expr]]]] = {}
        self._closed: dict[object, Expr] = {}
        self.graph, self.cone, self.known, self.readable, self.partial = graph, cone, known, readable, partial
        self.axes: Mapping[str, Axes] = graph.array_axes()
        self.steps: list[DerivationStep] = []
        self.adjoints: dict[str, Definition] = {}

    def run(self, scale: Expr) -> Derived:
        free, raw = self._group(self.cone.wrt)
        adjoint = self._about(self.cone.wrt)
        result = raw
        for rule, expr in self._best(raw)[1]:
            if not _same_text(expr, result):
                new = {"names": sorted(arrays_in(expr) - arrays_in(result))}
                self._step(adjoint, rule, free, expr, expr, new)
                result = expr
        quantity = adjoint
        if not equal(scale, _ONE):
            quantity = Quantity("scaled", self.cone.wrt)
            scaled = multiply(scale, result)
            self._step(quantity, "scale", free, scaled, scaled)
            result = simplify(scaled)
            if not _same_text(result, scaled):
                self._step(quantity, "simplify", free, result, result)
        self._step(quantity, "matrix", free, result, result, form="matrix")
        return Derived(tuple(self.steps), free, result, self._computed(), self._held(result))

    def _best(self, raw: Expr) -> tuple[int, list[tuple[str, Expr]]]:
        """`_find_best`, once for each expression."""
        if raw not in self._found:
            self._found[raw] = self._find_best(raw)
        return self._found[raw]

    def _find_best(self, raw: Expr) -> tuple[int, list[tuple[str, Expr]]]:
        """The shortest way to write an adjoint, with its cost: all inserted and folded, or over an adjoint before it.

        A softmax with cross-entropy is short only when all is put together; a product of an adjoint and a
        slope is short only as it stands.
        """
        before = arrays_in(raw) & set(self.adjoints)
        whole = inline(raw, self.adjoints)
        ways = [[("insert", whole), *self._folded(whole)]]
        short = ways[0][-1][1]
        if before and (_weight(short) > _SHORT or not arrays_in(short) <= self.readable):
            shortest = {a: self._shortest(self.adjoints[a]) for a in before}
            partly = inline(
                raw, {a: d for a, d in shortest.items() if arrays_in(d.expr) & set(self.adjoints)}
            )
            ways += [[("insert", partly), *self._folded(partly)], self._folded(raw)]
        return min(((self._cost(way[-1][1]), way) for way in ways), key=lambda pair: pair[0])

    def _cost(self, expr: Expr) -> int:
        """How long an expression is to read, with what it takes from before."""
        held = arrays_in(expr) & set(self.adjoints)
        return _weight(expr) + sum(self._best(self.adjoints[a].expr)[0] for a in held)

    def _shortest(self, definition: Definition) -> Definition:
        return Definition(definition.array, definition.free, self._best(definition.expr)[1][-1][1])

    def _folded(self, expr: Expr) -> list[tuple[str, Expr]]:
        """The expression in the reader's names, then with temporaries written out."""
        readable = self.readable | set(self.adjoints)
        folded = expr
        if len(expr) > 2 or _functions(expr) or not arrays_in(expr) <= readable:
            key = len(self.adjoints), canonical_key(expr)
            if key not in self._closed:
                self._closed[key] = closed_form(expr, self._relations(), readable, lemmas=self.lemmas)
            folded = self._closed[key]
        folded = _readable_masks(folded, self.cone, self.readable)
        steps = [("fold", folded)]
        spelled = self._spelled_out(folded)
        if spelled is not None:
            steps.append(("spell out", spelled))
        return steps

    def _held(self, result: Expr) -> dict[str, Definition]:
        """The adjoints that the result still mentions, each in its shortest form, in order."""
        found: dict[str, Definition] = {}
        for name in sorted(arrays_in(result) & set(self.adjoints)):
            best = self._shortest(self.adjoints[name])
            found.update(self._held(best.expr))
            found[name] = best
        return found

    def _spelled_out(self, result: Expr) -> Expr | None:
        """The result with temporaries written out in what the reader knows, if it stays short."""
        hidden = {
            d.array: d
            for d in self.graph.named_definitions().values()
            if d.array not in self.readable and d.array not in self.known
        }
        if not arrays_in(result) & set(hidden):
            return None
        spelled = inline(result, hidden)
        shorter = len(arrays_in(spelled) & set(hidden)) < len(arrays_in(result) & set(hidden))
        return spelled if shorter and len(spelled) <= max(3, len(result) + 1) else None

    def _relations(self) -> dict[str, Definition]:
        return dict(self.cone.stations)

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
            return _ONE
        known = self.known.get(array)
        if known is not None:
            at = self._fit(known, indices)
            return multiply(_inverse(known.factor), entry(known.adjoint, *at))
        name = adjoint_name(array)
        if name not in self.adjoints:
            free, result = self._group(array)
            self.adjoints[name] = Definition(name, free, result)
        return entry(name, *indices)

    def _fit(self, known: Known, indices: Free) -> Free:
        """The indices as the recorded array has them: transposed, or with other axes of size one."""
        at = tuple(reversed(indices)) if known.transposed else indices
        return onto(at, self.axes[known.array])

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
        axes = self.axes[array]
        upstream = {c: self._needed(c) for c in consumers}
        free: Free = tuple(fresh(a, "a") for a in axes)
        rule: list[Expr] = []
        parts: list[tuple[str, Free, Expr]] = []
        local_steps: list[tuple[str, Definition, Expr]] = []
        chained: list[Expr] = []
        results: list[Expr] = []
        record: list[Substitution] = []
        mirrored = False
        for inner, known in given:
            part = multiply(
                self._adjoint_entry(inner, ()),
                _inverse(known.factor),
                entry(known.adjoint, *self._fit(known, free)),
            )
            for bucket in (rule, chained, results):
                bucket.append(part)
        for consumer in consumers:
            definition = self._refreshed(self.cone.stations[consumer])
            incoming = upstream[consumer](definition.free)
            local = differentiate(definition.expr, array, free, definition)
            parts.append((consumer, definition.free, incoming))
            product = chain(definition, array, free, incoming, local)
            mirrored |= is_complex(array) and conjugate_of(array) in arrays_in(definition.expr)
            chained.append(product)
            results.append(contract(product, record))
            local_steps.append((consumer, definition, local))
        quantity = self._about(array)
        whole = add(*chained)
        arguments = {
            "of": array,
            "root": self.cone.root,
            "complex": holds_complex(whole),
            "first complex": not any(s.arguments.get("first complex") for s in self.steps) and is_complex(array),
            "mirrored": mirrored,
            "through": consumers,
            "inner": tuple(rule[: len(given)]),
            "parts": tuple(parts),
            "summed": any(isinstance(i, Index) for _, definition, _ in local_steps for i in definition.free),
        }
        self._step(quantity, "chain rule", free, whole, whole, arguments)
        for consumer, definition, local in local_steps:
            direct = consumer == self.cone.root and len(consumers) + len(given) > 1
            self._local(consumer, array, definition, free, local, direct)
            other = conjugate_of(array)
            by_other = differentiate(definition.expr, other, free, definition) if other != array else ()
            if by_other:
                self._local(consumer, other, definition, free, by_other, direct)
        if given or consumers != (self.cone.root,):  # else the chain rule has a single factor, shown already
            self._step(quantity, "substitute", free, whole, whole, {"through": consumers})
        contracted = add(*results)
        if not _same_text(contracted, whole):
            self._step(
                quantity,
                "contract",
                free,
                contracted,
                contracted,
                {"substitutions": tuple(record), "of": array},
            )
        result = simplify(contracted)
        if len(result) > _MOST_TERMS or len(self.steps) > _MOST_STEPS:
            raise ValueError("the derivation is too long to be read")
        if not _same_text(result, contracted):
            self._step(quantity, "simplify", free, result, result)
        return free, result

    def _about(self, array: str) -> Quantity:
        """What a group of steps leads to: an adjoint, or for the variable itself what one path brings to it."""
        if self.through and array == self.cone.wrt:
            return Quantity("path", array, self.through)
        return Quantity("adjoint", array)

    def _needed(self, consumer: str) -> Any:
        """How to write the adjoint of a consumer; its own group is derived first."""
        self._adjoint_entry(consumer, tuple(fresh(a, "a") for a in self.axes[consumer]))
        return lambda indices: self._adjoint_entry(consumer, indices)

    def _local(
        self, consumer: str, array: str, definition: Definition, free: Free, local: Expr, direct: bool
    ) -> None:
        """The forward formula of one consumer and its local derivative.

        Arguments:
            direct: the consumer is the root itself, and not the only way to it: what is derived here is the
                part that does not go through others.
        """
        value = Quantity("value", consumer)
        if not any(s.quantity == value for s in self.steps) and not is_linearised(definition):
            self._step(
                value, "definition", definition.free, definition.expr, definition.expr, {"of": consumer}
            )
            self._step(
                value,
                "definition",
                definition.free,
                definition.expr,
                definition.expr,
                {"of": consumer},
                "matrix",
            )
        quantity = Quantity("direct" if direct else "local", consumer, array)
        at: Free = (*definition.free, *free)
        arguments = {"of": consumer, "wrt": array, "functions": _functions(definition.expr)}
        raw = differentiate(definition.expr, array, free)
        if is_linearised(definition):
            arguments["equation"] = self._equation(consumer)
        self._step(quantity, "local derivative", at, raw, raw, arguments)
        if not _same_text(raw, local):
            self._step(quantity, "in the output", at, local, local, arguments)
        settled = simplify(contract(local))
        if not _same_text(settled, local):
            self._step(quantity, "delta", at, settled, settled, arguments)

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
        from tracer.calculus import substitute

        free: Free = tuple(fresh(i.axis, "o") if isinstance(i, Index) else 0 for i in definition.free)
        renamed = {
            o: n
            for o, n in zip(definition.free, free, strict=True)
            if isinstance(o, Index) and isinstance(n, Index)
        }
        return Definition(definition.array, free, substitute(definition.expr, renamed))


def _readable_masks(expr: Expr, cone: Cone, readable: set[str]) -> Expr:
    """[z > 0] written as [max(0, z) > 0], which is the same, where the reader has a name for the latter only."""
    for definition in cone.stations.values():
        positive = positive_part_of(definition)
        if positive is None or definition.array not in readable or positive.array in readable:
            continue
        if positive.indices == definition.free:
            expr = tuple(_with_mask(t, positive.array, definition.array) for t in expr)
    return expr


def _with_mask(term: Term, old: str, new: str) -> Term:
    def renamed(factor: Factor) -> Factor:
        if not isinstance(factor, Mask) or factor.relation != ">":
            return factor
        left, right = (
            Entry(new, side.indices) if isinstance(side, Entry) and side.array == old else side
            for side in (factor.left, factor.right)
        )
        zero = factor.left == 0 or factor.right == 0
        return Mask(factor.relation, left, right) if zero and factor.right == 0 else factor

    return Term(term.coefficient, term.bound, tuple((renamed(f), e) for f, e in term.factors))


def at_entry(derived: Derived, array: str, entry_of: str, indices: tuple[IndexExpr, ...], scale: Expr) -> Derived:
    """The derivation of a gradient by a whole array, continued to ``scale`` times the gradient by one entry of it.

    Arguments:
        array: the entry, as a number that has a name of its own.
        entry_of, indices: the whole array, and where in it.
    """
    result = instantiate((derived.free, derived.result), indices)
    quantity = Quantity("adjoint", array)
    steps = [*derived.steps, DerivationStep(quantity, "entry", (), result, result, arguments={"of": entry_of})]

    def then(rule: str, about: Quantity, expr: Expr) -> None:
        if not _same_text(expr, steps[-1].expr):
            steps.append(DerivationStep(about, rule, (), expr, expr))

    then("simplify", quantity, result := simplify(contract(result)))
    if not equal(scale, _ONE):
        quantity = Quantity("scaled", array)
        then("scale", quantity, result := multiply(scale, result))
        then("simplify", quantity, result := simplify(result))
    steps.append(DerivationStep(quantity, "matrix", (), result, result, form="matrix"))
    held = {a: d for a, d in derived.held.items() if a in _mentioned(result, derived.held)}
    return replace(derived, steps=tuple(steps), free=(), result=result, held=held)


def _mentioned(expr: Expr, among: Mapping[str, Definition]) -> set[str]:
    """The arrays that an expression mentions, or one of the definitions that it mentions."""
    found: set[str] = set()
    todo = list(arrays_in(expr))
    while todo:
        array = todo.pop()
        if array in among and array not in found:
            found.add(array)
            todo += arrays_in(among[array].expr)
    return found


def fitted(graph: Graph, derived: Derived, array: str, transposed: bool, conjugated: bool = False) -> Derived:
    """The derivation with its last step written for the axes of the recorded array, and conjugated if that is.

    Raises:
        ValueError: if the recorded array has other axes.
    """
    *before, last = derived.steps
    at = tuple(reversed(last.free)) if transposed else last.free
    free = onto(at, graph.array_axes()[array])
    if conjugated:
        return _conjugated(derived, before, last, free)
    return replace(derived, steps=(*before, replace(last, free=free)), free=free)


def _conjugated(derived: Derived, before: list[DerivationStep], last: DerivationStep, free: Free) -> Derived:
    """The derivation with one more step: what the line holds is the conjugate of the gradient."""
    result = simplify(conjugate(last.expr))
    turned = replace(last, quantity=Quantity("conjugate", last.quantity.array), shown=result, expr=result, free=free)
    step = replace(turned, rule="conjugate", form="index")
    held = {a: Definition(a, d.free, d.expr) for a, d in derived.held.items()}
    return replace(derived, steps=(*before, last, step, turned), free=free, result=result, held=held)


def rescaled(graph: Graph, wrt: str, known: Known, scale: Expr) -> Derived:
    """A multiple of a gradient that the program holds: nothing is left to derive but the factor."""
    axes = graph.array_axes()
    free: Free = tuple(fresh(a, "a") for a in axes[wrt])
    at = tuple(reversed(free)) if known.transposed else free
    raw = multiply(scale, power(known.factor, -1), entry(known.adjoint, *onto(at, axes[known.array])))
    quantity = Quantity("adjoint" if equal(scale, _ONE) else "scaled", wrt)
    result = simplify(raw)
    steps = [DerivationStep(quantity, "scale", free, raw, raw)]
    if not _same_text(raw, result):
        steps.append(DerivationStep(quantity, "simplify", free, result, result))
    steps.append(DerivationStep(quantity, "matrix", free, result, result, form="matrix"))
    return Derived(tuple(steps), free, result, {})


def _weight(expr: Expr) -> int:
    """How long an expression is to read."""
    return sum(1 + len(t.factors) + 2 * len(t.bound) for t in expr)


def _functions(expr: Expr) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f.name for t in expr for f, _ in t.factors if isinstance(f, Function)))


def _inverse(factor: Expr) -> Expr:
    return power(factor, -1)


def _same_text(one: Expr, other: Expr) -> bool:
    """Whether two expressions are written alike, up to the order of what commutes."""
    return _written(one) == _written(other)


def _written(expr: Expr) -> list[tuple[str, list[str], list[str]]]:
    return sorted(
        (str(t.coefficient), sorted(map(repr, t.bound)), sorted(map(repr, t.factors))) for t in expr
    )


def _one() -> Expr:
    from tracer.calculus import constant

    return constant(1)


_ONE = _one()

__all__ = ["Derived", "DerivationStep", "Known", "Quantity", "adjoint_name", "at_entry", "derive", "rescaled"]
