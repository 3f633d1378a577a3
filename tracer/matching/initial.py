"""What a tape is before it is looked at: leaves, settings and numbers as a reader takes them.

Comes in: a tape.  Goes out: the same tape, in which a program without a loop starts from leaves: a named array that
was made from nothing but numbers, sizes and draws is one.  So it is drawn anew in replays and may be what a gradient
is taken by.  Arrays of zeros that are only there to be filled or added to stay what they are.
"""

from __future__ import annotations

from msgspec.structs import replace

from tracer.gradients.adjoints import is_real
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape

#: What an array is made of that only has the shape of another one: ``dout = np.ones_like(out)``.
_OF_A_SHAPE = frozenset(("ones_like", "full_like"))
#: What only lays all entries of an array out in another way.
_LAYOUT = frozenset(("reshape", "ravel", "transpose", "swapaxes", "moveaxis", "squeeze", "expand_dims"))


def with_initial_leaves(tape: Tape) -> Tape:
    """The tape with initial values as leaves, for windows that are whole programs."""
    whole = {number for number, window in enumerate(tape.windows) if window.loop_line == 0}
    if not whole:
        return tape
    initial: set[int] = set()
    made_from_numbers: set[int] = set()
    for node in tape.nodes:
        if node.window not in whole or node.shape is None:
            continue
        if (
            node.kind in (Kind.LITERAL, Kind.RANDOM)
            or not node.shape
            and not is_real(node)
            or node.kind in (Kind.OPERATION, Kind.VIEW)
            and (node.op in _OF_A_SHAPE or all(k in made_from_numbers for k in tape.operands(node.id)))
        ):
            made_from_numbers.add(node.id)
        if (
            node.id in made_from_numbers
            and is_real(node)
            and node.shape
            and node.names
            and not _is_to_be_filled(tape, node)
        ):
            initial.add(node.id)
            made_from_numbers.discard(node.id)
    nodes = [replace(n, kind=Kind.LEAF) if n.id in initial else n for n in tape.nodes]
    return tape.with_nodes(nodes)


def _is_to_be_filled(tape: Tape, node: Node) -> bool:
    """Whether the first thing that happens to an array is that it is changed in place."""
    users = tape.users(node.id)
    return not users or (
        tape.nodes[users[0]].kind is Kind.MUTATION and tape.nodes[users[0]].args[0] == Ref(node.id)
    )


def with_whole_views(tape: Tape) -> Tape:
    """The tape in which a parameter that was made in another layout is a leaf: ``W = rng.normal(size=12).reshape(3, 4)``.

    In memory it is a view of an array that goes by no other name; nobody thinks of that where ``W -= step`` changes it.
    """
    nodes, first = list(tape.nodes), dict[int, int]()
    for node in tape.nodes:
        if node.kind is not Kind.VIEW or node.op not in _LAYOUT or node.window < 0 or not node.names:
            continue
        base = tape.nodes[tape.operands(node.id)[0]]
        users = [tape.nodes[user] for user in tape.users(node.id)]
        changed = any(user.kind is Kind.MUTATION and user.args[:1] == (Ref(node.id),) for user in users)
        if changed and base.kind is Kind.LEAF and tape.users(base.id) == (node.id,) and set(base.names) <= set(node.names):
            made = base.id if base.origin is None else base.origin
            origin = first.setdefault(made, node.id)
            nodes[node.id] = replace(
                node,
                kind=Kind.LEAF,
                op="",
                args=(),
                kwargs={},
                origin=None if origin == node.id else origin,
                read_from=None,
            )
    return tape.with_nodes(nodes) if first else tape


def with_equal_settings(tape: Tape) -> Tape:
    """The tape in which settings of one name and one value are one setting.

    The default values of ``def cost(theta, d=0.5)`` and ``def gradient(theta, d=0.5)`` are two numbers for Python, and
    one for whoever wrote them: a gradient holds only as long as both are the same.
    """
    first: dict[tuple[str, float], int] = {}
    nodes = list(tape.nodes)
    for node in tape.nodes:
        written = node.origin is None or tape.nodes[node.origin].kind is Kind.LITERAL
        setting = node.kind is Kind.LEAF and node.shape == () and node.window >= 0 and written
        if not setting or not is_real(node) or len(set(node.names)) != 1:
            continue
        own = node.id if node.origin is None else node.origin
        same = first.setdefault((node.names[0], float(node.value)), own)
        if same != own:
            nodes[node.id] = replace(node, origin=same)
    return tape.with_nodes(nodes)


_SINGLE = ("float16", "float32")


def with_double_precision(tape: Tape) -> Tape:
    """The tape with all its numbers of double precision: what a formula is compared with is not rounded on the way.

    The recorded values stay as they are.
    """
    nodes = list(tape.nodes)
    for node in tape.nodes:
        asked = node.kwargs.get("dtype")
        narrow = isinstance(asked, str) and asked in _SINGLE
        if narrow or node.dtype in _SINGLE:
            kwargs = {**node.kwargs, "dtype": "float64"} if narrow else node.kwargs
            nodes[node.id] = replace(node, kwargs=kwargs, dtype="float64")
    return tape.with_nodes(nodes)
