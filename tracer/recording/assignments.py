"""The callbacks of statements that bind or change something."""

from __future__ import annotations

import collections
import sys
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracer.recording.box import Box, Place, is_number
from tracer.recording.cost import is_loss_name
from tracer.recording.harmless import does_more
from tracer.recording.state import Mode
from tracer.recording.structured import has_fields
from tracer.recording.stubs import Anything
from tracer.recording.walking import Walking
from tracer.tape.node import Binding, Kind, Node, Ref

_WINDOW = Mode.WINDOW
#: Items of longer containers get no names.
_NAMED_ITEMS = 64
#: Writing into these changes nothing but them.
CONTAINERS = (dict, list, collections.deque)


class Assignments(Walking):
    """Callbacks that carry out an assignment and record it."""

    def bind(self, index: int, box: Any) -> Any:
        """A variable gets a value."""
        if not isinstance(box, Box):
            return box
        node = box.node
        if node is not None and self.mode:
            place = self.places[index]
            name, tape = place.name, self.tape
            if name not in node.names:
                node.names.append(name)
            tape.bindings.append(Binding(name, node.id, len(tape.nodes), place.site, place.scope))
            if type(box.value) is not np.ndarray or self.mode is not _WINDOW:
                self.place_name(self.where(sys._getframe(1), name), box)
        elif self.mode and type(box.value) in (list, tuple, dict):
            name, frame = self.places[index].name, sys._getframe(1)
            self._name_items(name, box.value)
            if self.windowed and type(box.value) in (list, tuple):
                self._name_versions(name, box.value, frame.f_locals.get(name, frame.f_globals.get(name)))
        elif self.windowed and box.node is None:
            self._bind_object(box.value, self.places[index])
        return box.value

    def given_next(self, index: int, box: Any) -> Any:
        """An argument of a call that is the next iteration: the parameter gets this value."""
        place = self.places[index]
        if self.mode and isinstance(box, Box):
            if box.node is not None:
                self.bound(place.name, box, place)
            else:
                self.handed_on(place.name, box.value)
        return box

    def handed_on(self, name: str, value: Any) -> None:
        """What an iteration gives is what the next one is given under a name."""
        if self.mode and type(value) in (list, tuple, dict):
            self._name_items(name, value)
        elif self.mode and type(value) is np.ndarray:
            record = self.memory.known(value)
            if record is not None and name not in record.node.names:
                record.node.names.append(name)

    def _name_items(self, name: str, container: Any, depth: int = 0) -> None:
        """Arrays that have no other name go by their places: ``params[0]`` of ``params = [p - step for p in params]``."""
        if len(container) > _NAMED_ITEMS:
            return
        for key, item in container.items() if type(container) is dict else enumerate(container):
            inside = f"{name}[{key!r}]"
            if type(item) is np.ndarray:
                record = self.memory.known(item)
                if record is not None and not record.node.names and record.version == record.storage.version:
                    record.node.names.append(inside)
            elif type(item) in (list, tuple, dict) and depth < 1:
                self._name_items(inside, item, depth + 1)

    def _name_versions(self, name: str, made: Sequence[Any], former: Any) -> None:
        """So do numbers that are made of the ones that stood there: ``w[0]`` of ``w = [v - step for v in w]``."""
        if type(former) not in (list, tuple) or len(former) != len(made) or len(made) > _NAMED_ITEMS:
            return
        for at, (item, before) in enumerate(zip(made, former, strict=True)):
            if self.known(item) and self.known(before):
                new, old = self.identities[id(item)][1], self.identities[id(before)][1]
                if not new.names and old.id in self.tape.operands(new.id):
                    new.names.append(f"{name}[{at}]")

    def _bind_object(self, value: Any, place: Place) -> None:
        """``loss = …`` where numbers are objects of a class of the program: the name is that of the number it holds."""
        if not is_loss_name(place.name) or does_more(value, "__init__"):
            return
        for name in (*getattr(value, "__dict__", ()), *getattr(value, "__slots__", ())):
            held: Any = getattr(value, name, None)
            if is_number(held) and not isinstance(held, (bool, range)) and np.size(held) == 1:
                node = self.lookup(held, place, "", (id(value), name), value)
                if node is not None:
                    self.bound(place.name, Box(held, node), place)
                return

    def place_name(self, location: Any, box: Box) -> None:
        node = box.node
        if node is None:
            return
        if isinstance(box.value, np.ndarray):
            if self.mode is Mode.SETUP:
                self.origins[location] = node
        else:
            self._locate(location, box.value, node)

    def set_attribute(self, index: int, box: Any, owner: Box, name: str) -> None:
        self.put_attribute(self.places[index], box, owner, name)

    def put_attribute(self, place: Place, box: Any, owner: Box, name: str) -> None:
        """``owner.name = value``, also through ``setattr``; the place bears the name of the whole."""
        if self.mode and isinstance(owner.value, np.ndarray) and is_number(owner.value):
            self._set_array_attribute(owner, name, box, place)
            return
        if self.mode and has_fields(owner.value) and name in owner.value.dtype.names:
            self.set_field(box if isinstance(box, Box) else Box(box), owner.value, name, place)
            return
        if self.mode and not plainly_held(owner.value, name):
            self.memory.anything_may_change()
        setattr(owner.value, name, box.value if isinstance(box, Box) else box)
        if self.mode and isinstance(box, Box) and box.node is not None:
            self.bound(place.name, box, place)
            self.locate_item(owner.value, name, box)

    def _set_array_attribute(self, owner: Box, name: str, box: Any, place: Place) -> None:
        """``x.shape = …``, ``z.real = …``, ``x.flat = …``"""
        array = owner.value
        value = box if isinstance(box, Box) else Box(box)
        if name in ("real", "imag", "flat"):
            self.memory.before_write(array, place)
            args: tuple[Any, ...] = (self.reference(owner), name, self.reference(value))
            op, given = "with_attribute", np.asarray(value.value)
            if name == "flat" and given.size == array.size > 0 and is_number(given):
                whole = given.reshape(array.shape).copy()
                entries = self.node(Kind.OPERATION, "reshape", (args[2],), {"shape": array.shape}, whole, place)
                op, args = "setitem", (args[0], Ellipsis, Ref(entries.id))
            setattr(array, name, value.value)
            self.mutated(array, op, args, place, place.site.text.removesuffix(".flat") if name == "flat" else "")
            return
        before = self.memory.read(array, place)
        self.memory.lending.before_write(array)
        setattr(array, name, value.value)
        if name == "shape":
            kwargs = {"shape": tuple(array.shape)}
            self.memory.reshaped(
                array, self.node(Kind.VIEW, "reshape", (Ref(before.id),), kwargs, array, place)
            )
        elif name in ("dtype", "strides"):
            self.notice(f"A change of an array's {name} cannot be followed.", place)
            self.memory.reshaped(array, self.node(Kind.OPAQUE, name, (Ref(before.id),), {}, array, place))

    def set_item(self, index: int, box: Any, owner: Box, key: Box) -> None:
        self.store_item(box if isinstance(box, Box) else Box(box), owner, key, self.places[index])

    def store_item(self, box: Box, owner: Box, key: Box, place: Place) -> None:
        """``owner[key] = value``"""
        container = owner.value
        if not self.mode:
            container[key.value] = box.value
        elif isinstance(container, (np.ndarray, np.void)) and has_fields(container):
            if isinstance(key.value, str):
                self.set_field(box, container, key.value, place)
            else:
                self.memory.anything_may_change()
                container[key.value] = box.value
        elif hasattr(container, "mask") and isinstance(container, np.ndarray):
            self.memory.before_write(container, place)
            masked = (self.reference(owner), self.reference(box))
            container[key.value] = box.value
            self.mutated_masked(container, masked, place)
        elif isinstance(container, np.ndarray) and is_number(container):
            self.memory.before_write(container, place)
            args = (self.reference(owner), self.index(key), self.reference(box))
            container[key.value] = box.value
            self.mutated(container, "setitem", args, place, place.name)
        elif isinstance(container, np.flatiter) and is_number(container.base):
            array = container.base
            self.memory.before_write(array, place)
            args = (Ref(self.memory.read(array, place).id), self.index(key), self.reference(box))
            container[key.value] = box.value
            self.mutated(array, "put_flat", args, place)
        else:
            if not isinstance(container, CONTAINERS) and does_more(container, "__setitem__"):
                self.memory.anything_may_change()
            container[key.value] = box.value
            if box.node is not None:
                self.bound(f"{place.name}[{key.value!r}]", box, place)
                self.locate_item(container, key.value, box)

    def mutated(
        self, array: np.ndarray, op: str, args: tuple[Any, ...], place: Place, name: str = "",
        kwargs: dict[str, Any] | None = None, kind: Kind = Kind.MUTATION,
    ) -> Node:  # fmt: skip
        """``array`` was changed in place by ``op``."""
        node = self.node(kind, op, args, kwargs or {}, array, place)
        self.memory.written(array, node, place)
        if name:
            self.bound(name, Box(array, node), place)
        return node

    def mutated_masked(self, array: np.ndarray, args: tuple[Any, ...], place: Place) -> Node:
        """Something was written, by a mask or into what has one."""
        self.notice("What is computed with masked arrays is not followed.", place)
        return self.mutated(array, "masked", args, place, place.name, None, Kind.OPAQUE)

    def unpack(self, index: int, box: Any, count: int, star: int) -> list[Box]:
        place = self.places[index]
        box = box if isinstance(box, Box) else Box(box)
        value = box.value
        if box.items is not None and isinstance(value, (tuple, list)) and len(box.items) == len(value):
            items = list(box.items)
        elif isinstance(value, Anything):
            items = [Box(part) for part in value.parts(count)]
        else:
            items = self.items_of(value, place)
        if star < 0:
            if len(items) != count:
                short = f"not enough values to unpack (expected {count}, got {len(items)})"
                raise ValueError(
                    short if len(items) < count else f"too many values to unpack (expected {count})"
                )
            return items
        if len(items) < count - 1:
            raise ValueError(f"not enough values to unpack (expected at least {count - 1}, got {len(items)})")
        after = len(items) - (count - 1) + star
        middle = items[star:after]
        return [*items[:star], Box([b.value for b in middle], None, place, middle), *items[after:]]

def plainly_held(owner: Any, name: str) -> bool:
    """Whether setting an attribute does no more than that, or runs code of the program."""
    kind = type(owner)
    there = getattr(kind, name, None)
    plain: tuple[Any, ...] = (object.__setattr__, type.__setattr__, types.ModuleType.__setattr__)
    return kind.__setattr__ in plain and (
        isinstance(there, (property, types.MemberDescriptorType)) or not hasattr(type(there), "__set__")
    )
