"""An explanation inside a notebook: the whole report, in a frame of its own."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.rendering.fixture import explanation
from tracer.notebook import frame
from tracer.rendering.html import to_html


def test_the_frame_holds_the_whole_report_and_cannot_reach_the_notebook() -> None:
    text = frame(explanation(), height=500)
    assert unescape(text.split('srcdoc="')[1].split('" title=')[0]) == to_html(explanation())
    assert 'sandbox="allow-scripts"' in text
    assert 'height="500"' in text


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_lines_can_be_chosen_inside_the_frame(browser: Any, tmp_path: Path) -> None:
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><meta charset=utf-8><body>{frame(explanation())}", encoding="utf-8")
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(notebook.as_uri())
    inner = tab.frame_locator("iframe")
    inner.locator("#lines a[href='#L26']").click()
    assert inner.locator("#L26 h3").is_visible()
    assert not inner.locator("#lines").is_visible()
    assert errors == []
    context.close()
