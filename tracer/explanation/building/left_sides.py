"""What stands on the left of a step: the quantity that it is about, as a formula and as text.

Comes in: a `Quantity` with its indices.  Goes out: ∂loss/∂z[i, j], or ``dloss/dz[i, j]``.  Invariant: two quantities
of one derivation have the same text only if they are the same, because steps are compared by it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracer.calculus.printing import Letters
from tracer.calculus.terms import Index
from tracer.explanation.building.vocabulary import Vocabulary
from tracer.formula import Tree, entry, letter, scalar_symbol, scaled
from tracer.formula.tree import Conjugate, Parenthesised, Partial, Subscript, Text
from tracer.gradients.derived import Free, Quantity


class LeftSides:
    """Writes quantities.

    Arguments:
        factor, factor_text: what a scaled gradient is multiplied by, if it is.
    """

    def __init__(self, names: Vocabulary, letters: Letters, factor: Tree | None, factor_text: str) -> None:
        self.names, self.letters, self.factor, self.factor_text = names, letters, factor, factor_text

    def formula(self, quantity: Quantity, free: Free) -> Tree:
        """The quantity at these indices; the whole array, if there are none."""
        indices, array, wrt = self.at(free), quantity.array, quantity.wrt
        match quantity.kind:
            case "value":
                return entry(self.names.symbol(array), indices)
            case "path":
                through = Text(f"through {self.names.source(wrt)}")
                return Subscript(Parenthesised(self.by(array, indices)), (through,))
            case "direct":
                return self.directly_by(wrt, indices)
            case "local":
                split = len(self.names.axes(array) or ())
                of, by = tuple(indices[:split]), tuple(indices[split:])
                return Partial(self.names.symbol(array), self.names.symbol(wrt), of, by)
            case "slope":
                at = tuple(indices)
                return Partial(self.names.symbol(array), self.names.symbol(wrt), at, at)
            case "conjugate":
                return Conjugate(self.by(array, indices))
            case "scaled" if self.factor is not None:
                return scaled(self.factor, self.by(array, indices))
        return self.by(array, indices)

    def text(self, quantity: Quantity, free: Free, whole: bool = False) -> str:
        """The same as text.

        Arguments:
            whole: whether it is the matrix form, which has no indices.
        """
        letters = [self.letters[i] if isinstance(i, Index) else "0" for i in free]
        at = _bracketed(letters)
        if not letters and not whole and quantity.kind in ("adjoint", "scaled", "direct", "path", "conjugate"):
            at = "[()]"  # the one entry of a scalar; without it, this would be the left side of the matrix form
        root, name = self.names.root_name, self.names.source(quantity.array)
        if quantity.array in self.names.sources:
            name = f"({name})"  # dL/d(W[i, j]) is a number, dL/dW[i, j] an entry of an array
        wrt = self.names.source(quantity.wrt) if quantity.wrt else ""
        match quantity.kind:
            case "value":
                return f"{name}{at}"
            case "direct":
                return f"direct part of d{root}/d{wrt}{at}"
            case "local":
                split = len(self.names.axes(quantity.array) or ())
                return f"d{name}{_bracketed(letters[:split])}/d{wrt}{_bracketed(letters[split:])}"
            case "slope":
                return f"d{name}{at}/d{wrt}{at}"
            case "path":
                return f"d{root}/d{name}{at} through {wrt}"
            case "conjugate":
                return f"conj(d{root}/d{name}{at})"
            case "scaled":
                return f"{self.factor_text} * d{root}/d{name}{at}"
        return f"d{root}/d{name}{at}"

    def by(self, array: str, indices: Sequence[Tree]) -> Tree:
        """∂loss/∂array at some indices."""
        return entry(Partial(scalar_symbol(self.names.root_name), self.names.symbol(array)), indices)

    def directly_by(self, array: str, indices: Sequence[Tree]) -> Tree:
        """The same as far as it does not go through other values."""
        return Subscript(Parenthesised(self.by(array, indices)), (Text("direct"),))

    def at(self, free: Free) -> list[Tree]:
        """Indices as they are written; the one of an axis of size one is 1."""
        return [letter(self.letters[i]) if isinstance(i, Index) else letter("1") for i in free]


def _bracketed(letters: Sequence[str]) -> str:
    return f"[{', '.join(letters)}]" if letters else ""
