"""`Recorder`: the object behind ``__tracer__``, with the loops and the windows.

In: the rewritten program calls it.  Out: ``recorder.tape``.  It decides at each function and each
iteration whether the recorded or the native version runs: the set-up lightly, the chosen iterations of
the training loops completely, everything else not at all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tracer.recording.box import Box, Place
from tracer.recording.calling import Calling
from tracer.recording.memory import Memory
from tracer.recording.plans import LoopEntry, LoopPlan, Stop, Token
from tracer.recording.state import Mode
from tracer.recording.stepping import Stepping
from tracer.tape.node import Call, Window
from tracer.tape.tape import Tape

#: So many iterations of each loop of the set-up are recorded.
SETUP_ITERATIONS = 8


#: How many iterations to go on for, looking for the one that computes the cost.
COST_LIMIT = 3000


class Recorder(Calling):
    """Records the windows of the planned loops; the whole program if there are none."""

    def __init__(self, places: list[Place], plans: list[LoopPlan], run_on: bool = False) -> None:
        super().__init__(places)
        self.plans, self.run_on, self.thread = plans, run_on, threading.get_ident()
        self.when_complete: Callable[[], None] | None = None
        self.reported = True
        self.active: LoopPlan | None = None
        self.open: Token | None = None
        self.running: Token | None = None
        self.outermost: tuple[Call, ...] = ()
        self.entries: list[LoopEntry] = []
        self.entered = 0
        if not plans:
            self._open_window()

    def _open_window(self) -> None:
        self.mode = Mode.WINDOW
        self.window = len(self.tape.windows)
        self.window_start = len(self.tape.nodes)
        self.bytes = 0
        self.memory.checked.clear()
        if self.plans:
            self.look_around()

    def begin(self) -> None:
        """The program's first statement comes next; what its namespace holds by now is given."""
        if self.windowed:
            self.look_around()

    def finish(self) -> None:
        """The program has ended: a program without a loop was one window."""
        self._close()
        if not self.plans and self.window >= 0:
            self.tape.windows.append(Window(0, 0, self.window_start, len(self.tape.nodes)))
            self.window = -1
        self.turn(Mode.OFF)

    def retire(self) -> None:
        """Let go of everything that was recorded; code that still calls this recorder runs natively."""
        self.turn(Mode.OFF)
        self.tape, self.memory = Tape(), Memory(self)
        for table in (
            self.identities,
            self.locations,
            self.origins,
            self.kept,
            self.outside,
            self.texts,
            self.loose,
        ):
            table.clear()

    @property
    def complete(self) -> bool:
        """Whether every planned window was recorded."""
        return bool(self.plans) and all(plan.recorded > 0 for plan in self.plans)

    def cut_short(self) -> None:
        """What a program without a loop goes on to do is not asked for, however long it takes."""
        if not self.plans and not self.run_on:
            self._stop()

    def _stop(self) -> None:
        """The program need not go on; a thread of its own is left to end, or whoever waits for it would wait for ever."""
        if threading.get_ident() == self.thread:
            raise Stop

    def _token(self, **more: Any) -> Token:
        """A loop is entered now."""
        self.entered += 1
        return Token(self.mode, self.entered, **more)

    # -- loops of the set-up ------------------------------------------------------------------------

    def loop_begin(self, index: int) -> Token:
        """An ordinary loop is entered; the place is that of its header."""
        token = self._token()
        if self.windowed and not self.plans:
            token.entry = LoopEntry(self.places[index].site, len(self.tape.nodes))
            self.entries.append(token.entry)
        return token

    def again(self, token: Token) -> bool:
        """Whether the next iteration of an ordinary loop is recorded."""
        self._leave(token)
        if self.mode is Mode.WINDOW:
            return self.room()
        token.count += 1
        if self.mode is Mode.SETUP and token.count > SETUP_ITERATIONS:
            self.turn(Mode.OFF)
            self.gap += 1
        return self.mode is Mode.SETUP

    def loop_end(self, token: Token) -> None:
        self._leave(token)
        if token.entry is not None:
            token.entry.stop = len(self.tape.nodes)
        if (
            self.mode is Mode.OFF
            and token.mode is Mode.SETUP
            and token.count > SETUP_ITERATIONS
            and self._more()
        ):
            self.turn(Mode.SETUP)
            self.memory.checked.clear()

    def _more(self) -> bool:
        """Whether there are windows still to come."""
        return not self.plans or any(not plan.complete for plan in self.plans)

    def pause(self, index: int) -> Token:
        """A loop begins that checks a gradient numerically: it runs natively."""
        token = self._token()
        if self.windowed:
            what = "A gradient is checked numerically here; this loop runs natively and is not recorded."
            self.notice(what, self.places[index])
        self.turn(Mode.OFF)
        return token

    def resume(self, token: Token) -> None:
        """It has ended: what it left behind is given."""
        self.turn(token.mode)
        if self.mode:
            self.gap += 1
            self.memory.checked.clear()
            self.look_again = True

    # -- training loops -----------------------------------------------------------------------------

    def training_begin(self, number: int) -> Token:
        return self._token(plan=self.plans[number])

    def tick(self, token: Token) -> bool:
        """The next iteration of a training loop begins: whether it is recorded."""
        plan = token.plan
        assert plan is not None
        going_on = self.open is not None and self.open.plan is plan and plan.goes_on
        if not going_on:
            self._close()
        iteration, plan.count = plan.count, plan.count + 1
        self.active = plan
        if going_on:
            return self.room()
        if plan.first <= iteration <= plan.last and self.mode is not Mode.WINDOW:
            self._open_window()
            return True
        if self.mode is not Mode.OFF:
            self.turn(Mode.OFF)
            self.gap += 1
        if iteration > plan.last:
            self._stop_if_done(plan, iteration)
            if not self.reported and self.when_complete is not None:
                self.reported = True
                self.when_complete()
        return False

    def steps(self, number: int, items: Iterable[Any]) -> Iterator[Any]:
        """What a comprehension that trains walks through: from one item to the next is an iteration."""
        return self._steps(number, iter(items))

    def _steps(self, number: int, items: Iterator[Any]) -> Iterator[Any]:
        token = self.training_begin(number)
        try:
            for item in items:
                recorded = self.tick(token)
                try:
                    yield item
                finally:
                    if recorded:
                        self.tock(token)
        finally:
            self.training_end(token)

    def step_begin(self, number: int) -> Token:
        """A function is called of which each call is an iteration; what called it, if that was one too, is over."""
        plan = self.plans[number]
        if self.running is not None and self.running.plan is plan:
            self.tock(self.running)
        token = self._token(plan=plan, calls=self.calls)
        if plan.depth == 0:
            self.outermost = self.calls
        self.calls = self.outermost
        plan.depth += 1
        token.recorded = self.tick(token)
        if token.recorded:
            self.running = token
        return token

    def step_end(self, token: Token, ended: bool = True) -> None:
        """Such a call ends; ``ended``: the calls end with the outermost of them."""
        plan = token.plan
        assert plan is not None
        plan.depth -= 1
        self.calls = token.calls
        if self.running is token:
            self.tock(token)
        if plan.depth == 0 and ended:
            self.training_end(token)
        elif plan.depth == 0:
            self._set_up_again(token)

    def stepping(self, number: int, function: Any, folds: bool) -> Stepping:
        """A function that ``map`` or the like calls, each time for an iteration."""
        return Stepping(self, number, function, folds)

    def step_by_step(self, number: int, function: Box, folds: bool) -> Box:
        return Box(Stepping(self, number, function.value, folds), None, function.place)

    def _stop_if_done(self, plan: LoopPlan, iteration: int) -> None:
        searching = not plan.settled and iteration < plan.last + COST_LIMIT
        if not searching and not self.run_on and all(p.complete for p in self.plans):
            self._stop()

    def tock(self, token: Token) -> None:
        """A recorded iteration ends, in whatever way."""
        plan, self.running = token.plan, None
        assert plan is not None
        if self.window >= 0:
            self.open = token
            plan.step = len(self.tape.nodes) - self.window_start
            if not (plan.complete and plan.with_rest) and not plan.goes_on:
                self._close()

    def _close(self) -> None:
        """The window that is open ends."""
        token, self.open = self.open, None
        if token is None or token.plan is None:
            return
        plan, start = token.plan, self.window_start
        self.tape.windows.append(Window(plan.line, plan.count - 1, start, len(self.tape.nodes)))
        plan.rest = len(self.tape.nodes) - start - plan.step
        plan.recorded += 1
        self.window = -1
        self.turn(Mode.SETUP if not plan.complete else Mode.OFF)
        if plan.complete:
            self.gap += 1
            self.reported = False

    def _leave(self, token: Token) -> None:
        """A loop around the training loop goes round, or ends: what followed the training loop is over.

        The loop of a generator that the training loop walks through was entered after it.
        """
        plan = self.open.plan if self.open is not None else None
        around = self.open is not None and token.before < self.open.before
        if plan is not None and around and token.mode is not Mode.WINDOW and not plan.to_end and not plan.goes_on:
            self._close()
            self._stop_if_done(plan, plan.count)

    def training_end(self, token: Token) -> None:
        if token.plan is not None and token.plan.first_entry is None:
            token.plan.first_entry = token.plan.count
        self._set_up_again(token)

    def _set_up_again(self, token: Token) -> None:
        """A training loop is left: what comes before the next one is the set-up."""
        if self.mode is Mode.OFF and token.mode is Mode.SETUP and self._more():
            self.turn(Mode.SETUP)
            self.gap += 1
            self.memory.checked.clear()

    def mark(self) -> None:
        """The cost is computed in this iteration."""
        plan = self.active
        if (
            plan is not None
            and (not plan.cost_seen or plan.cost_seen[-1] != plan.count - 1)
            and len(plan.cost_seen) < 100
        ):
            plan.cost_seen.append(plan.count - 1)
