"""``tracer derive``: the gradient of an expression, without a program."""

from __future__ import annotations

import click

from tracer.cli.arguments import Literal
from tracer.cli.ending import BAD_INPUT, own_fault, print_text, stop, write_document
from tracer.cli.progress import Progress


def _is_expression(item: str) -> bool:
    """An expression such as ``-np.log(P)``; ``--format=json`` is none."""
    return not item.startswith("--") or "=" not in item


@click.command(cls=Literal, literal=_is_expression)
@click.argument("expression")
@click.option(
    "--wrt",
    multiple=True,
    metavar="NAME",
    help="The array to derive by, or several: W,b. By default every array.",
)
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="NAME=AXES",
    help="The axes of an array, names or sizes: X=N,D or b=1,h; reg= for a single number. Repeat it for each array.",
)
@click.option(
    "--complex",
    "complex_",
    multiple=True,
    metavar="NAME",
    help="An array that holds complex numbers, or several: z,A. The gradient by it is ∂/∂Re − i ∂/∂Im.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "latex", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How the derivation is written.",
)
@click.option("--fragment", is_flag=True, help="LaTeX without a preamble.")
@click.option("-o", "--output", metavar="FILE", help="Where to write; - is standard output.")
def derive(
    expression: str,
    wrt: tuple[str, ...],
    shapes: tuple[str, ...],
    complex_: tuple[str, ...],
    format_: str,
    fragment: bool,
    output: str | None,
) -> None:
    """Derive the gradient of a NumPy EXPRESSION.

    For example:  tracer derive "np.maximum(0, X @ W + b)" --wrt W --shape X=N,D --shape W=D,h --shape b=1,h

    The derivative is that of the sum of G * EXPRESSION; G, the upstream gradient, has the shape of the
    expression. An axis of size 1 is broadcast; an axis with a name never is. What is printed was run and
    compared with finite differences.
    """
    if fragment and format_ != "latex":
        raise click.UsageError("--fragment belongs to --format latex.")
    import tracer
    from tracer.expressions.errors import CannotDerive

    with Progress() as progress:
        progress("deriving")
        try:
            asked = [name.strip() for names in wrt for name in names.split(",")]
            of_complex = [name.strip() for names in complex_ for name in names.split(",")]
            gradients = tracer.derive(expression, asked or None, shapes, of_complex)
        except CannotDerive as error:
            progress.stop()
            stop(error.told(), BAD_INPUT)
        except Exception as error:
            progress.stop()
            own_fault(expression, error)
    if format_ == "latex":
        text = gradients.to_latex(fragment)
    else:
        text = {"text": gradients.to_text, "markdown": gradients.to_markdown, "json": gradients.to_json}[
            format_
        ]()
    if output is None or output == "-":
        print_text(text)
    else:
        write_document(output, text)
    if format_ == "json":
        for notice in gradients.notices:
            click.echo(f"note: {notice}", err=True)
