"""The front door for Python: `explain` and `derive`, and what they give.

Comes in: the path of a program, a function with its arguments, or an expression.  Goes out: an `Explanation`,
or `Gradients`: frozen models with methods that look things up in them and write them down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracer.explanation import model
from tracer.explanation.errors import CannotExplain
from tracer.explanation.model import Line, Part
from tracer.expressions import model as expression_model
from tracer.expressions.errors import CannotDerive as CannotDerive

if TYPE_CHECKING:
    from tracer.recording import Recording


@dataclass(frozen=True, slots=True)
class Explanation(model.Explanation):
    """What every line of a program is, and how well that is known."""

    def line(self, number: int) -> Line:
        """The statement on a line of the file.

        Raises:
            KeyError: nothing is known of that line.
        """
        from tracer.explanation.summary import line_at

        found = line_at(self, number)
        if found is None:
            raise KeyError(f"nothing was recorded on line {number}")
        return found

    def __getitem__(self, name: str) -> Part:
        """The last part that is bound to a name, such as ``"dW2"``.

        Raises:
            KeyError: no statement that was recorded binds this name.
        """
        parts = [p for line in self.lines for p in line.parts if p.target == name]
        if not parts:
            raise KeyError(f"no recorded statement binds {name}")
        judged = [p for p in parts if p.verdict is not None]
        return (judged or parts)[-1]

    def ask(self, question: str | int) -> tuple[Part, ...]:
        """The parts that a question is about: a line number, code, a variable, or ``dL/dW2``."""
        from tracer.explanation.questions import answer

        return answer(self, str(question))

    def to_html(self) -> str:
        """The report: one page that needs no network."""
        from tracer.rendering import to_html

        return to_html(self)

    def to_latex(self, fragment: bool = False) -> str:
        """A LaTeX document, or its body without a preamble."""
        from tracer.rendering import to_latex

        return to_latex(self, fragment=fragment)

    def to_markdown(self) -> str:
        """Markdown with formulas between dollar signs."""
        from tracer.rendering import to_markdown

        return to_markdown(self)

    def to_text(self) -> str:
        """Plain text for a terminal."""
        from tracer.rendering import to_text

        return to_text(self)

    def to_json(self) -> str:
        """The whole model as JSON; see ``tracer/explanation/README.md``."""
        from tracer.rendering import to_json

        return to_json(self)

    def _repr_html_(self) -> str:
        from tracer.notebook import frame

        return frame(self)


@dataclass(frozen=True, slots=True)
class Gradients(expression_model.Gradients):
    """The gradients of one expression; ``gradients["W"]`` is the one by W."""

    def to_text(self) -> str:
        """Plain text for a terminal."""
        from tracer.rendering.derived import to_text

        return to_text(self)

    def to_latex(self, fragment: bool = False) -> str:
        """A LaTeX document, or its body without a preamble."""
        from tracer.rendering.derived import to_latex

        return to_latex(self, fragment)

    def to_markdown(self) -> str:
        """Markdown with formulas between dollar signs."""
        from tracer.rendering.derived import to_markdown

        return to_markdown(self)

    def to_json(self) -> str:
        """A list with one object for each array; see ``tracer/expressions/README.md``."""
        from tracer.rendering.derived import to_json

        return to_json(self)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()


def derive(
    expression: str,
    wrt: str | Iterable[str] | None = None,
    shapes: Mapping[str, str | int | Sequence[str | int]] | Iterable[str] = (),
    complex_arrays: str | Iterable[str] = (),
) -> Gradients:
    """Derive the gradient of an expression, without a program.

    ``tracer.derive("np.maximum(0, X @ W + b)", wrt="W", shapes={"X": "N,D", "W": "D,h", "b": "1,h"})``

    Arguments:
        expression: a NumPy expression.
        wrt: the array to derive by, or several; every array of real or complex numbers by default.
        shapes: the axes of each array, by names or sizes; ``""`` or ``()`` is a single number.  An axis of
            size 1 is a broadcast axis; an axis with a name never is.  A mapping may hold more arrays than occur.
        complex_arrays: the arrays that hold complex numbers; by them the gradient is ∂/∂Re − i ∂/∂Im.

    Raises:
        CannotDerive: what is wrong, where in the expression, and what to do.
    """
    from tracer.expressions import derive as derived

    found = derived(expression, wrt, shapes, complex_arrays)
    return Gradients(**{f.name: getattr(found, f.name) for f in fields(found)})


def explain(
    program: str | Path | Callable[..., Any],
    *args: Any,
    loss: str | None = None,
    iteration: int | None = None,
    loop: int | None = None,
    define: Mapping[str, str] | None = None,
    setup: str | Path | None = None,
    call: str | None = None,
    arguments: Sequence[str] = (),
    answers: str = "",
    run_on: bool = False,
    timeout: float = 60.0,
    derivations: bool = True,
    progress: Callable[[str], None] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Explanation:
    """Explain which line of a program is which formula.

    Arguments:
        program: the path of a program or a notebook, which is run in a child process (``-`` is standard input),
            or a function or method, which is called with ``args`` in this one.
        loss: the name of the loss, if it is not found by itself.
        iteration: the iteration of the training loop to explain, counted from 0.
        loop: the line of the only training loop to explain.
        define: names to bind before the program starts, to Python expressions.
        setup: a file that is run before the program, in the same namespace.
        call: an expression that calls what the program defines; the program is then imported as a module, and
            the call is explained.
        arguments: the command line arguments of the program.
        answers: what ``input()`` reads, one answer a line.
        run_on: whether the program goes on natively to its end when everything needed is recorded.
        timeout: seconds that the program may take until everything needed is recorded.
        derivations: whether the formulas and derivations are written; without them the same verdicts come sooner.
        progress: is told what is being done, in a few words.
        meanwhile: is called once while the program runs in its own process.

    Raises:
        ProgramError: the program cannot be read.
        RecordingError: it failed, or took too long or too much memory.
        CannotExplain: it was recorded, but not what was asked for.
    """
    from tracer.program import ProgramError, load, parse, with_call
    from tracer.recording import RecordingError, record_in_child

    say = progress or _say_nothing
    if callable(program):
        from tracer.explanation.building.builder import build_explanation
        from tracer.recording import record_function

        say("recording the call")
        return _with_methods(build_explanation(record_function(program, *args), loss, None, derivations))
    options: dict[str, Any] = {
        "args": tuple(arguments),
        "loop": loop,
        "iteration": iteration,
        "define": dict(define or {}),
        "setup": Path(setup) if setup is not None else None,
        "timeout": timeout,
        "stdin": answers,
        "as_module": call is not None,
    }
    source = load(program)
    if call is not None:
        source = with_call(source, call)

    def rerun(text: str, modules: dict[str, str]) -> Recording | None:
        say("running the corrected program")
        try:
            return record_in_child(parse(text, source.path), modules=modules, **options)
        except (ProgramError, RecordingError):
            return None

    say("running the program")
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(record_in_child, source, run_on=run_on, **options)
        from tracer.explanation.building.builder import build_explanation  # imported while the program runs

        if meanwhile is not None:
            meanwhile()
        recording = running.result()
    if not recording.tape.windows:
        raise CannotExplain(
            "Nothing that could be explained was recorded.",
            "The program must compute something with NumPy; a training loop is explained from its second iteration on.",
        )
    say("deriving the gradients")
    explanation = build_explanation(recording, loss, rerun, derivations)
    if loss is not None and not explanation.losses:
        raise CannotExplain(
            f"No scalar called {loss} is computed in the recorded iteration.",
            "Give the name of the variable that holds the loss, as the program writes it.",
        )
    return _with_methods(explanation)


def record(program: str | Path | Callable[..., Any], *args: Any, **options: Any) -> Recording:
    """Record a program or one call of a function, without explaining it.

    Arguments:
        program: a path, or a function or method, which is called with ``args`` and ``options`` as its arguments.
        options: for a path, those of `tracer.recording.record_in_child`: ``loop``, ``iteration``, ``run_on``…

    Returns:
        The recording; ``recording.tape`` holds every operation with its value, place and names.

    Raises:
        ProgramError: the program cannot be read.
        RecordingError: it failed, or took too long or too much memory.
    """
    from tracer.program import load
    from tracer.recording import record_function, record_in_child

    if callable(program):
        return record_function(program, *args, **options)
    return record_in_child(load(program), **options)


def _say_nothing(_what: str) -> None:
    pass


def _with_methods(explanation: model.Explanation) -> Explanation:
    return Explanation(**{f.name: getattr(explanation, f.name) for f in fields(explanation)})
