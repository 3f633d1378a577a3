"""Arguments that several commands share, and positional arguments that may begin with a minus.

Comes in: a Click command.  Goes out: the command with its options.  Nothing heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


class Literal(click.Command):
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


def definitions(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name.strip().isidentifier() or not text.strip():
            raise click.BadParameter(f"{value!r} is not NAME=VALUE, as in --define reg=1e-3")
        found[name.strip()] = text.strip()
    return found


def choices_of_explanation(command: Callable[..., Any]) -> Callable[..., Any]:
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
            callback=definitions,
            help="Give a value to a name the program lacks; may be repeated.",
        ),
        click.option(
            "--setup",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="A Python file to run first, for a program of which only a part is there.",
        ),
        click.option(
            "--call",
            metavar="EXPRESSION",
            help="Import PROGRAM as a module and explain this call of what it defines.",
        ),
        click.option(
            "--answers",
            type=click.File(encoding="utf-8"),
            metavar="FILE",
            callback=lambda _context, _parameter, file: file.read() if file is not None else "",
            help="What input() reads, one answer a line; - is standard input.",
        ),
        click.option(
            "--run-on",
            is_flag=True,
            help="Let the program run to its end, also where all that is explained is recorded.",
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
