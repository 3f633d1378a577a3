"""``tracer ask``: one question about a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tracer.cli.arguments import Literal, choices_of_explanation
from tracer.cli.ending import BAD_INPUT, print_text, stop
from tracer.cli.explaining import explained

if TYPE_CHECKING:
    from tracer.explanation.model import Explanation, Part


def _is_no_long_option(item: str) -> bool:
    """A question such as ``-rate * dW2``; ``--format=json`` is none."""
    return not item.startswith("--") or "=" not in item


@click.command(cls=Literal, literal=_is_no_long_option)
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
@choices_of_explanation
def ask(program: str, question: str, arguments: tuple[str, ...], format_: str, **choices: Any) -> None:
    """Answer QUESTION about PROGRAM.

    A question is a line number (33), a piece of code ('dscores @ W2.T'), a variable (dhidden) or a
    derivative ('dL/dW2').
    """
    explanation = explained(program, arguments, choices)
    from tracer.explanation.questions import answer

    parts = answer(explanation, question)
    if not parts:
        lines = ", ".join(str(line.line) for line in explanation.lines) or "none"
        stop(
            f"{program}: nothing in it matches {question!r}.\n"
            "  Ask for a line number, a piece of its code, a variable, or a derivative such as dL/dW2.\n"
            f"  Explained lines: {lines}.",
            BAD_INPUT,
        )
    print_text(_answered(explanation, parts, format_))


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
