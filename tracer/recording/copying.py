"""Copies of containers and objects: what `copy.deepcopy` made is tied to what it was made from.

In: the original and its copy.  Out: each array in the copy has a node, a copy of the original's; numbers keep
theirs, because Python does not copy them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_LIMIT = 10_000


def walk_together(original: Any, copied: Any, found: Callable[[Any, Any, Any, Any], None]) -> None:
    """Call ``found(holder, key, original, copy)`` for everything that both hold, each pair once.

    ``holder`` and ``key`` say where the copy stands; both are ``None`` for the copy itself.
    """
    seen: set[int] = set()
    todo: list[tuple[Any, Any, Any, Any]] = [(None, None, original, copied)]
    while todo and len(seen) < _LIMIT:
        holder, key, a, b = todo.pop()
        if type(a) is not type(b):
            continue
        found(holder, key, a, b)
        if isinstance(a, np.ndarray) or a is b or id(a) in seen:
            continue
        seen.add(id(a))
        if isinstance(a, dict):
            todo += [(b, k, a[k], b[k]) for k in a if k in b]
        elif isinstance(a, (list, tuple)):
            todo += [(b, k, p, q) for k, (p, q) in enumerate(zip(a, b, strict=False))]
        elif hasattr(a, "__dict__") and not isinstance(a, type):
            todo += [(b, k, p, vars(b)[k]) for k, p in vars(a).items() if k in vars(b)]
