"""The Explanation as JSON and back.

In comes an `Explanation`, out goes plain data (or its text), and the other way round.  Invariant:
``from_data(to_data(e)) == e`` for every explanation of finite numbers; NaN and infinities become null,
NumPy's scalars become Python's.  `schema` derives the JSON Schema from the dataclasses themselves, so
``schema.json`` beside this file cannot say anything else.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from typing import Any

from tracer.explanation import model
from tracer.explanation.model import Explanation, Input, Part

#: The number that stands in ``Explanation.schema``; it changes when a field changes its meaning or goes.
SCHEMA_VERSION = 1


def to_data(explanation: Explanation) -> dict[str, Any]:
    """An explanation as dictionaries, lists, strings, numbers, booleans and None."""
    data = _plain(explanation)
    assert isinstance(data, dict)
    return {"schema": data.pop("schema"), **data}


def part_data(part: Part) -> dict[str, Any]:
    """One part as plain data, in the shape it has within `to_data`."""
    data = _plain(part)
    assert isinstance(data, dict)
    return data


def to_json(explanation: Explanation, indent: int | None = 1) -> str:
    """An explanation as the text of a JSON document, which ends with a newline."""
    return json.dumps(to_data(explanation), ensure_ascii=False, indent=indent, allow_nan=False) + "\n"


def from_data(data: dict[str, Any]) -> Explanation:
    """The explanation that `to_data` made ``data`` from.

    Raises ValueError if ``data`` has another schema number, lacks a field, or has one too many.
    """
    if data.get("schema") != SCHEMA_VERSION:
        raise ValueError(f"This is schema {data.get('schema')!r}; only schema {SCHEMA_VERSION} can be read.")
    explanation = _read(Explanation, data, "explanation")
    assert isinstance(explanation, Explanation)
    return explanation


def from_json(text: str) -> Explanation:
    """Like `from_data`, from the text of a JSON document."""
    return from_data(json.loads(text))


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document, derived from the dataclasses."""
    definitions: dict[str, Any] = {}
    _describe(Explanation, definitions)
    root = definitions.pop("Explanation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Explanation of a program's gradients",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        data = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        if isinstance(value, Input) and value.below is None:
            del data["below"]
        return data
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, (str, bool)) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        return _plain(value.tolist())
    raise TypeError(f"An explanation cannot hold {type(value).__name__}: {value!r}")


def _read(kind: Any, data: Any, where: str) -> Any:
    """``data`` as a value of the type ``kind``; ``where`` is the path to it, for the error."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return _frozen(data)
    if origin in (typing.Union, types.UnionType):
        if data is None and type(None) in arguments:
            return None
        options = [option for option in arguments if option is not type(None)]
        if len(options) == 1:
            return _read(options[0], data, where)
        return data
    if origin is typing.Literal:
        if data not in arguments:
            raise ValueError(f"{where}: {data!r} is none of {', '.join(map(repr, arguments))}")
        return data
    if origin is tuple:
        if not isinstance(data, list):
            raise ValueError(f"{where}: a list is expected, not {type(data).__name__}")
        if arguments[-1] is Ellipsis:
            return tuple(_read(arguments[0], item, f"{where}[{k}]") for k, item in enumerate(data))
        if len(arguments) != len(data):
            raise ValueError(f"{where}: {len(arguments)} items are expected, not {len(data)}")
        pairs = enumerate(zip(arguments, data))
        return tuple(_read(argument, item, f"{where}[{k}]") for k, (argument, item) in pairs)
    if origin is dict:
        return {key: _read(arguments[1], item, f"{where}.{key}") for key, item in data.items()}
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, data, where)
    if kind is float and data is None:
        return math.nan
    if kind is float and isinstance(data, int):
        return float(data)
    return data


def _read_dataclass(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"{where}: an object is expected, not {type(data).__name__}")
    hints = typing.get_type_hints(kind, vars(model))
    required = {f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING}
    if missing := required - set(data):
        raise ValueError(f"{where} lacks {', '.join(sorted(missing))}")
    if unknown := set(data) - set(hints):
        raise ValueError(f"{where} has the unknown {', '.join(sorted(unknown))}")
    return kind(**{name: _read(hints[name], item, f"{where}.{name}") for name, item in data.items()})


def _frozen(data: Any) -> Any:
    return tuple(_frozen(item) for item in data) if isinstance(data, list) else data


def _describe(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type; dataclasses go to ``definitions`` and are referred to."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return {"description": "a number, or nested lists of numbers; null for NaN and infinities"}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_describe(option, definitions) for option in arguments]}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return {"type": "array", "items": _describe(arguments[0], definitions)}
        items = [_describe(argument, definitions) for argument in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _describe(arguments[1], definitions)}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}  # a place holder, should a type refer to itself
            hints = typing.get_type_hints(kind, vars(model))
            definitions[kind.__name__] = {
                "type": "object",
                "properties": {name: _describe(hint, definitions) for name, hint in hints.items()},
                "required": [name for name in hints if not (kind is Input and name == "below")],
                "additionalProperties": False,
            }
        return {"$ref": f"#/$defs/{kind.__name__}"}
    # A float that is NaN or infinite is written as null.
    names: dict[Any, Any] = {str: "string", int: "integer", bool: "boolean", float: ["number", "null"]}
    return {"type": "null"} if kind is type(None) else {"type": names[kind]}
