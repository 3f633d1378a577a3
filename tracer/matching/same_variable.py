"""Whether a value is a version of a variable that another one is a version of, too.

Comes in: nodes.  Goes out: yes or no, by the names and places that the program gave them, and by what is known to be
an update.
"""

from __future__ import annotations

import re
from collections.abc import Container

from tracer.tape.node import Kind, Node
from tracer.tape.tape import Tape

_LAYOUT = frozenset("reshape transpose swapaxes ravel".split())
#: Where in its container a value stands: ``['W1']``, ``[0]``, ``.weights[0]``.
_PLACE = re.compile(r"^\w+(?P<place>(\[[^\]]+\]|\.\w+)+)$")


def is_same_variable(new: Node, old: Node) -> bool:
    """Whether two values were bound to one name, or to one place of a container that goes by several names.

    ``p['W']`` inside of a function is ``params['W']`` outside of it.
    """
    if is_named_alike(new, old):
        return True
    places = [{m["place"] for name in names_of(node) if (m := _PLACE.search(name))} for node in (new, old)]
    return bool(places[0] & places[1])


def is_named_alike(new: Node, old: Node) -> bool:
    """Whether two values were bound to one name."""
    return bool(names_of(new) & names_of(old))


def names_of(node: Node) -> set[str]:
    """The names of a value, the keys in them written in one way: ``p["W"]`` is ``p['W']``."""
    return {name.replace('"', "'") for name in node.names}


def is_old_version(tape: Tape, node: int, updates: Container[int]) -> bool:
    """Whether a value was there before the iteration, or was made by an earlier update."""
    return tape.nodes[node].kind is Kind.LEAF or node in updates or _is_laid_out_anew(tape, tape.nodes[node])


def _is_laid_out_anew(tape: Tape, node: Node) -> bool:
    """Whether an array is the only form that another one is read in: ``W = rng.normal(size=6).reshape(2, 3)``."""
    if node.kind is not Kind.VIEW or node.op not in _LAYOUT or len(tape.operands(node.id)) != 1:
        return False
    [whole] = tape.operands(node.id)
    return tape.nodes[whole].kind is Kind.LEAF and set(tape.users(whole)) == {node.id}
