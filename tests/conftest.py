"""Programs of the machine that some tests need: missing ones skip a test, except in CI, where they fail it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Several people and a browser may share the machine: how long an example takes says nothing about it.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must not skip what needs it")
    pytest.skip(f"{what} is not installed")


def need(program: str) -> str:
    """The path of a program of the machine."""
    path = shutil.which(program)
    if path is None:
        missing(program)
    assert path is not None
    return path


@pytest.fixture(scope="session")
def pdflatex() -> str:
    return need("pdflatex")


@pytest.fixture(scope="session")
def xelatex() -> str:
    return need("xelatex")


def chromium_path() -> str | None:
    """A Chromium of the machine; None lets Playwright look for its own."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    return None


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        missing("playwright")
        raise
    with sync_playwright() as playwright:
        try:
            running = playwright.chromium.launch(
                executable_path=chromium_path(),
                args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
            )
        except Error:
            missing("a Chromium")
            raise
        yield running
        running.close()


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).resolve().parents[1]
