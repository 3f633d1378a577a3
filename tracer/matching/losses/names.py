"""What says that a recorded scalar is a loss: its name, or that of the function that returned it; what values are called.

The words themselves stand in `tracer.program.loss_words`; a name in the text alone is judged there.
"""

from __future__ import annotations

import re

from tracer.program.loss_words import ANYWHERE, AS_A_WORD, SLOPES
from tracer.tape.node import Node
from tracer.tape.tape import Tape

_LOSS = re.compile(
    rf"{ANYWHERE}|error|risk|(^|_)err$|^(j|l|e|obj|dev|rec|recon)$|(^|_)({AS_A_WORD})(_|$|\d)", re.I
)

_SLOPE = re.compile(SLOPES, re.I)
#: ``error`` may be a loss, and may be what the backward pass hands on; these words say a loss.
_ERROR = re.compile(r"err|back_?(ward|prop)", re.I)
_CERTAIN = re.compile(rf"{ANYWHERE}|nll|mse|sse|rss|squared", re.I)


def loss_name(tape: Tape, node: Node) -> str | None:
    """The name by which a value is called a loss: the last one, ``loss`` rather than ``data_loss``.

    What a function called ``cost`` returns is called a cost, too.
    """
    own = own_loss_name(node)
    if own is not None:
        return own
    following = tape.nodes[node.id + 1].calls if node.id + 1 < len(tape) else ()
    returned = bool(node.calls) and following[: len(node.calls)] != node.calls
    function = node.calls[-1].function if returned else ""
    return function if _says_loss(function) else None


def own_loss_name(node: Node) -> str | None:
    found = [name for name in node.names if _says_loss(name.rpartition(".")[2])]
    return found[-1] if found else None


def _says_loss(name: str) -> bool:
    return _LOSS.search(name) is not None and _SLOPE.search(name) is None


def is_an_error(tape: Tape, root: int) -> bool:
    """Whether a scalar is a loss by no other word than ``error``, which is also said of what is propagated back."""
    said = loss_name(tape, tape.nodes[root]) or ""
    return bool(_ERROR.search(said)) and not _CERTAIN.search(said)


def called(node: Node) -> str:
    """What a reader calls a value: its name, or how it is written."""
    return node.names[-1] if node.names else node.site.text if node.site else "data"
