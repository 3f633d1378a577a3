"""The command line: ``tracer explain`` and ``tracer ask``.

In come arguments, out go a document, a summary on standard error, and an exit code: 0 done, 1 wrong gradients
with ``--strict``, 2 bad input, 3 the explained program failed.  Invariant: standard output holds the document
and nothing else.  Everything heavy is imported when it is needed, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from tracer.explanation.model import Explanation, Part
    from tracer.program import ProgramError
    from tracer.recording.errors import RecordingError

DONE, WRONG, BAD_INPUT, PROGRAM_FAILED, OWN_FAULT = 0, 1, 2, 3, 70

_SUFFIXES = {"html": ".html", "latex": ".tex"}


class _Literal(click.Command):
    """A command whose positional arguments may begin with a minus.

    Known options are taken out wherever they stand before ``--``; of the rest, `literal` decides what is
    an argument.  What is neither goes to Click, which says that there is no such option.
    """

    def __init__(self, *args: Any, literal: Callable[[str], bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.literal = literal

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        takes_value: dict[str, bool] = {"--help": False}
        for parameter in self.params:
            if isinstance(parameter, click.Option):
                takes_value.update(dict.fromkeys(parameter.opts, not parameter.is_flag))
        options: list[str] = []
        positional: list[str] = []
        rest = list(args)
        while rest:
            item = rest.pop(0)
            if item == "--":
                positional += rest
                break
            if item in takes_value:
                options.append(item)
                if takes_value[item] and rest:
                    options.append(rest.pop(0))
            elif not item.startswith("-") or item == "-" or self.literal(item):
                positional.append(item)
            else:  # --format=json, -oFILE, or a mistake
                options.append(item)
        return super().parse_args(ctx, [*options, "--", *positional])


def _is_known_file(item: str) -> bool:
    return Path(item).exists()


def _is_no_long_option(item: str) -> bool:
    """A question such as ``-rate * dW2``; ``--format=json`` is none."""
    return not item.startswith("--") or "=" not in item


def _definitions(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name.strip().isidentifier() or not text.strip():
            raise click.BadParameter(f"{value!r} is not NAME=VALUE, as in --define reg=1e-3")
        found[name.strip()] = text.strip()
    return found


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("gradient-tracer")
    except PackageNotFoundError:
        number = "of a checkout that is not installed"
    click.echo(f"tracer, version {number}")
    context.exit()


def _choices(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is explained; both commands have them."""
    for option in (
        click.option("--loss", metavar="NAME", help="The name of the loss, if it is not found by itself."),
        click.option(
            "--iteration", type=click.IntRange(min=0), metavar="K", help="The iteration to explain, from 0."
        ),
        click.option(
            "--loop", type=click.IntRange(min=1), metavar="LINE", help="The line of the training loop."
        ),
        click.option(
            "--define",
            multiple=True,
            metavar="NAME=VALUE",
            callback=_definitions,
            help="Give a value to a name the program lacks; may be repeated.",
        ),
        click.option(
            "--setup",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="A Python file to run first, for a program of which only a part is there.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            default=60.0,
            show_default=True,
            metavar="SECONDS",
            help="How long the program may run.",
        ),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
def main() -> None:
    """Explain which line of a hand-written NumPy backward pass is which formula."""


@main.command(cls=_Literal, literal=_is_known_file)
@click.argument("program")
@click.argument("arguments", nargs=-1)
@click.option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["html", "json", "latex", "markdown", "text"]),
    default="html",
    show_default=True,
    help="html and latex go to a file, the others to standard output.",
)
@click.option("--fragment", is_flag=True, help="LaTeX without a preamble, only the derivations.")
@click.option("--strict", is_flag=True, help="Exit with 1 if a gradient is wrong.")
@_choices
def explain(
    program: str,
    arguments: tuple[str, ...],
    output: str | None,
    format_: str,
    fragment: bool,
    strict: bool,
    **choices: Any,
) -> None:
    """Explain PROGRAM, a Python file; what stands after -- are its own arguments.

    PROGRAM is run, in a process of its own.
    """
    if fragment and format_ != "latex":
        raise click.UsageError("--fragment belongs to --format latex.")
    explanation = _explained(program, arguments, choices, _prepare_page if format_ == "html" else None)
    text = _document(explanation, format_, fragment)
    if output is None and format_ in _SUFFIXES:
        output = Path(program).stem + _SUFFIXES[format_]
    if output is None or output == "-":
        _print(text)
    else:
        from tracer.rendering.files import CannotWrite, write_atomically

        try:
            write_atomically(output, text, never_over=program)
        except CannotWrite as error:
            _stop(str(error), BAD_INPUT)
    _summarise(explanation, None if output in (None, "-") else output)
    if strict and any(part.verdict == "wrong" for line in explanation.lines for part in line.parts):
        sys.exit(WRONG)


