"""What the letters of a formula stand for that the program has no name for: ``… where Z = X W + b``.

Comes in: a formula and the expression that it shows.  Goes out: the formula with a clause for each such letter.
Invariant: each letter is told once, and only if the formula or a clause before it mentions it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracer.calculus import arrays_in
from tracer.calculus.complex_values import without_conjugates
from tracer.calculus.printing import Letters, NoForm
from tracer.calculus.terms import Definition, Expr, Index
from tracer.explanation.building.reading import Reading
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.explanation.building.waves import waves_equation
from tracer.formula import Tree, entry, equation, index_form, letter, matrix_formula, to_text
from tracer.formula.tree import Relation, Row, Text
from tracer.gradients.local import forward_formula
from tracer.gradients.transform_weights import weights

#: Of more clauses a reader loses track.
_MOST_CLAUSES = 4


def with_where(
    reading: Reading, tree: Tree, expr: Expr, names: Vocabulary, held: Mapping[str, Definition], whole: bool
) -> Tree:
    """The formula, and what its letters stand for.

    Arguments:
        held: adjoints that the formula mentions, each in its shortest form.
        whole: whether it is the matrix form.
    """
    graph = reading.analysis.graph
    told: list[Tree] = []
    seen: set[str] = set()
    waiting = [a for a in _unsaid(expr, names, held) if a not in names.partials or a in held]
    while waiting and len(told) < _MOST_CLAUSES:
        array = waiting.pop(0)
        node, is_wave = graph.node_of(array), weights(graph, array) is not None
        if array in seen or (node is None and array not in held and not is_wave):
            continue
        seen.add(array)
        if is_wave:
            if not whole or names.array(array) in to_text(tree):
                told.append(waves_equation(names, array))
            continue
        definition = held[array] if array in held else forward_formula(graph, node or 0, reading.named)
        if definition is None:
            told.append(Relation(names.symbol(array), "=", Text(names.source(array))))
            continue
        try:
            told.append(_clause(array, definition, names, whole))
        except NoForm:
            continue
        waiting += _unsaid(definition.expr, names, held)
    if not told:
        return tree
    parts: list[Tree] = [tree, Text(" where ")]
    for number, one in enumerate(told):
        parts += [Text(", ")] if number else []
        parts.append(one)
    return Row(tuple(parts))


def _unsaid(formula: Expr, names: Vocabulary, held: Mapping[str, Definition]) -> list[str]:
    """The arrays that a formula mentions without a name that the reader knows; last those that derivatives are by."""
    mentioned = sorted(without_conjugates(arrays_in(formula)))
    by = [names.partials[a][1] for a in mentioned if a in names.partials and a not in held]
    alone = [a for a in mentioned if a in held or names.is_temporary(a)]
    return alone + [a for a in by if names.is_temporary(a)]


def _clause(array: str, definition: Definition, names: Vocabulary, whole: bool) -> Tree:
    """What one array is.

    Raises:
        NoForm: there is no way to write it in whole arrays.
    """
    free, expr = definition.free, definition.expr
    letters = Letters.of(free, expr, avoid={names.array(a) for a in arrays_in(expr)})
    if whole:
        return equation(names.symbol(array), matrix_formula(expr, free, names, names.symbols(), letters))
    at = [letter(letters[i]) for i in free if isinstance(i, Index)]
    right = index_form(expr, free, letters, names.symbols(), names)
    return equation(entry(names.symbol(array), at), right)
