"""Documents made from an `Explanation`; the formats and the functions that write them.

``to_html``, ``to_latex``, ``to_markdown``, ``to_text`` and ``to_json`` take an `Explanation` and give a text.
They are imported when they are first asked for, so that a program that wants JSON does not load Jinja2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracer.explanation.json import to_json as to_json
    from tracer.rendering.html import to_html as to_html
    from tracer.rendering.latex import parts_to_latex as parts_to_latex
    from tracer.rendering.latex import to_latex as to_latex
    from tracer.rendering.markdown import parts_to_markdown as parts_to_markdown
    from tracer.rendering.markdown import to_markdown as to_markdown
    from tracer.rendering.text import parts_to_text as parts_to_text
    from tracer.rendering.text import to_text as to_text

_HOMES = {
    "to_html": "tracer.rendering.html",
    "to_latex": "tracer.rendering.latex",
    "parts_to_latex": "tracer.rendering.latex",
    "to_markdown": "tracer.rendering.markdown",
    "parts_to_markdown": "tracer.rendering.markdown",
    "to_text": "tracer.rendering.text",
    "parts_to_text": "tracer.rendering.text",
    "to_json": "tracer.explanation.json",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
