"""The operation table: what each NumPy operation is, entry by entry, and nothing else."""

from tracer.ops import (
    accumulations,
    choosing,
    complex_numbers,
    declared,
    decompositions,
    diagonals,
    differences,
    eigenvalues,
    elementwise,
    indexing,
    joining,
    linear_systems,
    missing,
    norms,
    order,
    overwriting,
    parts,
    polynomials,
    products,
    python_functions,
    reductions,
    repeating,
    scalar_functions,
    scipy_functions,
    shapes,
    signals,
    sources,
    statistics,
    transforms,
    truth_values,
)
from tracer.ops.auxiliary import auxiliary, held_values
from tracer.ops.axes import AxisTable, Operand
from tracer.ops.declared import STEP_FUNCTIONS
from tracer.ops.parts import statement
from tracer.ops.table import OPERATIONS, UNDIFFERENTIABLE, Operation, define
from tracer.ops.transforms import code_of_weights, mirrored, transform_of
from tracer.ops.writing import NoFormula, rational

#: The rooms of the table; importing them enters their rows.
ROOMS = (
    elementwise,
    truth_values,
    scalar_functions,
    products,
    reductions,
    python_functions,
    statistics,
    norms,
    missing,
    order,
    accumulations,
    differences,
    shapes,
    joining,
    repeating,
    diagonals,
    indexing,
    choosing,
    overwriting,
    sources,
    signals,
    polynomials,
    scipy_functions,
    linear_systems,
    eigenvalues,
    decompositions,
    parts,
    declared,
    complex_numbers,
    transforms,
)

__all__ = [
    "OPERATIONS",
    "STEP_FUNCTIONS",
    "UNDIFFERENTIABLE",
    "AxisTable",
    "NoFormula",
    "Operand",
    "Operation",
    "auxiliary",
    "code_of_weights",
    "define",
    "held_values",
    "mirrored",
    "rational",
    "statement",
    "transform_of",
]
