"""Python code of an expression: over open grids, as loops, in matrix form, in several statements."""

from tracer.calculus.printing.letters import Letters
from tracer.calculus.printing.loops import loops
from tracer.calculus.printing.matrix_code import matrix_code
from tracer.calculus.printing.names import DeclaredNames, Names, NoForm
from tracer.calculus.printing.open_grid import open_code
from tracer.calculus.printing.statements import statements

__all__ = ["DeclaredNames", "Letters", "Names", "NoForm", "loops", "matrix_code", "open_code", "statements"]
