"""From the names of a program to mathematical symbols.

In: names such as ``W2``, ``hidden_layer``, ``grads['W1']``, ``alpha``.  Out: `Symbol`: W₂, upright
hidden_layer, upright grads['W1'], α.  Nothing is escaped here: each renderer escapes for itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tracer.calculus.terms import Axis
from tracer.formula.tree import Partial, Symbol, Tree

#: Greek letters by their English names.
GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "eps": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "iota": "ι",
    "kappa": "κ",
    "lambda": "λ",
    "lam": "λ",
    "lambd": "λ",
    "lmbda": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
    "Gamma": "Γ",
    "Delta": "Δ",
    "Theta": "Θ",
    "Lambda": "Λ",
    "Sigma": "Σ",
    "Phi": "Φ",
    "Psi": "Ψ",
    "Omega": "Ω",
}
#: The sign of rows of the identity matrix: 1_y has a one where y says.
ONE_HOT = "𝟏"
_NUMBERED = re.compile(r"([^\W\d_]+)_?(\d{1,3})")


def symbol(name: str, key: str | None = None) -> Symbol:
    """The symbol of a name.

    Args:
        name: as it stands in the program.
        key: the variable that the symbol stands for, if that is not the name itself.

    >>> symbol("W2")
    Symbol(key='W2', base='W', subscript='2', upright=False)
    """
    key = name if key is None else key
    numbered = _NUMBERED.fullmatch(name)
    base, subscript = (numbered[1], numbered[2]) if numbered else (name, "")
    if base in GREEK:
        return Symbol(key, GREEK[base], subscript)
    return Symbol(key, base, subscript, upright=len(base) != 1)


def scalar_symbol(name: str) -> Symbol:
    """The symbol of a scalar that is derived; a sum of scalars that has no name of its own is put in parentheses."""
    return symbol(f"({name})", key=name) if " + " in name else symbol(name)


def letter(text: str) -> Symbol:
    """The symbol of an index: no variable of the program."""
    return symbol(text, key="")


@dataclass(frozen=True)
class Symbols:
    """How the arrays and axes of an expression are shown.

    Attributes:
        shown: the text by which an array is shown, where it is not its own name.
        adjoints: arrays that are gradients, shown as ∂L/∂X.
    """

    shown: Mapping[str, str] = field(default_factory=dict)
    adjoints: Mapping[str, Partial] = field(default_factory=dict)

    def array(self, name: str) -> Tree:
        """The symbol, or derivative, that an array is shown as."""
        return self.adjoints[name] if name in self.adjoints else symbol(self.shown.get(name, name))

    def size(self, axis: Axis) -> Tree:
        """The symbol of the size of an axis."""
        return letter(axis.name)
