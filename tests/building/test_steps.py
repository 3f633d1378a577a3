"""The code of every step of every derivation is executed, and an altered token is noticed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tests.building.explained import NAMES, derived_parts, explained_source, explanation, parts
from tests.building.steps import alterations, as_statement, disagreements, draw, run, same
from tracer.explanation.model import Derivation, Part, Step

DRAWS = 4


def draws_for(derivation: Derivation, count: int = DRAWS) -> list[dict[str, object]]:
    rng = np.random.default_rng(20)
    return [draw(derivation.inputs, rng) for _ in range(count)]


@pytest.mark.parametrize("name", NAMES)
def test_steps_about_one_quantity_agree_at_random_inputs_and_the_last_is_the_numpy_code(name: str) -> None:
    found = derived_parts(name)
    assert found
    for line, part in found:
        assert part.derivation is not None
        assert part.numpy is not None
        assert disagreements(part.derivation, part.numpy, draws_for(part.derivation)) == [], (name, line, part.source)


@pytest.mark.parametrize("name", NAMES)
def test_every_proved_gradient_by_an_array_has_a_derivation(name: str) -> None:
    proved = [(line, p) for line, p in parts(explanation(name)) if p.verdict == "proved" and p.contribution is None]
    assert [(line, p.source) for line, p in proved if p.derivation is None and p.shape != ()] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_derivation_shows_the_chain_rule_the_local_derivatives_and_the_result_as_matrices(name: str) -> None:
    for line, part in derived_parts(name):
        assert part.derivation is not None
        rules = [step.rule for step in part.derivation.steps]
        assert rules[-1] == "matrix form", (line, rules)
        full = part.role == "gradient" and part.target is not None
        if full and part.verdict in ("proved", "checked") and part.given is None:
            assert "local derivative" in rules, (line, rules)
            assert "chain rule" in rules, (line, rules)


@pytest.mark.parametrize("name", NAMES)
def test_code_reads_nothing_but_its_inputs_and_says_of_each_where_it_comes_from(name: str) -> None:
    for _, part in derived_parts(name):
        assert part.derivation is not None
        assert all(i.source for i in part.derivation.inputs.values())
        used = " ".join(step.code for step in part.derivation.steps)
        assert all(identifier in used for identifier in part.derivation.inputs)


def noticed(derivation: Derivation, step: int, code: str, wanted: list[list[np.ndarray]], values: list[dict[str, object]]) -> bool:
    """Whether the other steps about the same quantity, or the NumPy code, contradict an altered step.

    A step that alone says something of its quantity is contradicted by nothing, so it never counts as noticed.
    """
    left = derivation.steps[step].left
    others = [k for k, s in enumerate(derivation.steps) if s.left == left and k != step]
    if not others and step != len(derivation.steps) - 1:
        return False
    reference = others[0] if others else step
    try:
        with np.errstate(all="ignore"):
            return any(not same(run(code, v), wanted[reference][n]) for n, v in enumerate(values))
    except Exception:
        return True


def test_nearly_every_altered_number_sign_and_index_of_a_step_is_noticed() -> None:
    tried: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    survivors: list[tuple[str, str]] = []
    for name in NAMES:
        done: set[tuple[Step, ...]] = set()
        for _, part in derived_parts(name):
            derivation = part.derivation
            assert derivation is not None
            if derivation.steps in done:
                continue
            done.add(derivation.steps)
            values = draws_for(derivation, 2)
            wanted = [[run(s.code, v) for v in values] for s in derivation.steps]
            for number, step in enumerate(derivation.steps):
                for alteration in alterations(step.code):
                    kind = alteration.what.partition(":")[0]
                    tried[kind] += 1
                    if noticed(derivation, number, alteration.code, wanted, values):
                        caught[kind] += 1
                    else:
                        survivors.append((alteration.what, step.code))
    assert sum(tried.values()) > 10_000
    for kind, least in (("number", 0.85), ("sign", 0.85), ("index", 0.9), ("transpose", 0.9), ("relation", 0.9)):
        assert caught[kind] >= least * tried[kind], (kind, caught[kind], tried[kind])
    assert sum(caught.values()) >= 0.92 * sum(tried.values()), (caught, tried)


def result_steps(part: Part) -> list[Step]:
    assert part.derivation is not None
    return [s for s in part.derivation.steps if s.left == part.derivation.steps[-1].left]


@pytest.mark.parametrize("name", NAMES)
def test_a_doubled_result_is_noticed_in_every_derivation(name: str) -> None:
    for line, part in derived_parts(name):
        assert part.derivation is not None
        assert part.numpy is not None
        *rest, last = part.derivation.steps
        wrong = replace(part.derivation, steps=(*rest, replace(last, code=f"{last.code}\nresult = 2 * result")))
        assert disagreements(wrong, part.numpy, draws_for(wrong, 1)), (line, part.source)


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_python_loops_compute_the_same_as_the_numpy_code(name: str) -> None:
    for line, part in derived_parts(name):
        assert part.derivation is not None
        assert part.numpy is not None
        if part.formula is None or part.formula.loops is None:
            continue
        for values in draws_for(part.derivation, 2):
            space = {"np": np, **{k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in values.items()}}
            before = set(space)
            exec(part.formula.loops, space)
            target = part.target if part.target and part.target.isidentifier() else "result"
            written = space[target if target not in before else f"new_{target}"]
            wanted = run(as_statement(part.numpy), values)
            np.testing.assert_allclose(np.asarray(written), wanted, rtol=1e-8, atol=1e-9, err_msg=f"line {line}")


@pytest.mark.parametrize("name", NAMES)
def test_every_step_has_a_reason_and_a_formula(name: str) -> None:
    for line, part in derived_parts(name):
        assert part.derivation is not None
        for step in part.derivation.steps:
            assert step.why.strip(), (line, step.rule)
            assert step.latex
            assert step.text
            assert step.mathml


DIRECT = """\
import numpy as np
rng = np.random.default_rng(0)
N, D, K = 7, 3, 4
X = rng.normal(size=(N, D))
T = rng.integers(0, 2, (N, K)).astype(float)
W = rng.normal(size=(D, K))
for i in range(5):
    A = X.dot(W)
    P = 1 / (1 + np.exp(-A))
    loss = -np.sum(T * np.log(P) + (1 - T) * np.log(1 - P))
    dA = P - T
    dW = X.T.dot(dA)
    W -= 0.1 * dW
"""


def test_a_loss_that_holds_a_value_directly_and_through_another_has_a_derivation() -> None:
    """∂loss/∂P has a direct part and one through 1 − P; the part must not be called by the name of the whole."""
    found = explained_source(DIRECT)
    for name in ("dA", "dW"):
        part = found[name]
        assert part.verdict == "proved"
        assert part.derivation is not None
        assert part.numpy is not None
        assert disagreements(part.derivation, part.numpy, draws_for(part.derivation)) == []
        for step in part.derivation.steps:
            left, _, right = step.text.partition(" = ")
            assert left not in right.replace(f"({left})[direct]", ""), step.text
