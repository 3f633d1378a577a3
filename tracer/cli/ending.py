"""How a command speaks and ends: documents on standard output, messages on standard error, exit codes.

Invariant: standard output holds the document and nothing else.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from tracer.program import ProgramError
    from tracer.recording.errors import RecordingError

DONE, WRONG, BAD_INPUT, PROGRAM_FAILED, OWN_FAULT = 0, 1, 2, 3, 70


def located(error: ProgramError | RecordingError) -> str:
    """``file:line:column: message``, the source line with a caret under the column, and what to do."""
    path, line, column = error.path, error.line, error.column
    source, hint = error.source_line, error.hint
    text = (f"{path}:{line}:{column}: " if line else f"{path}: " if path else "") + error.message
    if source and line:
        shown = source.rstrip("\n")
        indent = "".join("\t" if char == "\t" else " " for char in shown[:column])
        text += f"\n    {shown}\n    {indent}^"
    if hint:
        text += f"\n  {hint}"
    return text


def own_fault(program: str, error: Exception) -> NoReturn:
    """A mistake in this tool: say so, in a few lines; the traceback on request."""
    if os.environ.get("TRACER_DEBUG"):
        raise error
    stop(
        f"{program}: this is a mistake in tracer, not in your program: {type(error).__name__}: {error}\n"
        "  Set TRACER_DEBUG=1 to see where, and report it with the program, please.",
        OWN_FAULT,
    )


def stop(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


def print_text(text: str) -> None:
    """Text to standard output, also where that cannot show every character."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=not text.endswith("\n"))
    except BrokenPipeError:
        raise  # a reader such as `head` has read enough; Click ends quietly
    except OSError as error:
        # What is still in the buffer cannot be written either: without this, Python says so once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        stop(f"standard output cannot be written: {error.strerror}.", BAD_INPUT)


def write_document(path: str, text: str, never_over: str | None = None) -> None:
    """Write a document to a file, or end with what stands in the way."""
    from tracer.rendering.files import CannotWrite, write_atomically

    try:
        write_atomically(path, text, never_over=never_over)
    except CannotWrite as error:
        stop(str(error), BAD_INPUT)
