"""The program's own numbers: corners of arrays, and one entry worked out term by term."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.calculus import evaluate, substitute
from tracer.calculus.algebra import ONE, arrays_in, make_term
from tracer.calculus.complex_values import holds_complex
from tracer.calculus.terms import Expr, Index, Term
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.explanation.model import Entry
from tracer.gradients.graph import Graph

_CORNER = 6
_MOST_TERMS = 4000


def finite(value: Any) -> float | None:
    """A number for JSON, also the only entry of an array; NaN and infinities are None."""
    number = float(np.asarray(value).item())
    return number if math.isfinite(number) else None


def sample(value: Any) -> Any:
    """The corner of an array as nested lists, six entries along each axis; a scalar as a number."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return None
    corner = array[tuple(slice(0, _CORNER) for _ in array.shape)]

    def listed(part: Any) -> Any:
        if np.ndim(part):
            return [listed(p) for p in part]
        return (
            bool(part) if array.dtype.kind == "b" else finite(part) if array.dtype.kind == "f" else int(part)
        )

    return listed(corner)


def worked_entry(
    graph: Graph,
    values: Sequence[Any],
    result: Expr,
    free: tuple[Index | int, ...],
    index: tuple[int, ...],
    names: Vocabulary,
    value: float,
    finite_difference: float | None,
) -> Entry | None:
    """One entry as a sum of products of the program's numbers; None if they do not add up to it, or are complex.

    Arguments:
        values: the recorded value of every node.
        result: the formula, with indices ``free``; ``index`` is the entry, one position for each axis.
    """
    at = {f: position for f, position in zip(free, index, strict=True) if isinstance(f, Index)}
    terms: list[tuple[float, ...]] = []
    labels: tuple[str, ...] = ()
    sizes = graph.table.sizes()
    recorded = None if holds_complex(result) else _values(graph, values, result)
    if recorded is None:
        return None
    for term in substitute(result, dict(at)):
        rows = _rows(term, recorded, sizes)
        if rows is None:
            return None
        found, factors = rows
        terms += found
        if len(result) == 1:
            labels = tuple(names.array(f) if f else "" for f in factors)
        if len(terms) > _MOST_TERMS:
            return None
    total = math.fsum(math.prod(t) for t in terms)
    if not math.isclose(total, value, rel_tol=1e-6, abs_tol=1e-9 * max(1.0, abs(value))):
        return None
    return Entry(index, value, tuple(terms), finite_difference, labels if all(labels) else ())


def _values(graph: Graph, values: Sequence[Any], expr: Expr) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for array in arrays_in(expr):
        try:
            value = graph.source(array)(list(values))
        except (StopIteration, KeyError, ValueError):
            return None
        if value is None:
            return None
        found[array] = np.asarray(value)
    return found


def _rows(
    term: Term, values: dict[str, Any], sizes: dict[str, int]
) -> tuple[list[tuple[float, ...]], list[str]] | None:
    """For each position of the bound indices, the numbers whose product is added."""
    count = math.prod(sizes[i.axis.name] for i in term.bound)
    if count > _MOST_TERMS:
        return None
    columns: list[np.ndarray[Any, Any]] = []
    labels: list[str] = []
    if term.coefficient != 1 or not term.factors:
        columns.append(np.full(count, float(term.coefficient)))
        labels.append("")
    for factor, exponent in term.factors:
        single = make_term(ONE, (), [(factor, exponent)])
        if single is None:
            return None
        grid = evaluate((single,), term.bound, values, sizes)
        columns.append(np.asarray(grid, dtype=float).reshape(-1))
        labels.append(getattr(factor, "array", ""))
    rows = [tuple(float(c[k]) for c in columns) for k in range(count)]
    kept = [row for row in rows if all(math.isfinite(x) for x in row)]
    return (kept, labels) if len(kept) == len(rows) else None
