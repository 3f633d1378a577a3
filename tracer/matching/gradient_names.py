"""What the name of a variable says: that its value is a gradient, and of what.

Comes in: a name, as the tape writes it (``dW2``, ``grads['W2']``, ``self.dW2``).  Goes out: the parameter's own name.
A name alone decides nothing; it only says what to compare a value with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_GRADIENT_NAME = re.compile(r"(?:d_?|grad(?:ient)?s?_?|delta_?|derivative_?|nabla_?|g_)(?P<of>\w+)$", re.I)


_GRADIENT_ENDING = re.compile(r"(?P<of>\w+?)_(?:grad(?:ient)?|delta|derivative|g)$", re.I)


#: What is called after no value: the gradient, of whatever is at hand.
_GRADIENT_ITSELF = re.compile(r"(?:grads?|gradients?|nabla|deriv(?:ative)?s?|delta|g)$", re.I)
_NO_GRADIENT = re.compile(
    r"(?:data\w*|dim\w*|dtype|dist\w*|depth|decay\w*|dropout\w*|done|d|dt|digits?|default\w*|div\w*|do|dot\w*|draw\w*)$"
)
_BACKWARD = re.compile(r"grad|back|deriv|nabla", re.I)


_HOLDER = re.compile(r"grad|deriv|delta|nabla|^d$|^g$", re.I)


_NUMBERED = re.compile(r"^(?P<series>.*)\[(?P<number>-?\d+)\]$")
_KEY = re.compile(r"^(?P<holder>.*)\[['\"]?(?P<key>[^\]'\"]+)['\"]?\]$")


def says_gradient(names: Iterable[str]) -> bool:
    """Whether one of the names says so: ``dW``, ``grad_b``, ``delta2``, ``grads['W']``, ``gradient``; ``data`` does not."""
    return any(_says_gradient(name) for name in names)


def _says_gradient(name: str) -> bool:
    keyed = _KEY.match(name)
    last = (keyed["holder"] if keyed is not None else name).rpartition(".")[2]
    if _NO_GRADIENT.match(last) is not None:
        return False
    return _GRADIENT_ITSELF.match(last) is not None or parameter_of(name) is not None


def is_backward(function: str) -> bool:
    """Whether the name of a function says that it computes gradients: ``backward``, ``grad_w``, ``backprop``."""
    return _BACKWARD.search(function.rpartition(".")[2]) is not None


def parameter_of(name: str) -> str | None:
    """What a name says that its value is the gradient of: ``W2`` for ``dW2``, ``grads['W2']``, ``self.dW2``, ``grad_W2``."""
    keyed = _KEY.match(name)
    if keyed is not None:
        key = keyed["key"]
        inner = parameter_of(key)
        if inner is not None:
            return inner
        holder = keyed["holder"].rpartition(".")[2]
        return key if _HOLDER.search(holder) and not key.lstrip("-").isdigit() else None
    last = name.rpartition(".")[2]
    found = _GRADIENT_NAME.match(last) or _GRADIENT_ENDING.match(last)
    return found["of"] if found is not None else None


def plain_name(name: str) -> str:
    """A variable's own name: ``W2`` for ``self.W2``, ``params['W2']`` and ``W2``."""
    keyed = _KEY.match(name)
    return keyed["key"] if keyed is not None else name.rpartition(".")[2]


def numbered(names: Iterable[str]) -> tuple[str, int] | None:
    """The series and the number of a value that was stored by number: ``("hs", 3)`` for ``hs[3]``."""
    for name in names:
        found = _NUMBERED.match(name)
        if found is not None:
            return found["series"], int(found["number"])
    return None
