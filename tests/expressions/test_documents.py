"""The gradients of an expression as JSON, text, Markdown and LaTeX."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import tracer
from tests.expressions.cases import CASES, derived
from tests.rendering.test_latex import FRAME, compiled
from tracer.expressions.model import Gradients
from tracer.rendering.derived import to_data, to_latex, to_markdown, to_text

SOFTMAX = ("np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)", "Z=N,K")
LAYER = ("np.maximum(0, X @ W + b)", "X=N,D W=D,h b=1,h")


def test_json_is_a_list_with_one_object_for_each_array() -> None:
    data = json.loads(derived(*LAYER).to_json())
    assert [one["wrt"] for one in data] == ["X", "W", "b"]
    for one in data:
        assert list(one) == ["wrt", "upstream", "code", "result", "latex", "text", "verdict", "derivation"]
        assert (one["upstream"], one["result"], one["verdict"]) == ("G", f"d{one['wrt']}", "proved")
        assert one["text"].startswith(f"∂L/∂{one['wrt']} = ")
        assert one["latex"].startswith(r"\frac{\partial L}{\partial ")
        for step in one["derivation"]:
            assert list(step) == ["rule", "why", "left", "latex", "text", "mathml", "code"]
            assert all(isinstance(value, str) and value for value in step.values())
    assert data == to_data(derived(*LAYER))


def test_the_derivation_says_which_rule_and_why() -> None:
    rules = [step.rule for step in derived(*LAYER)["W"].derivation.steps]
    for rule in (
        "chain rule",
        "forward formula",
        "local derivative",
        "substitute",
        "contract",
        "matrix form",
    ):
        assert rule in rules
    steps = derived(*LAYER)["W"].derivation.steps
    assert "In X the index k stands first, so X is transposed." in steps[-1].why
    assert any(step.why.endswith("G stands for ∂L/∂Y.") for step in steps)
    bias = derived(*LAYER)["b"].derivation.steps
    assert "the same value was used at every j (broadcasting): so sum over axis 0" in bias[-1].why


def test_letters_that_the_reader_does_not_know_are_explained() -> None:
    softmax = derived(*SOFTMAX)["Z"]
    assert softmax.matrix is not None
    assert softmax.matrix.text.startswith("∂L/∂Z = Y ⊙ (G − Σ_k G[i,k] · Y[i,k])  where  Y = exp(Z) / Z")
    for gradients in (derived(*case) for case in CASES):
        for gradient in gradients:
            formula = gradient.matrix.text if gradient.matrix else ""
            for letter in set(re.findall(r"\bZ[₀-₉]*(?!\w)", formula)) - {"Z"} | set(
                re.findall(r"\bY\b", formula)
            ):
                assert f"{letter} = " in formula or letter in gradients.shapes


def test_a_size_needs_no_explanation() -> None:
    formula = derived("np.sum((X @ W - T)**2) / (2 * N)", "X=N,D W=D,K T=N,K")["W"].matrix
    assert formula is not None
    assert "N = " not in formula.text


def test_text_has_the_formula_the_code_the_steps_and_the_verdict() -> None:
    text = derived(*LAYER).to_text()
    assert text.startswith("np.maximum(0, X @ W + b)\n    Y = Z ⊙ [Z > 0]\n      where Z = X W + b\n")
    assert (
        "L is any number that is computed from Y. G = ∂L/∂Y is given; it has the shape of Y, N × h." in text
    )
    assert "\n∂L/∂W, D × h\n" in text
    assert text.count("✓ Proved: the code and the chain rule have the same normal form, for all sizes.") == 3
    assert "Steps 1–7: as for X" in text
    assert "no derivative by it" in derived("E[idx]", "E=V,d idx=N").to_text()


def test_markdown_has_formulas_between_dollars_and_code_in_fences() -> None:
    text = derived(*LAYER).to_markdown()
    assert text.startswith("# `np.maximum(0, X @ W + b)`\n")
    assert text.count("$$") % 2 == 0
    assert text.count("```python\n") == 3
    assert derived(*LAYER)._repr_markdown_() == text


def test_what_the_user_writes_cannot_break_out_of_a_document() -> None:
    gradients = tracer.derive("X * len('`\\\\input{x}$<b>`')", "X", {"X": "N"})
    assert r"\input{x}" not in to_latex(gradients)
    assert to_markdown(gradients).startswith("# ``X * len(")
    assert "\x1b" not in to_text(tracer.derive("X * len('\x1b[2J')", "X", {"X": "N"}))


@pytest.mark.latex
@pytest.mark.parametrize("engine", ["pdflatex", "xelatex"])
def test_every_derivation_compiles(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    body = "\n".join(derived(*case).to_latex(fragment=True) for case in CASES)
    log, text = compiled(request.getfixturevalue(engine), document(body), tmp_path)
    assert "Overfull \\hbox" not in log
    assert text.count("As NumPy:") == sum(len(derived(*case)) for case in CASES)


def document(body: str) -> str:
    whole = derived(*LAYER).to_latex()
    start = whole.index(r"\begin{document}")
    return f"{whole[:start]}\\begin{{document}}\n{body}\n\\end{{document}}\n"


@pytest.mark.latex
def test_a_fragment_needs_amsmath_only_and_the_document_nothing(pdflatex: str, tmp_path: Path) -> None:
    _, text = compiled(pdflatex, FRAME % derived(*SOFTMAX).to_latex(fragment=True), tmp_path)
    assert "As NumPy:" in text
    (tmp_path / "whole").mkdir()
    _, text = compiled(pdflatex, derived(*SOFTMAX).to_latex(), tmp_path / "whole")
    assert "Proved: the code and the chain rule" in text


def test_the_readme_of_the_room_names_every_key(root: Path) -> None:
    text = (root / "tracer" / "expressions" / "README.md").read_text("utf-8")
    (one, *_) = to_data(derived(*LAYER))
    for key in [*one, *one["derivation"][0]]:
        assert f"`{key}`" in text


def test_all_documents_are_made_from_the_same_data() -> None:
    assert isinstance(derived(*LAYER), Gradients)
    with pytest.raises(KeyError, match="the gradient by Q was not asked for"):
        derived(*LAYER)["Q"]
