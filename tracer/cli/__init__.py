"""The command line: ``tracer explain``, ``ask``, ``derive`` and ``check``.

In come arguments, out go a document, a summary on standard error, and an exit code: 0 done, 1 wrong gradients,
2 bad input, 3 the explained program failed.  One module a command.  Invariant: everything heavy is imported when
it is needed, so that ``--help`` answers at once.
"""

from __future__ import annotations

import click

from tracer.cli.ask import ask
from tracer.cli.check import check
from tracer.cli.derive import derive
from tracer.cli.explain import explain

__all__ = ["main"]


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


@click.group(context_settings={"help_option_names": ["--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
def main() -> None:
    """Explain which line of a hand-written NumPy backward pass is which formula."""


for _command in (explain, ask, check, derive):
    main.add_command(_command)
