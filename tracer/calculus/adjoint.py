"""Reverse mode: the chain rule through many operations, composed symbolically.

In come definitions (what each array is, entry by entry) in program order; out go adjoints as
expressions.  Invariant: an adjoint holds for all sizes of the axes and all values at which the
scalar functions are differentiable; at a tie of max the derivative of the branch that is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from tracer.calculus.algebra import (
    add,
    arrays_in,
    constant,
    entry,
    fresh,
    multiply,
    substitute,
)
from tracer.calculus.canonical import simplify
from tracer.calculus.chain_rule import axes_of, chain, operand_axes
from tracer.calculus.complex_values import CONJUGATE
from tracer.calculus.deadline import Deadline
from tracer.calculus.differentiation import differentiate
from tracer.calculus.linearised import INVERSE, VALUE
from tracer.calculus.terms import Axes, Definition, Entry, Expr, Function, Index, IndexExpr

#: The indices of an array's entry and the expression of its adjoint at that entry.
Adjoint = tuple[tuple[Index | int, ...], Expr]


class TooLarge(ValueError):
    """An adjoint composed over many operations has more terms than are allowed."""


def onto(indices: tuple[Index | int, ...], axes: Axes) -> tuple[Index | int, ...]:
    """The indices for an array whose axes of size one may stand elsewhere.

    Raises:
        ValueError: if the array has other axes.
    """
    running = [i for i in indices if isinstance(i, Index)]
    if [i.axis for i in running] != [a for a in axes if a is not None]:
        raise ValueError("the axes of the value and of the gradient are not known to be the same")
    rest = iter(running)
    return tuple(0 if axis is None else next(rest) for axis in axes)


def instantiate(adjoint: Adjoint, indices: tuple[IndexExpr, ...]) -> Expr:
    """The expression of an adjoint at these indices."""
    free, expr = adjoint
    return substitute(expr, {f: i for f, i in zip(free, indices, strict=True) if isinstance(f, Index)})


def backward(
    definitions: Mapping[str, Definition],
    root: str,
    *,
    given: Mapping[str, tuple[str, Expr]] | None = None,
    wrt: Iterable[str] | None = None,
    axes: Mapping[str, Axes] | None = None,
    seed: str | None = None,
    most_terms: int = 200,
) -> dict[str, Adjoint]:
    """Reverse mode, composed symbolically: ∂root/∂X for every array X that root depends on.

    Args:
        definitions: what each array is; in program order, operands first.
        root, given, wrt, seed, most_terms: see `ReverseMode.adjoints`.
        axes: the axes of arrays that have no definition, where their uses do not show them.
    """
    mode = ReverseMode(definitions, axes)
    return mode.adjoints(root, given=given, wrt=wrt, seed=seed, most_terms=most_terms)


class ReverseMode:
    """Reverse mode over some definitions, for many roots and arrays.

    An adjoint is composed from those of the arrays that are made of the array, and no others: with the adjoints
    that are known already the way to the root is short.
    """

    def __init__(self, definitions: Mapping[str, Definition], axes: Mapping[str, Axes] | None = None) -> None:
        self._definitions = definitions
        self._axes = axes or {}
        self._positions = {name: n for n, name in enumerate(definitions)}
        self._users: dict[str, list[str]] = {}
        for name, definition in definitions.items():
            for operand in differentiable_operands(definition):
                self._users.setdefault(operand, []).append(name)
        self._needed: dict[str, frozenset[str]] = {}

    def adjoints(
        self,
        root: str,
        *,
        given: Mapping[str, tuple[str, Expr]] | None = None,
        wrt: Iterable[str] | None = None,
        seed: str | None = None,
        most_terms: int = 200,
        seconds: float = math.inf,
    ) -> dict[str, Adjoint]:
        """∂root/∂X for arrays X.

        Args:
            root: the array that is differentiated; a scalar unless ``seed`` is given.
            given: for some arrays, the name of an array that holds its adjoint, and a factor to multiply it
                with; their adjoints are not composed but named.
            wrt: only the adjoints of these, and of what lies between them and what is given or the root.
            seed: name of an array to weigh the entries of root with: ∂⟨seed, root⟩/∂X.
            most_terms: how many terms an adjoint may have.
            seconds: how much time of the processor may be taken.

        Returns:
            For each array its indices and the expression of its adjoint, those of ``given`` that were met included.

        Raises:
            KeyError: if root has no definition, or an axis of an array cannot be known.
            ValueError: if root is not a scalar and there is no seed.
            TooLarge: if an adjoint has too many terms, or takes too long.
        """
        deadline = Deadline(seconds)
        given, definitions = given or {}, self._definitions
        free_of_root = tuple(fresh(a, "a") for a in axes_of(definitions[root]))
        if seed is None and any(isinstance(i, Index) for i in free_of_root):
            raise ValueError(f"{root} is not a scalar, so its derivative needs a seed")
        start = constant(1) if seed is None else entry(seed, *free_of_root)
        adjoints: dict[str, Adjoint] = {root: (free_of_root, start)}
        wrt = list(self._ancestors(root) if wrt is None else wrt)
        for name in wrt:
            if name in given and name != root:
                adjoints[name] = self._named(name, given)
        edges = self._edges(root, given, wrt)
        for name in sorted(edges, key=self._positions.__getitem__, reverse=True):
            definition = definitions[name]
            if name in given and name not in adjoints:
                adjoints[name] = self._named(name, given)
            if name not in adjoints:
                continue
            incoming = instantiate(adjoints[name], definition.free)
            for operand in edges[name]:
                if operand in given:
                    continue
                free, former = adjoints.get(operand, (None, ()))
                if free is None:
                    free = tuple(fresh(a, "a") for a in self._axes_of(operand, definition))
                local = differentiate(definition.expr, operand, free, definition)
                part = chain(definition, operand, free, incoming, local)
                total = simplify(add(former, part))
                if len(total) > most_terms:
                    raise TooLarge(f"the adjoint of {operand} has {len(total)} terms")
                if deadline.is_over():
                    raise TooLarge(f"the adjoint of {operand} takes too long")
                adjoints[operand] = (free, total)
        return adjoints

    def _named(self, name: str, given: Mapping[str, tuple[str, Expr]]) -> Adjoint:
        array, factor = given[name]
        free = tuple(fresh(a, "a") for a in axes_of(self._definitions[name]))
        at = onto(free, self._axes[array]) if array in self._axes else free
        return free, multiply(factor, entry(array, *at))

    def _axes_of(self, operand: str, user: Definition) -> Axes:
        if operand in self._definitions:
            return axes_of(self._definitions[operand])
        known = self._axes.get(operand)
        return operand_axes(user, operand) if known is None else known

    def _edges(
        self, root: str, given: Mapping[str, tuple[str, Expr]], wrt: Iterable[str]
    ) -> dict[str, list[str]]:
        """From each array between those asked for and what is known, the operands that matter."""
        needed = self._ancestors(root)
        waiting = [name for name in wrt if name not in given]
        seen = set(waiting)
        edges: dict[str, list[str]] = {}
        while waiting:
            operand = waiting.pop()
            for user in self._users.get(operand, ()):
                if user not in needed:
                    continue
                edges.setdefault(user, []).append(operand)
                if user not in seen and user not in given:
                    seen.add(user)
                    waiting.append(user)
        return edges

    def _ancestors(self, root: str) -> frozenset[str]:
        """The array itself and all that it depends on."""
        if root not in self._needed:
            needed, waiting = {root}, [root]
            while waiting:
                definition = self._definitions.get(waiting.pop())
                for operand in () if definition is None else arrays_in(definition.expr):
                    if operand not in needed:
                        needed.add(operand)
                        waiting.append(operand)
            self._needed[root] = frozenset(needed)
        return self._needed[root]


def differentiable_operands(definition: Definition) -> tuple[str, ...]:
    """The arrays whose entries are factors or arguments of functions, in order.

    Not masks and look-ups, not values held fixed, and not the arrays that the definition looks up itself.
    """
    own = f"{definition.array}."
    found: dict[str, None] = {}
    for term in definition.expr:
        for factor, _ in term.factors:
            for e in factor.arguments if isinstance(factor, Function) else (factor,):
                if isinstance(e, Entry) and not e.array.startswith(own) and not e.array.endswith((VALUE, INVERSE)):
                    found[e.array.removesuffix(CONJUGATE)] = None
    return tuple(found)
