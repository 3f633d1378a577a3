"""One coefficient, sign or index altered in one row of the operation table, and the explanation notices.

For each alteration the gradients that it changes are found in numbers: those that come out differently on the
replays.  None of them may still be called proved in the explanation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tests.building.explained import analysis, explanation, parts, recording
from tracer.calculus import substitute
from tracer.calculus.terms import Expr, Index, Term
from tracer.explanation.building import builder
from tracer.explanation.building.builder import build_explanation
from tracer.explanation.model import Explanation
from tracer.matching.analysing import analyse
from tracer.matching.analysis import Analysis
from tracer.matching.losses.names import loss_name
from tracer.ops import OPERATIONS
from tracer.ops.table import Row
from tracer.ops.writing import Form, function

Change = Callable[[Row], Row]


def coefficient(row: Row) -> Row:
    """The first term counts twice."""
    free, form = row
    first, *rest = form.expr
    return free, Form((Term(first.coefficient * 2, first.bound, first.factors), *rest))


def sign(row: Row) -> Row:
    """The last term has the other sign."""
    free, form = row
    *rest, last = form.expr
    return free, Form((*rest, Term(-last.coefficient, last.bound, last.factors)))


def index(row: Row) -> Row:
    """The last index of the result is 0 in the formula."""
    free, form = row
    running = [i for i in free if isinstance(i, Index)]
    expr: Expr = substitute(form.expr, {running[-1]: 0}) if running else form.expr
    return free, Form(expr)


def twice_inside(row: Row) -> Row:
    """exp(2x) for exp(x), and so on: a factor outside would go unnoticed in a softmax, and rightly so."""
    free, form = row
    (term,) = form.expr
    ((held, _),) = term.factors
    (argument,) = held.arguments  # type: ignore[union-attr]
    inner = Form((Term(term.coefficient, (), ((argument, term.factors[0][1]),)),))
    return free, function(held.name.replace("x0", "(2*x0)"), inner)  # type: ignore[union-attr]


ALTERATIONS: list[tuple[str, str, Change]] = [
    ("spiral_python2", "dot", coefficient),
    ("spiral_python2", "dot", sign),
    ("spiral_python2", "dot", index),
    ("spiral_python2", "add", coefficient),
    ("spiral_python2", "add", sign),
    ("spiral_python2", "add", index),
    ("spiral_python2", "maximum", coefficient),
    ("spiral_python2", "maximum", sign),
    ("spiral_python2", "maximum", index),
    ("spiral_python2", "exp", twice_inside),
    ("spiral_python2", "exp", sign),
    ("spiral_python2", "exp", index),
    ("spiral_python2", "log", coefficient),
    ("spiral_python2", "log", sign),
    ("spiral_python2", "log", index),
    ("spiral_python2", "sum", coefficient),
    ("spiral_python2", "sum", sign),
    ("spiral_python2", "sum", index),
    ("spiral_python2", "divide", coefficient),
    ("spiral_python2", "divide", index),
    ("spiral_python2", "negative", coefficient),
    ("spiral_python2", "negative", sign),
    ("spiral_python2", "negative", index),
    ("spiral_python2", "getitem", coefficient),
    ("spiral_python2", "getitem", sign),
    ("spiral_python2", "getitem", index),
    ("spiral_python2", "multiply", coefficient),
    ("spiral_python2", "multiply", index),
    ("sigmoid_ones", "subtract", coefficient),
    ("sigmoid_ones", "subtract", index),
    ("sigmoid_ones", "square", coefficient),
    ("sigmoid_ones", "square", sign),
    ("sigmoid_ones", "square", index),
    ("sigmoid_ones", "divide", coefficient),
    ("sigmoid_ones", "divide", sign),
    ("sigmoid_ones", "exp", index),
    ("square_sizes", "matmul", coefficient),
    ("square_sizes", "matmul", sign),
    ("square_sizes", "matmul", index),
    ("square_sizes", "tanh", coefficient),
    ("square_sizes", "tanh", twice_inside),
    ("square_sizes", "tanh", sign),
    ("square_sizes", "tanh", index),
    ("square_sizes", "power", coefficient),
    ("square_sizes", "power", sign),
    ("relu_mean_squares", "mean", coefficient),
    ("relu_mean_squares", "mean", sign),
]


def altered(op: str, change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alter the row of an operation until the test is over."""
    row = OPERATIONS[op]

    def write(*operands: Any, **arguments: Any) -> Row:
        return change(row.write(*operands, **arguments))

    monkeypatch.setitem(OPERATIONS, op, replace(row, write=write))


def changed_gradients(before: Analysis, after: Analysis) -> set[tuple[str, str]]:
    """(loss, variable) of the gradients that are other numbers by the altered table."""
    found = set()
    tape = before.tape
    for root in before.matcher.adjoints.keys() & after.matcher.adjoints.keys():
        true, false = before.matcher.adjoints[root][0].full, after.matcher.adjoints[root][0].full
        for wrt in true:
            if wrt == root or (wrt in false and np.allclose(true[wrt], false[wrt], rtol=1e-6, atol=1e-12)):
                continue
            node = tape.nodes[wrt]
            name = node.names[0] if node.names else node.site.text if node.site else ""
            found.add((loss_name(tape, tape.nodes[root]) or "", name))
    return found


def proved(found: Explanation) -> dict[tuple[int, str], tuple[str | None, str | None]]:
    """The proved gradients: (line, source) → (of, wrt)."""
    return {
        (line, part.source): (part.of, part.wrt)
        for line, part in parts(found)  # type: ignore[arg-type]
        if part.role == "gradient" and part.verdict == "proved"
    }


@pytest.mark.parametrize(
    ("program", "op", "change"), ALTERATIONS, ids=[f"{op}-{change.__name__}-{program}" for program, op, change in ALTERATIONS]
)
def test_no_gradient_that_an_altered_rule_changes_is_called_proved(
    program: str, op: str, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, right = analysis(program), proved(explanation(program))
    altered(op, change, monkeypatch)
    analyses: list[Analysis] = []
    monkeypatch.setattr(builder, "analyse", lambda *given: analyses.append(analyse(*given)) or analyses[-1])
    with np.errstate(all="ignore"):
        left = proved(build_explanation(recording(program), derivations=False))
    wrong = changed_gradients(before, *analyses)
    affected = {place for place, identity in right.items() if identity in wrong}
    assert affected, "the alteration changes nothing that was proved, so it tests nothing"
    still = {place: left[place] for place in affected & left.keys() if left[place] in wrong}
    assert not still


@pytest.mark.parametrize(("op", "change"), [("dot", coefficient), ("maximum", sign), ("log", sign)])
def test_what_its_finite_difference_contradicts_is_not_called_checked_either(
    op: str, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """*Checked* means that the finite differences agree; with a wrong rule they do not."""
    altered(op, change, monkeypatch)
    with np.errstate(all="ignore"):
        found = build_explanation(recording("spiral_python2"), derivations=False)
    claimed = [
        (line, part.source, part.evidence.finite_difference)
        for line, part in parts(found)  # type: ignore[arg-type]
        if part.verdict in ("proved", "checked") and part.evidence is not None
    ]
    assert [c for c in claimed if c[2] is not None and c[2] > 1e-2] == []
