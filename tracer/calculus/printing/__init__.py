"""Python code of an expression: over open grids, as loops, in matrix form, in several statements."""

from tracer.calculus.printing.letters import Letters
from tracer.calculus.printing.loops import loops
from tracer.calculus.printing.names import DeclaredNames, Names, NoForm
from tracer.calculus.printing.open_grid import open_code

__all__ = ["DeclaredNames", "Letters", "Names", "NoForm", "loops", "open_code"]
