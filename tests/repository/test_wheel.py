"""The wheel: built, installed into an empty environment, and used there."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(root)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.slow
def test_the_wheel_brings_templates_schema_and_licences(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {"report.html", "report.css", "report.js", "report.tex", "report-math.woff2"}
    assert {f"tracer/_templates/{name}" for name in wanted} <= names
    assert {"tracer/explanation/schema.json", "tracer/py.typed"} <= names
    assert sum("licenses/" in name for name in names) == 2
    assert not [name for name in names if name.startswith(("tests/", "examples/"))]


@pytest.mark.slow
def test_an_installed_wheel_explains_a_program(wheel: Path, root: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True, timeout=120)
    python = tmp_path / "env" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", str(wheel)]
    subprocess.run(install, check=True, timeout=600)
    report = tmp_path / "report.html"
    example = root / "examples" / "two_layer_net.py"
    command = [str(tmp_path / "env" / "bin" / "tracer"), "explain", str(example), "-o", str(report)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert run.returncode == 0, run.stderr
    assert "proved" in run.stderr
    assert report.read_text("utf-8").startswith("<!doctype html>")


def test_every_dependency_has_an_exact_lower_bound(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    assert all(">=" in one and "," not in one for one in [*project["dependencies"], *extras])
