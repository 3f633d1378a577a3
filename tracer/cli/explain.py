"""``tracer explain``: a document about a whole program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracer.cli.arguments import Literal, choices_of_explanation
from tracer.cli.ending import WRONG, print_text, write_document
from tracer.cli.explaining import explained

if TYPE_CHECKING:
    from tracer.explanation.model import Explanation

_SUFFIXES = {"html": ".html", "latex": ".tex"}


def _is_known_file(item: str) -> bool:
    return Path(item).exists()


@click.command(cls=Literal, literal=_is_known_file)
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
@choices_of_explanation
def explain(
    program: str,
    arguments: tuple[str, ...],
    output: str | None,
    format_: str,
    fragment: bool,
    strict: bool,
    **choices: Any,
) -> None:
    """Explain PROGRAM, a Python file or a notebook; what stands after -- are its own arguments.

    A PROGRAM of - is read from standard input.

    PROGRAM is run, in a process of its own.
    """
    if fragment and format_ != "latex":
        raise click.UsageError("--fragment belongs to --format latex.")
    explanation = explained(program, arguments, choices, _prepare_page if format_ == "html" else None)
    text = _document(explanation, format_, fragment)
    if output is None and format_ in _SUFFIXES:
        output = ("stdin" if program == "-" else Path(program).stem) + _SUFFIXES[format_]
    if output is None or output == "-":
        print_text(text)
    else:
        write_document(output, text, never_over=program)
    _summarise(explanation, None if output in (None, "-") else output)
    if strict and any(part.verdict == "wrong" for line in explanation.lines for part in line.parts):
        sys.exit(WRONG)


def _prepare_page() -> None:
    from tracer.rendering.html import prepare

    prepare()


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


def _summarise(explanation: Explanation, output: str | None) -> None:
    from tracer.explanation.summary import findings
    from tracer.explanation.words.report import summary

    where = f" → {output}" if output else ""
    click.echo(f"{explanation.program.path}: {summary(explanation)}{where}", err=True)
    for found in findings(explanation):
        places = [(*explanation.program.place(part.span[0]), part.span[1]) for part in found.parts]
        (path, line, column), *others = dict.fromkeys(places)
        click.echo(f"{path}:{line}:{column}: wrong gradient: {found.says}", err=True)
        if others:
            same = (
                f"{line}:{column}" if other == path else f"{other}:{line}:{column}"
                for other, line, column in others
            )
            click.echo("  The same cause: " + ", ".join(same), err=True)
