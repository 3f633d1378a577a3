"""The JSON document: what goes in comes out, and the schema is the dataclasses'."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from tests.rendering.fixture import explanation
from tracer.explanation.json import from_data, from_json, schema, to_data, to_json
from tracer.explanation.model import Loss, Note

FILE = Path(__file__).resolve().parents[2] / "tracer" / "explanation" / "schema.json"
VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_an_explanation_is_read_back_as_it_was_written() -> None:
    once = from_json(to_json(explanation()))
    assert to_json(once) == to_json(explanation())
    assert from_json(to_json(once)) == once


def test_the_document_fits_its_schema() -> None:
    VALIDATOR.validate(to_data(explanation()))


def test_the_schema_beside_the_code_is_the_one_derived_from_it() -> None:
    assert json.loads(FILE.read_text("utf-8")) == schema()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data["lines"][0].pop("end_line"),
        lambda data: data["lines"][0]["parts"][0].update(role="magic"),
        lambda data: data["lines"][0]["parts"][0].update(span=[1, 2, 3]),
        lambda data: data.update(extra=1),
        lambda data: data["lines"].append("not a line"),
    ],
)
def test_a_damaged_document_is_refused_by_the_schema_and_by_the_reader(damage) -> None:  # type: ignore[no-untyped-def]
    data = json.loads(to_json(explanation()))
    damage(data)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(data)
    with pytest.raises(ValueError):
        from_data(data)


def test_a_document_of_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="schema 2"):
        from_data({**to_data(explanation()), "schema": 2})


def test_what_is_not_finite_becomes_null() -> None:
    changed = dataclasses.replace(explanation(), losses=(Loss("loss", 1, math.inf, False, None),))
    assert to_data(changed)["losses"][0]["value"] is None
    assert "NaN" not in to_json(changed)


def test_numbers_of_numpy_become_numbers() -> None:
    changed = dataclasses.replace(explanation(), losses=(Loss("loss", np.int64(3), np.float32(0.5), False, None),))  # type: ignore[arg-type]
    assert to_data(changed)["losses"] == [{"name": "loss", "line": 3, "value": 0.5, "inferred": False, "formula": None}]


def test_what_is_no_data_is_refused() -> None:
    changed = dataclasses.replace(explanation(), notices=(Note(1, 0, object()),))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="cannot hold object"):
        to_data(changed)


def test_a_missing_bound_of_an_input_is_left_out_and_a_given_one_is_kept() -> None:
    inputs = next(part for line in to_data(explanation())["lines"] for part in line["parts"] if part["derivation"])
    assert "below" not in inputs["derivation"]["inputs"]["W2"]
    assert inputs["derivation"]["inputs"]["y"]["below"] == "K"


def test_characters_are_written_as_they_are() -> None:
    assert "∂L/∂W₂" in to_json(explanation())


def test_the_readme_explains_every_field() -> None:
    readme = (FILE.parent / "README.md").read_text("utf-8")
    names = {name for part in schema()["$defs"].values() for name in part["properties"]} | set(schema()["properties"])
    assert {name for name in names if f"`{name}`" not in readme} == set()
