"""Symbolic calculus on arrays of any size: derivative, contraction, canonical form, proof, closed form."""

from tracer.calculus.adjoint import TooLarge, backward
from tracer.calculus.algebra import (
    add,
    arrays_in,
    constant,
    entry,
    fresh,
    indices_in,
    multiply,
    of_factor,
    power,
    scale,
    substitute,
    sum_over,
)
from tracer.calculus.canonical import canonical_key, equal, is_zero, simplify
from tracer.calculus.chain_rule import VectorJacobian, axes_of, shown_axes, vector_jacobian
from tracer.calculus.closed_form import closed_form
from tracer.calculus.contraction import contract
from tracer.calculus.differentiation import differentiate
from tracer.calculus.evaluation import MissingValue, evaluate
from tracer.calculus.indexing import NotRepresentable, affine
from tracer.calculus.patterns import Lemma
from tracer.calculus.proof import Proof, prove_equal
from tracer.calculus.renaming import rename_arrays
from tracer.calculus.rewriting import Rewriter, unfold
from tracer.calculus.scalar import NoDerivative
from tracer.calculus.to_sympy import sympy_of

__all__ = [
    "closed_form",
    "Lemma",
    "Proof",
    "Rewriter",
    "prove_equal",
    "unfold",
    "MissingValue",
    "NoDerivative",
    "NotRepresentable",
    "TooLarge",
    "VectorJacobian",
    "add",
    "affine",
    "arrays_in",
    "axes_of",
    "backward",
    "canonical_key",
    "constant",
    "contract",
    "differentiate",
    "entry",
    "equal",
    "evaluate",
    "fresh",
    "indices_in",
    "is_zero",
    "multiply",
    "of_factor",
    "power",
    "rename_arrays",
    "scale",
    "simplify",
    "substitute",
    "sum_over",
    "sympy_of",
    "shown_axes",
    "vector_jacobian",
]
