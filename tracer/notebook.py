"""An explanation in a notebook: the whole page in a frame of its own.

In comes an `Explanation`, out goes HTML that a notebook shows as a cell's output.  The page keeps its own
styles and its own content security policy, since the frame is another document.
"""

from __future__ import annotations

from html import escape

from tracer.explanation.model import Explanation


def frame(explanation: Explanation, height: int = 720) -> str:
    """An ``iframe`` that holds the report; ``height`` is in CSS pixels."""
    from tracer.rendering import to_html

    page = escape(to_html(explanation), quote=True)
    return (
        f'<iframe srcdoc="{page}" title="Which line is which formula" '
        f'width="100%" height="{int(height)}" sandbox="allow-scripts" frameborder="0"></iframe>'
    )
