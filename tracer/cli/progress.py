"""What is being done, on the terminal, while a command works.

Nothing is shown where standard error is no terminal.
"""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """What is being done, on the terminal, once the work has taken a second.

    Calling it with a text changes what is said; nothing is shown where standard error is no terminal.
    """

    def __init__(self, after: float = 1.0) -> None:
        self._after, self._text = after, "running the program"
        self._status: Any = None
        self._timer: Any = None

    def __call__(self, text: str) -> None:
        self._text = text
        if self._status is not None:
            self._status.update(f"{text}…")

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from threading import Timer

            self._timer = Timer(self._after, self._show)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the line away; nothing is shown any more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        status, self._status = self._status, None
        if status is not None:
            status.stop()

    def _show(self) -> None:
        from rich.console import Console

        status = Console(stderr=True).status(f"{self._text}…")
        if self._timer is not None:
            self._status = status
            status.start()