@main.command(cls=_Literal, literal=_is_no_long_option)
@click.argument("program")
@click.argument("question")
@click.argument("arguments", nargs=-1)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "latex", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How the answer is written.",
)
@_choices
def ask(program: str, question: str, arguments: tuple[str, ...], format_: str, **choices: Any) -> None:
    """Answer QUESTION about PROGRAM.

    A question is a line number (33), a piece of code ('dscores @ W2.T'), a variable (dhidden) or a
    derivative ('dL/dW2').
    """
    explanation = _explained(program, arguments, choices)
    from tracer.explanation.questions import answer

    parts = answer(explanation, question)
    if not parts:
        lines = ", ".join(str(line.line) for line in explanation.lines) or "none"
        _stop(
            f"{program}: nothing in it matches {question!r}.\n"
            "  Ask for a line number, a piece of its code, a variable, or a derivative such as dL/dW2.\n"
            f"  Explained lines: {lines}.",
            BAD_INPUT,
        )
    _print(_answered(explanation, parts, format_))


def _prepare_page() -> None:
    from tracer.rendering.html import prepare

    prepare()


def _explained(
    program: str,
    arguments: tuple[str, ...],
    choices: dict[str, Any],
    meanwhile: Callable[[], None] | None = None,
) -> Explanation:
    """What `tracer.explain` gives; its errors end the process with their message and exit code."""
    _set_collector()
    import tracer
    from tracer.explanation.errors import CannotExplain
    from tracer.program import ProgramError
    from tracer.recording.errors import RecordingError

    with _Progress() as progress:
        try:
            explanation: Explanation = tracer.explain(
                program, arguments=arguments, progress=progress, meanwhile=meanwhile, **choices
            )
            return explanation
        except ProgramError as error:
            progress.stop()
            _stop(_located(error), BAD_INPUT)
        except CannotExplain as error:
            progress.stop()
            _stop(f"{program}: {error.message}" + (f"\n  {error.hint}" if error.hint else ""), BAD_INPUT)
        except RecordingError as error:
            progress.stop()
            frames = getattr(error, "traceback", "")
            _stop((frames.rstrip() + "\n\n" if frames else "") + _located(error), PROGRAM_FAILED)
        except Exception as error:
            progress.stop()
            _own_fault(program, error)


def _set_collector() -> None:
    """Let the garbage collector look less often, and not at all when the process ends.

    An explanation is many small objects that live as long as the process does: looking for garbage among
    them again and again brings nothing.
    """
    import atexit
    import gc

    gc.set_threshold(100_000, 50, 50)
    atexit.register(gc.freeze)


def _located(error: ProgramError | RecordingError) -> str:
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


def _own_fault(program: str, error: Exception) -> NoReturn:
    """A mistake in this tool: say so, in a few lines; the traceback on request."""
    if os.environ.get("TRACER_DEBUG"):
        raise error
    _stop(
        f"{program}: this is a mistake in tracer, not in your program: {type(error).__name__}: {error}\n"
        "  Set TRACER_DEBUG=1 to see where, and report it with the program, please.",
        OWN_FAULT,
    )


def _stop(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


def _print(text: str) -> None:
    """Text to standard output, also where that cannot show every character."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        click.echo(text.encode(encoding, "backslashreplace").decode(encoding), nl=not text.endswith("\n"))
    except BrokenPipeError:
        raise  # a reader such as `head` has read enough; Click ends quietly
    except OSError as error:
        # What is still in the buffer cannot be written either: without this, Python says so once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _stop(f"standard output cannot be written: {error.strerror}.", BAD_INPUT)


def _document(explanation: Explanation, format_: str, fragment: bool) -> str:
    from tracer import rendering

    if format_ == "latex":
        return rendering.to_latex(explanation, fragment=fragment)
    writers = {
        "html": "to_html",
        "json": "to_json",
        "markdown": "to_markdown",
        "text": "to_text",
    }
    text: str = getattr(rendering, writers[format_])(explanation)
    return text


def _answered(explanation: Explanation, parts: tuple[Part, ...], format_: str) -> str:
    if format_ == "json":
        import json

        from tracer.explanation.json import part_data

        return (
            json.dumps([part_data(part) for part in parts], ensure_ascii=False, indent=1, allow_nan=False)
            + "\n"
        )
    from tracer import rendering

    writers = {
        "latex": rendering.parts_to_latex,
        "markdown": rendering.parts_to_markdown,
        "text": rendering.parts_to_text,
    }
    return writers[format_](explanation, parts) + "\n"


def _summarise(explanation: Explanation, output: str | None) -> None:
    from tracer.explanation.summary import findings
    from tracer.explanation.words.report import summary

    where = f" → {output}" if output else ""
    click.echo(f"{explanation.program.path}: {summary(explanation)}{where}", err=True)
    for found in findings(explanation):
        first, *others = [part.span[:2] for part in found.parts]
        click.echo(
            f"{explanation.program.path}:{first[0]}:{first[1]}: wrong gradient: {found.says}", err=True
        )
        if others:
            click.echo(
                "  The same cause: " + ", ".join(f"{line}:{column}" for line, column in others), err=True
            )


class _Progress:
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

    def __enter__(self) -> _Progress:
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


if __name__ == "__main__":
    main()
