"""What a program wants to be done when it ends: ``atexit.register(report)``.

In: the paths of a program's files.  Out: as long as it runs, what they register waits for its end, and is carried out
then, the last one first, while its prints are still captured.  Of a program that was stopped nothing is carried out.
"""

from __future__ import annotations

import atexit
import contextlib
import sys
import traceback
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

_OURS = str(Path(__file__).resolve().parents[1])


@contextlib.contextmanager
def run_at_exit(paths: Collection[str]) -> Iterator[Callable[[], None]]:
    """Take what these files register; what is given carries it out."""
    waiting: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
    register, unregister = atexit.register, atexit.unregister

    def registered(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        if _caller() not in paths:
            return register(function, *args, **kwargs)
        waiting.append((function, args, kwargs))
        return function

    def forgotten(function: Callable[..., Any]) -> None:
        waiting[:] = [each for each in waiting if each[0] != function]
        unregister(function)

    def carry_out() -> None:
        while waiting:
            function, args, kwargs = waiting.pop()
            try:
                function(*args, **kwargs)
            except SystemExit:
                pass
            except Exception:  # Python, too, tells it and goes on.
                traceback.print_exc()

    there: Any = atexit
    there.register, there.unregister = registered, forgotten
    try:
        yield carry_out
    finally:
        there.register, there.unregister = register, unregister


def _caller() -> str:
    """The file that calls `atexit`; the recorder may have carried out the call for it."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return frame.f_code.co_filename if frame is not None else ""
