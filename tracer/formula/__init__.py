"""Formulas: one tree, written as LaTeX, MathML, a line of Unicode text, and words."""

from tracer.formula.building import (
    entry,
    equation,
    fraction,
    number,
    plus,
    power,
    scaled,
    sum_over,
    times,
    transposed,
    with_shape,
)
from tracer.formula.index_form import index_form
from tracer.formula.latex import to_latex
from tracer.formula.latex_text import escape, with_cjk
from tracer.formula.mathml import to_mathml
from tracer.formula.matrix_form import matrix_formula
from tracer.formula.spoken import to_spoken
from tracer.formula.symbols import Symbols, letter, scalar_symbol, symbol
from tracer.formula.tree import Tree
from tracer.formula.unicode_text import to_text

__all__ = [
    "Symbols",
    "Tree",
    "entry",
    "equation",
    "escape",
    "fraction",
    "index_form",
    "letter",
    "matrix_formula",
    "number",
    "plus",
    "power",
    "render",
    "scalar_symbol",
    "sum_over",
    "symbol",
    "scaled",
    "times",
    "to_latex",
    "to_mathml",
    "to_spoken",
    "to_text",
    "transposed",
    "with_cjk",
    "with_shape",
]


def render(tree: Tree, *, display: str = "block") -> tuple[str, str, str]:
    """A formula's LaTeX, Unicode text and MathML, in this order.

    Args:
        tree: the formula.
        display: ``block``, or ``inline`` for a formula within a line; only MathML shows the difference.
    """
    latex = to_latex(tree)
    return latex, to_text(tree), to_mathml(tree, display=display, latex=latex)
