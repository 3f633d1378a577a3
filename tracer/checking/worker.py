"""One program checked in this process: ``python -m tracer.checking.worker FOLDER``.

Comes in: ``request.json`` in the folder.  Goes out: ``answer.json``, the `Checked` without its key.  Invariant:
an answer is written whole or not at all; without one, whoever started the process says what ended it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(folder: Path) -> None:
    """Do what the request says."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    _limit_memory(request["memory"])
    from tracer.checking.storage import to_data

    answer = json.dumps(to_data(check(request["path"], request["key"], request["options"])), allow_nan=False)
    new = folder / "answer.new"
    new.write_text(answer, encoding="utf-8")
    new.replace(folder / "answer.json")


def check(path: str, key: str, options: dict[str, Any]) -> Any:
    """Explain a program, and keep its verdicts."""
    import tracer
    from tracer.checking.judging import judged
    from tracer.checking.model import Checked, Failure
    from tracer.explanation.errors import CannotExplain
    from tracer.program import ProgramError
    from tracer.recording.errors import OutOfMemory, RecordingError, TimedOut

    start = time.monotonic()

    def failed(failure: Failure) -> Checked:
        return Checked(path, key, round(time.monotonic() - start, 2), failure=failure)

    try:
        explanation = tracer.explain(path, derivations=False, **options)
    except ProgramError as error:
        return failed(Failure("input", error.message, error.line, error.column, error.hint))
    except CannotExplain as error:
        return failed(Failure("input", error.message, hint=error.hint))
    except TimedOut as error:
        return failed(Failure("time", error.message, error.line, error.column, error.hint))
    except OutOfMemory as error:
        return failed(Failure("memory", error.message, error.line, error.column, error.hint))
    except RecordingError as error:
        return failed(Failure("program", error.message, error.line, error.column, error.hint))
    except MemoryError:
        return failed(
            Failure("memory", "Checking it wanted more memory than is allowed.", hint="Allow more: --memory.")
        )
    except Exception as error:
        said = f"This is a mistake in tracer, not in the program: {type(error).__name__}: {error}"
        return failed(Failure("tracer", said, hint="Report it with the program, please."))
    seconds = round(time.monotonic() - start, 2)
    return Checked(path, key, seconds, judged(explanation), explanation.notices)


def _limit_memory(limit: int) -> None:
    """At most so many bytes of address space, for this process and those that it starts."""
    try:
        import resource
    except ImportError:  # Windows has no such limits.
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, wanted))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
