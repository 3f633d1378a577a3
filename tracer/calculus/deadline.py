"""When so much time of the processor has gone by that something is given up.

The time is that of the processor, so that a busy machine gives the same answers.  Asking for it may take longer than
what is timed; it never runs ahead of the clock on the wall, which is asked first.
"""

from __future__ import annotations

import time


class Deadline:
    """So many seconds of this thread's processor time from now on."""

    def __init__(self, seconds: float) -> None:
        self._end = time.thread_time() + seconds
        self._not_before = time.perf_counter() + seconds

    @property
    def left(self) -> float:
        """How many seconds are left; negative when it is over."""
        return self._end - time.thread_time()

    def is_over(self) -> bool:
        """Whether the time has gone by."""
        now = time.perf_counter()
        if now < self._not_before:
            return False
        left = self.left
        self._not_before = now + left
        return left < 0
