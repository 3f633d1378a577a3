"""Where the templates are, in a checkout and in an installed package, and how they are filled in.

HTML templates escape everything that is not `Markup`; LaTeX templates have their own delimiters, since
braces and percent signs mean something there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def folder() -> Path:
    """The folder of the templates: inside the package when installed, else at the top of the repository."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"


@cache
def html_environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def latex_environment() -> Environment:
    """Values are written out as they are: whoever fills the template escapes them (`latex.escape`)."""
    return Environment(
        loader=FileSystemLoader(folder()),
        autoescape=False,  # LaTeX is not HTML; `rendering.latex` escapes
        undefined=StrictUndefined,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def text_of(name: str) -> str:
    return (folder() / name).read_text("utf-8")


def bytes_of(name: str) -> bytes:
    return (folder() / name).read_bytes()
