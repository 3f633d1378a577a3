"""NumPy code of one formula: an expression where there is one, with what it needs computed before it.

Comes in: an expression and the names of its arrays.  Goes out: code that leaves the value in ``result``, the code of
the arrays that it relies on, and the names that code reads.  Invariant: an array is computed before it is read.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import lru_cache

from tracer.calculus import arrays_in
from tracer.calculus.complex_values import without_conjugates
from tracer.calculus.printing import NoForm, matrix_code, open_code, statements
from tracer.calculus.terms import Definition, Expr, Index
from tracer.explanation.building.vocabulary import Vocabulary


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
    told = Vocabulary(names.graph, names.root_name, names.partials, list(names.at_hand), dict(names.identifiers))
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
            lines += [code.replace("result = ", f"{target} = ", 1)] if single else [code, f"{target} = result"]
    return "".join(f"{line}\n" for line in lines)


@lru_cache(maxsize=4096)
def names_in(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that code reads before it binds them, and those that it binds."""
    read: set[str] = set()
    bound: set[str] = set()
    if "\n" in code and "\n " not in code:
        for line in code.split("\n"):  # the same lines come again in the code of other steps
            reads, binds = names_in(line)
            read |= reads - bound
            bound |= binds
    else:
        for statement in ast.parse(code).body:
            names = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
            read |= {n.id for n in names if isinstance(n.ctx, ast.Load)} - bound
            bound |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
    return frozenset(read), frozenset(bound)
