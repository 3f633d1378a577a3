"""How much memory the process may take in which a program runs, and how deep its calls may lie.

Where a system has no such limits, nothing is changed.
"""

from __future__ import annotations

import contextlib

_STACK = 2**27


def limit_memory(limit: int) -> None:
    """At most so many bytes of address space; 0 for no limit."""
    if limit <= 0:
        return
    try:
        import resource
    except ImportError:  # Windows has no such limits.
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def allow_deep_calls() -> None:
    """Room for calls within calls: where a program is recorded, they lie deeper than its own."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
        if soft != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or hard >= _STACK) and soft < _STACK:
            resource.setrlimit(resource.RLIMIT_STACK, (_STACK, hard))
