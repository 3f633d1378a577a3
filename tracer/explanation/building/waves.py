"""What the weights of a Fourier transform are, as a formula.

Comes in: the array of the weights, and what it is called.  Goes out: ``wave_nk = e^(−2πi n k / N)``, or the code that makes
the weights where they have no such formula.
"""

from __future__ import annotations

from tracer.explanation.building.vocabulary import Vocabulary
from tracer.formula import Tree, entry, equation, letter
from tracer.formula.building import fraction, number, power, times
from tracer.formula.tree import Plus, Relation, Symbol, Text


def waves_equation(names: Vocabulary, array: str) -> Tree:
    """The equation of the weights along one axis."""
    told = names.transform(array)
    axes = names.axes(array)
    if told is None or axes is None or axes[0] is None or not told.function:
        return Relation(names.symbol(array), "=", Text(names.source(array)))
    row, column = letter("n"), letter("k")
    size = names.symbols().size(axes[0])
    turn = fraction(times([number(2), Symbol("", "π"), Symbol("", "i", upright=True), row, column]), size)
    wave = power(Symbol("", "e", upright=True), turn if told.function == "ifft" else Plus(((-1, turn),)))
    scale = told.scale - (told.function == "ifft") if not told.ortho else 0  # NumPy's own ifft divides by N
    if told.ortho:
        wave = fraction(wave, power(size, fraction(number(1), number(2))))
    elif scale < 0:
        wave = fraction(wave, size)
    return equation(entry(names.symbol(array), [row, column]), wave)
