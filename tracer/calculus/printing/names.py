"""What a printer has to know of the program: the Python text of each array, its axes, the text of a size.

In: the names of arrays and axes as they stand in an expression.  Out: Python text.  Invariant: every
text is an expression that can be evaluated where the printed code is to run.
"""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from tracer.calculus.printing.reading import arrays_of, axes_of
from tracer.calculus.terms import Axes, Axis, Expr, Index

_IDENTIFIER = re.compile(r"[^\W\d]\w*")


class NoForm(Exception):
    """An expression has no form of the kind that was asked for; the text says why."""


class Transform(Struct, frozen=True):
    """What a sum with the weights of a Fourier transform is: Σ_n w[n, k] x[n] = c · function(x).

    Attributes:
        function: ``fft``, ``ifft`` or ``rfft``.
        scale: c is the size of the axis to this power.
        ortho: whether the function has a factor of N^(−½).
        back: the function of a sum over the other index, Σ_k w[n, k] z[k], which fills up with zeros.
    """

    function: str
    scale: int = 0
    ortho: bool = False
    back: str = ""


class Names(ABC):
    """How arrays, scalars and sizes are called in the code that is printed."""

    @abstractmethod
    def array(self, name: str) -> str:
        """Python text of an array or a scalar: ``dscores``, ``grads['W1']``."""

    @abstractmethod
    def axes(self, name: str) -> Axes | None:
        """The axes the array was declared with, or ``None`` if they are not known."""

    @abstractmethod
    def size(self, axis: Axis) -> str:
        """Python text of the number of positions of an axis, ``X.shape[0]``.

        Raises:
            NoForm: nothing in reach has the axis.
        """

    @abstractmethod
    def is_integer(self, name: str) -> bool:
        """Whether the entries of the array are integers (it may be used as an index)."""

    def transform(self, name: str) -> Transform | None:
        """The Fourier transform whose weights an array holds; ``None`` if it holds none that have a name in NumPy."""
        return None

    def is_boolean(self, name: str) -> bool:
        """Whether the entries are truth values, which NumPy does not add, negate or multiply as numbers."""
        return False


@dataclass(frozen=True)
class DeclaredNames(Names):
    """Names for a set of declared arrays: every array is called as it is, unless ``texts`` says otherwise.

    Attributes:
        declared: the axes of each array; a scalar has ``()``.
        texts: Python text of those arrays that are not called by their own name.
        sizes: Python text of the sizes of axes; an axis that is not here is read off the first declared
            array that has it, as ``X.shape[0]``.
        integers, booleans: names of arrays of such entries.
    """

    declared: Mapping[str, Axes]
    texts: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[Axis, str] = field(default_factory=dict)
    integers: frozenset[str] = frozenset()
    booleans: frozenset[str] = frozenset()

    def array(self, name: str) -> str:
        return self.texts.get(name, name)

    def axes(self, name: str) -> Axes | None:
        return self.declared.get(name)

    def size(self, axis: Axis) -> str:
        if axis in self.sizes:
            return self.sizes[axis]
        for name, axes in self.declared.items():
            if axis in axes:
                text = self.array(name)
                return f"{text if is_primary(text) else f'({text})'}.shape[{axes.index(axis)}]"
        if axis.product:
            return "(" + " * ".join(self.size(a) for a in axis.product) + ")"
        raise NoForm(f"no array at hand has the axis {axis.name}, so its size cannot be written")

    def is_integer(self, name: str) -> bool:
        return name in self.integers

    def is_boolean(self, name: str) -> bool:
        return name in self.booleans


def is_primary(text: str) -> bool:
    """Whether Python text can be subscripted or raised to a power without parentheses.

    >>> is_primary("grads['W1']"), is_primary("1. / m")
    (True, False)
    """
    if text.isidentifier():
        return True
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return False
    return isinstance(tree, (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant))


def identifiers(texts: Iterable[str]) -> frozenset[str]:
    """Every identifier that stands in the given Python texts."""
    return frozenset(word for text in texts for word in _IDENTIFIER.findall(text))


def identifiers_in(expr: Expr, free: tuple[Index | int, ...], names: Names) -> frozenset[str]:
    """Every identifier that the printed code of an expression may read: a new variable must avoid them."""
    texts = [names.array(name) for name in arrays_of(expr)]
    for axis in axes_of(expr, free):
        try:
            texts.append(names.size(axis))
        except NoForm:  # raised again where the size is really needed
            continue
    return identifiers(texts) | {"np"}
