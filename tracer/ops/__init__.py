"""The operation table: what each NumPy operation is, entry by entry, and nothing else."""

from tracer.ops import elementwise, indexing, products, reductions, shapes, sources
from tracer.ops.auxiliary import auxiliary
from tracer.ops.axes import AxisTable, Operand
from tracer.ops.table import OPERATIONS, Operation, define, define_all
from tracer.ops.writing import NoFormula, rational

#: The rooms of the table; importing them enters their rows.
ROOMS = (elementwise, products, reductions, shapes, indexing, sources)

__all__ = [
    "OPERATIONS",
    "AxisTable",
    "NoFormula",
    "Operand",
    "Operation",
    "auxiliary",
    "define",
    "define_all",
    "rational",
]
