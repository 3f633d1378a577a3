"""What a machine lacks skips tests at home and fails them in CI; the commands that the README promises exist."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.conftest import need


def test_in_ci_a_missing_program_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must not skip"):
        need("a-program-that-does-not-exist")


def test_at_home_a_missing_program_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="not installed"):
        need("a-program-that-does-not-exist")


def test_the_ci_script_can_be_run_and_runs_make_test(root: Path) -> None:
    script = root / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text("utf-8")
    assert text.startswith("#!/usr/bin/env bash")
    assert "set -euo pipefail" in text
    assert text.rstrip().endswith("make test")


def test_every_make_target_in_the_documents_exists(root: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        promised = set(
            re.findall(r"^(?:\$ |    )make ([a-z]+)", (root / name).read_text("utf-8"), re.MULTILINE)
        )
        assert promised
        assert promised <= targets


def test_every_room_is_on_the_map(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text("utf-8")
    rooms = {path.parent.name for path in (root / "tracer").glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}/`" not in text} == set()


def test_the_options_that_the_readme_names_exist(root: Path) -> None:
    from tracer.cli import main

    text = (root / "README.md").read_text("utf-8")
    sections = {
        "explain": text.split("## Options")[1].split("\n## ")[0],
        "check": text.split("## Check many programs")[1].split("\n## ")[0],
        "derive": text.split("## A gradient without a program")[1].split("\n## ")[0],
    }
    for command, section in sections.items():
        known = {name for parameter in main.commands[command].params for name in parameter.opts}
        own = re.sub(r" -- [^`]*`", "`", section)  # what follows -- belongs to the explained program
        named = set(re.findall(r"(?<![\w-])(--[a-z]+(?:-[a-z]+)*)", own))
        assert named
        assert named <= known


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.py")), ids=lambda p: p.name
)
def test_an_example_runs_by_itself(path: Path) -> None:
    import subprocess
    import sys

    run = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout
