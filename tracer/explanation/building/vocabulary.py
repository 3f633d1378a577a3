"""What arrays are called: identifiers in code, symbols in formulas, sources in the list of inputs.

Comes in: the arrays of one formula or derivation.  Goes out: `Names` for the printers of code and
`Symbols` for formulas.  Invariant: within one vocabulary two arrays never share an identifier, and an
array that holds ∂loss/∂x is shown as that derivative.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tracer.calculus.complex_values import CONJUGATE, MARK, is_complex
from tracer.calculus.linearised import INVERSE
from tracer.calculus.printing import Names, NoForm
from tracer.calculus.printing.names import Transform
from tracer.calculus.terms import Axes, Axis, Definition, Expr, Index
from tracer.formula import Symbols, Tree, letter, scalar_symbol, symbol
from tracer.formula.building import number, power
from tracer.formula.tree import Conjugate, Partial
from tracer.gradients.graph import Graph
from tracer.gradients.transform_weights import code_of_weights, transform, weight_axes, weights

_RESERVED = {"np", "result", "print", "range", "len", "sum", "max", "min", "float", "int"}


def plain_source(text: str) -> str:
    """Source text on one line, with single spaces."""
    return " ".join(text.split())


@dataclass
class Vocabulary(Names):
    """Names of arrays for the reader.

    Attributes:
        partials: arrays shown as derivatives: array → (the root's array, the array it is the derivative by).
        at_hand: arrays that code may read the size of an axis from.
        sources: how the program writes arrays that do not go by their own names.
    """

    graph: Graph
    root_name: str = "loss"
    partials: dict[str, tuple[str, str]] = field(default_factory=dict)
    at_hand: list[str] = field(default_factory=list)
    identifiers: dict[str, str] = field(default_factory=dict)
    temporaries: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    root_array: str = ""
    _codes: dict[tuple[Definition, tuple[str, ...]], str] = field(default_factory=dict)

    def code_of(
        self, definition: Definition, write: Callable[[Expr, tuple[Index | int, ...], Vocabulary], str]
    ) -> str:
        """What ``write`` makes of a definition; the steps of a derivation compute the same arrays again and again."""
        key = definition, tuple(self.at_hand)
        if key not in self._codes:
            self._codes[key] = write(definition.expr, definition.free, self)
        return self._codes[key]

    def source(self, array: str) -> str:
        """How the program writes an array: its first name, else the expression that made it."""
        if array in self.sources:
            return self.sources[array]
        if array in self.partials and self.graph.node_of(array) is None:
            wrt = self.partials[array][1]
            return f"∂{self.root_name}/∂{self.source(wrt)}"
        if array.endswith(CONJUGATE):
            return f"np.conj({self.source(array.removesuffix(CONJUGATE))})"
        node_id = self.graph.node_of(array)
        if node_id is None:
            axes = weight_axes(self.graph, array) if is_complex(array) else None
            if axes is not None:
                return code_of_weights(self.graph, array, self.graph.axis_text(axes[0])) or array
            owner, _, what = array.replace(MARK, "").partition(".")
            if self._inverted(array) is not None:
                return f"np.linalg.inv({self.source(owner)})"
            return f"{what} of {self.source(array.partition('.')[0])}"
        node = self.graph.tape.nodes[node_id]
        if node.names:
            return node.names[0]
        for other, first in self.graph.aliases.items():
            if first == node_id and self.graph.tape.nodes[other].names:
                return self.graph.tape.nodes[other].names[0]
        return plain_source(node.site.text) if node.site is not None else array

    def weights(self, array: str) -> str | None:
        """Code of the weights of a Fourier transform, from the arrays at hand; None for any other array.

        Raises:
            NoForm: none of those has the axis.
        """
        axes = weight_axes(self.graph, array) if is_complex(array) else None
        if axes is None:
            return None
        return code_of_weights(self.graph, array, "1" if axes[0] is None else self.size(axes[0]))

    def _inverted(self, array: str) -> str | None:
        """The matrix whose inverse an array is that the program does not compute."""
        matrix = array.removesuffix(INVERSE)
        return matrix if matrix != array and self.graph.node_of(matrix) is not None else None

    def is_temporary(self, array: str) -> bool:
        """Whether the program has no name for an array, so that one is made up."""
        return array in self.temporaries

    def array(self, name: str) -> str:
        """The identifier of an array in code, or the conjugate of one."""
        if name.endswith(CONJUGATE):
            return f"np.conj({self.array(name.removesuffix(CONJUGATE))})"
        if name not in self.identifiers:
            self.identifiers[name] = self._new_identifier(name)
        return self.identifiers[name]

    def _new_identifier(self, name: str) -> str:
        source = self.source(name)
        taken = set(self.identifiers.values()) | _RESERVED
        if name in self.partials and self.graph.node_of(name) is None:
            base = "d_" + self.array(self.partials[name][1])
        elif weights(self.graph, name) is not None:
            base = self.temporaries[name] = "wave" if "wave" not in taken else f"wave{len(taken)}"
        elif self._inverted(name) is not None:
            base = f"{self.array(self._inverted(name) or name)}_inverse"
        elif re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*|\[['\"]?\w+['\"]?(, ?\w+)*\])*", source):
            base = re.sub(r"\W+", "_", source).strip("_")
        else:
            base = "t1"
            number = 1
            while base in taken:
                number += 1
                base = f"t{number}"
            self.temporaries[name] = base
        if keyword.iskeyword(base):
            base += "_"
        found, number = base, 2
        while found in taken:
            found = f"{base}_{number}"
            number += 1
        return found

    def axes(self, name: str) -> Axes | None:
        name = name.removesuffix(CONJUGATE)
        if name in self.partials and self.graph.node_of(name) is None:
            return self.axes(self.partials[name][1])
        node = self.graph.node_of(name)
        if node is not None:
            return self.graph.axes(node)
        inverted = self._inverted(name)
        if inverted is not None:
            axes = self.axes(inverted)
            return None if axes is None else (*axes[:-2], *reversed(axes[-2:]))
        if is_complex(name) and "." in name:
            return weight_axes(self.graph, name)
        owner, _, what = name.partition(".")
        made = self.graph.node_of(owner) if what in ("argmax", "argmin") else None
        return None if made is None else self.graph.axes(made)  # one position for each extreme

    def size(self, axis: Axis) -> str:
        for name in self.at_hand:
            axes = self.axes(name)
            if axes is not None and axis in axes:
                return f"{self.array(name)}.shape[{axes.index(axis)}]"
        raise NoForm(f"no array at hand has the axis {self.graph.axis_text(axis)}")

    def transform(self, name: str) -> Transform | None:
        return transform(self.graph, name)

    def is_integer(self, name: str) -> bool:
        node = self.graph.node_of(name)
        if node is None:
            return name not in self.partials and not is_complex(name)
        return self.graph.tape.nodes[node].dtype.startswith(("int", "uint"))

    def is_boolean(self, name: str) -> bool:
        node = self.graph.node_of(name)
        return node is not None and self.graph.tape.nodes[node].dtype == "bool"

    def symbol(self, array: str) -> Tree:
        """The symbol of an array; a temporary has a made-up letter."""
        if array.endswith(CONJUGATE):
            return Conjugate(self.symbol(array.removesuffix(CONJUGATE)))
        if array in self.partials:
            root, wrt = self.partials[array]
            of = scalar_symbol(self.root_name) if root == self.root_array else self.symbol(root)
            return Partial(of, self.symbol(wrt))
        inverted = self._inverted(array)
        if inverted is not None:
            return power(self.symbol(inverted), number(-1))
        self.array(array)
        shown = self.temporaries.get(array) or self.source(array)
        return symbol(shown)

    def symbols(self) -> Symbols:
        """How a formula shows arrays and sizes."""
        return _Shown(vocabulary=self)

    def texts(self, arrays: Iterable[str]) -> Mapping[str, str]:
        """The sources of several arrays."""
        return {a: self.source(a) for a in arrays}


@dataclass(frozen=True)
class _Shown(Symbols):
    vocabulary: Vocabulary | None = None

    def array(self, name: str) -> Tree:
        assert self.vocabulary is not None
        return self.vocabulary.symbol(name)

    def size(self, axis: Axis) -> Tree:
        assert self.vocabulary is not None
        return letter(self.vocabulary.graph.axis_text(axis))
