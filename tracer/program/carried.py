"""What the iterations of a loop hand on to each other: places that get a value made from their former one.

In: a loop of a program.  Out: how many such places its own work reads again, and the conditions below which they are
updated.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any, TypeGuard

from tracer.program.changes import (
    adds_to_itself,
    arguments_of,
    base_name,
    called_name,
    changed_by,
    copies_onto_itself,
    first_argument,
    is_attribute_of,
    is_count,
    is_filled,
    is_multiple,
    makes_anew,
    names_in,
    names_read,
    pairs_of,
    replaces_parts,
    rests_on_itself,
    returns_changed,
    sets_by_name,
    summands,
    targets_of,
)
from tracer.program.parts import is_part, updated_one_by_one
from tracer.program.scopes import Scopes


class Carried(Scopes):
    """Looks through a loop's body and the functions of the program that it calls, for updates."""

    def carried(self, node: ast.AST, direct: bool) -> int:
        """Whether a statement gives a place a value made from its former one, so that it outlives the iteration.

        Inside a called function only what belongs to someone else counts: attributes and entries, or
        an argument changed in place.
        """
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
            if is_count(node.value):
                return 0
            return int(direct or not isinstance(node.target, ast.Name) or self.is_of_others(node.target))
        if isinstance(node, ast.Assign):
            count = int(self._through_a_call(node))
            for target, value in pairs_of(node):
                shown = ast.unparse(target)
                if makes_anew(shown, value):
                    count += int(direct or not isinstance(target, ast.Name) or self.is_of_others(target))
                arithmetic = isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub))
                if updated_one_by_one(target, value) or replaces_parts(value):
                    count += int(direct or not isinstance(target, ast.Name) or self.is_of_others(target))
                filled = ast.unparse(target.value) if is_filled(target) else shown
                if arithmetic and any(
                    ast.unparse(part) in (shown, filled) or self.is_read_from(part, shown) for part in summands(value)
                ):
                    assert isinstance(value, ast.BinOp)
                    if not is_count(value.right):
                        count += int(direct or not isinstance(target, ast.Name) or self.is_of_others(target))
            return count
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and called_name(node.value) in ("add", "subtract")
        ):
            call = node.value  # np.subtract(W, step, out=W)
            out = next((ast.unparse(k.value) for k in call.keywords if k.arg == "out"), None)
            return int(out is not None and any(ast.unparse(a) == out for a in call.args))
        return int(sets_by_name(node) or copies_onto_itself(node))

    def _through_a_call(self, node: ast.Assign) -> bool:
        """``params = update(params, grads)``, where that function adds to or subtracts from something."""
        call = node.value
        if not isinstance(call, ast.Call) or called_name(call) not in self.functions:
            return False
        given = {ast.unparse(a) for a in [*call.args, *(k.value for k in call.keywords)]}
        targets = {ast.unparse(t) for t in targets_of(node)}
        if not targets & given:
            return False
        for function in self.functions[called_name(call)]:
            for name, argument in arguments_of(call, function):
                if ast.unparse(argument) in targets and returns_changed(function, name):
                    return True
        inside = [(n, f) for f in self.functions[called_name(call)] for n in ast.walk(f)]
        return any(
            (
                isinstance(n, ast.AugAssign)
                and not is_attribute_of(n.target, first_argument(f))
                and self.reaches_out(n.target)
                and base_name(n.target) not in _declared(f)
            )
            or (
                isinstance(n, ast.Assign)
                and adds_to_itself(n)
                and not all(is_attribute_of(t, first_argument(f)) or base_name(t) in _declared(f) for t in targets_of(n))
            )
            for n, f in inside
        )

    def _is_worked_on(self, statement: Any, name: str) -> bool:
        """``params = step(params, batch)``, where that function also computes something else from its argument."""
        call = statement.value if isinstance(statement, ast.Assign) else None
        if not isinstance(call, ast.Call):
            return False
        for function in self.functions.get(called_name(call), ()):
            own = {given for given, argument in arguments_of(call, function) if base_name(argument) == name}
            anew = (n for n in ast.walk(function) if isinstance(n, ast.Assign) and not self.carried(n, True))
            values = (value for node in anew for _, value in pairs_of(node))
            if any(isinstance(value, ast.Call | ast.BinOp) and own & names_in(value) for value in values):
                return True
        return False

    def updates(self, loop: ast.For | ast.While, apart: ast.AST | None = None) -> int:
        """How many places the loop changes that its own work reads again, not counting what ``apart`` does."""
        return len(self.updated(loop, apart))

    def updated(self, loop: ast.For | ast.While, apart: ast.AST | None = None) -> list[str]:
        """The variables or attributes of these places, one for each time that the text changes one."""
        statements, aliases = self.statements(loop, apart), set[str]()
        reads: dict[str, list[ast.AST]] = {}
        fresh: set[tuple[int, str]] = set()  # a name is one of a function
        for statement in statements:
            if isinstance(statement, ast.For):
                aliases |= _stored_in(statement.target)
            for name in names_read(statement):
                reads.setdefault(name, []).append(statement)
            if isinstance(statement, ast.Assign) and not self.carried(statement, True):
                fresh |= {
                    (self.scope(t), t.id)
                    for target, value in pairs_of(statement)
                    for t in [target]
                    if isinstance(t, ast.Name) and not is_part(value) and not is_multiple(t, value)
                }
        found: list[str] = []
        for statement in statements:
            if not self.carried(statement, id(statement) in self.direct(loop)):
                continue
            found += [".__dict__"] * sets_by_name(statement)
            for target in changed_by(statement):
                base = base_name(target)
                held = self.views_of(target, statement)
                held |= self.arrays_of(base, self.scope(statement)) if isinstance(target, ast.Subscript) else set()
                held |= self.set_through(base)
                elsewhere = base == ".__dict__" or any(
                    other is not statement
                    and not (isinstance(target, ast.Name) and self._adds_up(other, base))
                    and self.means(other, name, self.scope(statement))
                    for name in (base, *held)
                    for other in reads.get(name, ())
                )
                elsewhere = elsewhere or rests_on_itself(statement, target) or self._is_worked_on(statement, base)
                new = isinstance(target, ast.Name) and (self.scope(target), base) in fresh
                if not new and (base in aliases or elsewhere or self.is_of_others(target)):
                    found.append(base)
        return found + [name for name in self._made_elsewhere(statements) if name not in found]

    def _made_elsewhere(self, statements: Sequence[Any]) -> list[str]:
        """The variables of ``temp[j] = theta[j] - …`` and then ``theta = temp``: all entries change at once."""
        pairs = [(t, v, self.scope(s)) for s in statements if isinstance(s, ast.Assign) for t, v in pairs_of(s)]
        made: set[tuple[str, str, Any]] = set()
        for target, value, scope in pairs:
            if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub) and not is_count(value.right):
                made |= {(base_name(target), base_name(part), scope) for part in summands(value)}
        given = [(t, v.func.value if _copies(v) else v, scope) for t, v, scope in pairs]
        return [
            target.id
            for target, value, scope in given
            if isinstance(target, ast.Name) and isinstance(value, ast.Name) and target.id != value.id
            if (value.id, target.id, scope) in made
        ]

    def _adds_up(self, statement: Any, name: str) -> bool:
        """Whether a statement reads a variable only to add to it: ``e = e + …``, as a loss is added up in several lines."""
        if not isinstance(statement, ast.Assign) or not self.carried(statement, True):
            return False
        named = (n for n in ast.walk(statement.value) if isinstance(n, ast.Name) and n.id == name)
        return [base_name(t) for t in changed_by(statement)] == [name] and len(list(named)) == 1

    def seldom(self, loop: ast.For | ast.While) -> list[ast.If]:
        """The ``if`` statements below which what the loop reads is updated, where nothing of it is updated without.

        It may also be read only there: ``if len(batch) == 32: learn(batch)``.
        """
        found = []
        for node in ast.walk(loop):
            if not isinstance(node, ast.If):
                continue
            outside = self.statements(loop, node)
            without, reads = self._lasting(loop, outside), self._read_by(outside)
            below = self._lasting(loop, self.statements(node, None)) - without
            whole = not self.updated(loop, node) and bool(self.updated(loop))
            if (whole or any(self._is_read(base, outside, reads) for base in below)) and not any(
                self._is_read(base, outside, reads) for base in without
            ):
                found.append(node)
        # Where all of it is below another one, the outer one says too little: `if done: … if n % batch == 0: …`.
        inner = [node for node in found if not any(n in found for n in ast.walk(node) if n is not node)]
        return inner or self._guards(loop)

    def _guards(self, loop: ast.For | ast.While) -> list[ast.If]:
        """``if len(memory) < 32: continue``, where all updates of what the loop reads come after it."""
        guards = [(at, node) for at, node in enumerate(loop.body) if goes_round(node)]
        whole = self.statements(loop, None) if guards else []
        reads = self._read_by(whole)
        for at, node in guards:
            parts = [ast.If(ast.Constant(True), part, []) for part in (loop.body[:at], loop.body[at + 1 :])]
            before, after = (self._lasting(loop, self.statements(part, None)) for part in parts)
            if any(self._is_read(base, whole, reads) for base in before):
                return []
            if any(self._is_read(base, whole, reads) for base in after):
                return [node]
        return []

    def _lasting(self, loop: ast.For | ast.While, statements: Sequence[Any]) -> set[str]:
        """What statements change for the iterations after it, but for what starts anew in each."""
        direct = self.direct(loop)
        anew = {
            t.id
            for s in statements
            if isinstance(s, ast.Assign) and not self.carried(s, True)
            for t in targets_of(s)
            if isinstance(t, ast.Name) and id(s) in direct
        }
        changed = (t for s in statements if self.carried(s, id(s) in direct) for t in changed_by(s))
        return {base_name(t) for t in changed} - anew

    def _read_by(self, statements: Sequence[Any]) -> dict[str, list[Any]]:
        reads: dict[str, list[Any]] = {}
        for statement in statements:
            for name in names_read(statement):
                reads.setdefault(name, []).append(statement)
        return reads

    def _is_read(self, base: str, statements: Sequence[Any], reads: dict[str, list[Any]]) -> bool:
        """Whether a variable is read by other statements than those that change it, and that loop over it to do so."""
        own = {id(s) for s in statements if any(base_name(t) == base for t in changed_by(s))}
        return any(
            id(s) not in own and not (isinstance(s, ast.For) and all(id(b) in own for b in s.body))
            for s in reads.get(base, ())
        )

    def walks_its_updates(self, loop: ast.For) -> bool:
        """Whether the loop runs over the parameters or layers: every update is at the loop's own variable.

        It may be an entry or attribute that the variable tells, read first, or an argument of a function that updates it.
        """
        names = _stored_in(loop.target)
        inside = [n for s in loop.body for n in ast.walk(s)]
        for node in inside:
            if isinstance(node, ast.Assign):
                for target, value in pairs_of(node):
                    if isinstance(target, ast.Name | ast.Tuple) and is_part(value) and names_in(value) & names:
                        names |= _stored_in(target)
        updated = [target for n in inside if self.carried(n, True) for target in changed_by(n)]
        calls = [n for n in inside if isinstance(n, ast.Call)]
        updated += [given for n in calls for given in self._updated_by(n)]
        updated += [n.func for n in calls if isinstance(n.func, ast.Name) and n.func.id in names and self._changes(n)]
        if not updated or not all(names_in(target) & names for target in updated):
            return False
        return bool(set.intersection(*map(names_in, updated)) & names) or any(
            base_name(target) in names for target in updated
        )  # rows at places of their own, as those of a user and of an item, are of one sample

    def _changes(self, call: ast.Call) -> bool:
        """Whether a call of one of many functions, ``for _, back in layers: …``, updates what that function keeps."""
        functions = self.functions.get(called_name(call), ())
        return any(self.carried(n, False) for f in functions for n in ast.walk(f))

    def _updated_by(self, call: ast.Call) -> Iterator[ast.AST]:
        """What a call gives to a function of the program that updates that argument, or an attribute of it."""
        for function in self.functions.get(called_name(call), ()):
            if isinstance(call.func, ast.Attribute) and any(
                is_attribute_of(t, first_argument(function))
                for n in ast.walk(function)
                if self.carried(n, False)
                for t in changed_by(n)
            ):
                yield call.func.value  # a layer whose method updates its own weights
            changed = {
                t.id
                for n in ast.walk(function)
                if isinstance(n, ast.AugAssign) and self.carried(n, False)
                for t in changed_by(n)
                if isinstance(t, ast.Name)
            }
            yield from (given for name, given in arguments_of(call, function) if name in changed)


def goes_round(node: ast.AST) -> TypeGuard[ast.If]:
    """Whether a statement leaves out the rest of an iteration under some condition: ``if …: continue``."""
    return isinstance(node, ast.If) and isinstance(node.body[-1], ast.Continue) and not node.orelse


def _copies(value: ast.AST) -> TypeGuard[Any]:
    """Whether an expression is ``x.copy()``."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "copy"


def _declared(function: ast.AST) -> set[str]:
    """The names of a function that are variables of what is around it."""
    return {n for g in ast.walk(function) if isinstance(g, ast.Global | ast.Nonlocal) for n in g.names}


def _stored_in(target: ast.expr) -> set[str]:
    """The variables that a loop gives a value; of ``for self.n in …`` there is none."""
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
