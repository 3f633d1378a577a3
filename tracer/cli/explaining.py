"""An explanation for a command: what `tracer.explain` gives; its errors end the process with their exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tracer.cli.ending import BAD_INPUT, PROGRAM_FAILED, located, own_fault, stop
from tracer.cli.progress import Progress

if TYPE_CHECKING:
    from tracer.explanation.model import Explanation


def explained(
    program: str,
    arguments: tuple[str, ...],
    choices: dict[str, Any],
    meanwhile: Callable[[], None] | None = None,
) -> Explanation:
    """What `tracer.explain` gives; its errors end the process with their message and exit code."""
    set_collector()
    import tracer
    from tracer.explanation.errors import CannotExplain
    from tracer.program import ProgramError
    from tracer.recording.errors import RecordingError

    with Progress() as progress:
        try:
            explanation: Explanation = tracer.explain(
                program, arguments=arguments, progress=progress, meanwhile=meanwhile, **choices
            )
            return explanation
        except ProgramError as error:
            progress.stop()
            stop(located(error), BAD_INPUT)
        except CannotExplain as error:
            progress.stop()
            stop(f"{program}: {error.message}" + (f"\n  {error.hint}" if error.hint else ""), BAD_INPUT)
        except RecordingError as error:
            progress.stop()
            frames = getattr(error, "traceback", "")
            stop((frames.rstrip() + "\n\n" if frames else "") + located(error), PROGRAM_FAILED)
        except Exception as error:
            progress.stop()
            own_fault(program, error)


def set_collector() -> None:
    """Let the garbage collector look less often, and not at all when the process ends.

    An explanation is many small objects that live as long as the process does: looking for garbage among
    them again and again brings nothing.
    """
    import atexit
    import gc

    gc.set_threshold(100_000, 50, 50)
    atexit.register(gc.freeze)
