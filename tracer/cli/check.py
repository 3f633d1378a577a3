"""``tracer check``: the verdicts on many programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracer.cli.arguments import Literal, definitions
from tracer.cli.ending import (
    BAD_INPUT,
    DONE,
    OWN_FAULT,
    PROGRAM_FAILED,
    WRONG,
    print_text,
    stop,
    write_document,
)

if TYPE_CHECKING:
    from tracer.checking import Checked

INTERRUPTED = 130


@click.command(cls=Literal, literal=lambda item: Path(item).exists())
@click.argument("programs", nargs=-1, required=True)
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="How many at once; as many as there are cores."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="text is written as programs are done, the others at the end.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 also if a gradient is not known, or none is found.")
@click.option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
@click.option(
    "--results",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep every result here at once, and go on from there when called again.",
)
@click.option("--loss", metavar="NAME", help="The name of the loss, if it is not found by itself.")
@click.option(
    "--define",
    multiple=True,
    metavar="NAME=VALUE",
    callback=definitions,
    help="Give a value to a name the programs lack; may be repeated.",
)
@click.option(
    "--setup",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A Python file to run before each program.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long each program may run; all of its check may take four times that, and a minute.",
)
@click.option(
    "--memory",
    type=click.FloatRange(min=0, min_open=True),
    default=4.0,
    show_default=True,
    metavar="GIB",
    help="How much memory each program may have.",
)
def check(
    programs: tuple[str, ...],
    jobs: int | None,
    format_: str,
    strict: bool,
    output: str | None,
    results: Path | None,
    timeout: float,
    memory: float,
    **options: Any,
) -> None:
    """Check the gradients of PROGRAMS: files, folders, or patterns.

    One line a gradient, then a summary. Each program is run, in a process of its own; one that fails or hangs does
    not stop the others.

    Exit codes: 0 all that was found is right, 1 a gradient is wrong, 2 a program cannot be read, 3 a program failed.
    """
    from tracer.checking import Limits, NoSuchProgram, check_programs, find_programs

    try:
        paths = find_programs(programs)
    except NoSuchProgram as error:
        stop(error.message, BAD_INPUT)
    limits = Limits(timeout, 4 * timeout + 60, int(memory * 2**30))
    jobs = min(jobs or _cores(), len(paths))
    given = {name: value for name, value in options.items() if value}
    streamed = format_ == "text" and output in (None, "-")
    found: list[Checked] = []
    broken = False
    try:
        running = check_programs(paths, jobs=jobs, limits=limits, options=given, results=results)
        for checked in _with_progress(running, len(paths)):
            found.append(checked)
            if streamed:
                _print_program(checked)
    except KeyboardInterrupt:
        broken = True
    except OSError as error:
        stop(f"{error.filename or 'a file'}: {error.strerror or error}.", BAD_INPUT)
    order = {path: k for k, path in enumerate(paths)}
    found.sort(key=lambda c: order[c.path])
    _finish(found, format_, output)
    if broken:
        kept = f" What was done is in {results}: call again to go on." if results else ""
        stop(f"Broken off after {len(found)} of {len(paths)} programs.{kept}", INTERRUPTED)
    sys.exit(exit_code(found, strict))


def exit_code(found: list[Checked], strict: bool) -> int:
    """What the process ends with: wrong gradients count more than programs that could not be checked."""
    outcomes = {checked.outcome for checked in found}
    kinds = {checked.failure.kind for checked in found if checked.failure is not None}
    if "wrong" in outcomes or (strict and outcomes & {"not known", "nothing found"}):
        return WRONG
    if "tracer" in kinds:
        return OWN_FAULT
    if kinds - {"input"}:
        return PROGRAM_FAILED
    return BAD_INPUT if kinds else DONE


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _print_program(checked: Checked) -> None:
    from tracer.rendering.checked import program_lines

    print_text("\n".join(program_lines(checked)) + "\n")


def _finish(found: list[Checked], format_: str, output: str | None) -> None:
    """The document, or for text the table, and a line about everything."""
    from tracer.rendering import checked as rendering

    if format_ == "text":
        lines = [line for checked in found for line in rendering.program_lines(checked)]
        told = rendering.table(found) if len(found) > 1 else ""
        if output in (None, "-"):
            if told:
                print_text(f"\n{told}\n")
        else:
            write_document(str(output), "\n".join([*lines, "", told, rendering.summary(found)]) + "\n")
    else:
        text = rendering.to_json(found) if format_ == "json" else _sarif(found)
        if output is None or output == "-":
            print_text(text)
        else:
            write_document(output, text)
    click.echo(rendering.summary(found), err=True)


def _sarif(found: list[Checked]) -> str:
    from importlib.metadata import PackageNotFoundError, version

    from tracer.rendering.sarif import to_sarif

    try:
        number = version("gradient-tracer")
    except PackageNotFoundError:
        number = ""
    return to_sarif(found, number)


def _with_progress(running: Iterator[Checked], total: int) -> Iterator[Checked]:
    """The same programs, with a bar on standard error if that is a terminal."""
    if not sys.stderr.isatty() or total < 2:
        yield from running
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("checking"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=total)
        for checked in running:
            bar.update(task, advance=1, description=checked.path.replace("[", r"\["))
            bar.stop()  # so that what is printed now does not stand behind the bar
            yield checked
            bar.start()
