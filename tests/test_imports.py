"""What a fresh interpreter loads."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from material import ROOT

HEAVY = (
    "sklearn",
    "pandas",
    "scipy",
    "joblib",
    "torch",
    "pyarrow",
    "matplotlib",
    "selectolax",
    "chardet",
    "typer",
    "scrapy",
)
shipped_model = pytest.mark.skipif(
    not (ROOT / "models" / "default" / "card.json").is_file(), reason="the shipped model has not been built"
)


def loaded_by(program: str) -> set[str]:
    code = f"import sys\n{program}\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split("\n")[-2].split())


@shipped_model
def test_cleaning_loads_nothing_heavy():
    program = "from filter import PageFilter\npage = PageFilter.load().clean('one line\\n\\n網(wǎng)站')\n"
    assert not loaded_by(f"{program}page.text, page.lines") & set(HEAVY)


@shipped_model
def test_explaining_loads_nothing_heavy():
    assert not loaded_by("from filter import PageFilter\nPageFilter.load().explain('one line')") & set(HEAVY)


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_by("import filter") & set(HEAVY)


@shipped_model
def test_html_loads_its_parser_alone():
    loaded = loaded_by("from filter import PageFilter\nPageFilter.load().clean_html('<p>one line</p>')")
    assert loaded & set(HEAVY) == {"selectolax"}


def test_the_core_knows_nothing_of_the_optional_parts():
    """One way, no back and forth: modules on the path of cleaning import no command, no integration, no training."""
    core = (
        "segment",
        "codepoints",
        "ngrams",
        "context",
        "overlap",
        "page_model",
        "perceptron",
        "classify",
        "policy",
        *(f"repairs/{path.stem}" for path in (ROOT / "filter" / "repairs").glob("*.py")),
        "pipeline",
        "model",
        "page",
        "labels",
        "explain",
    )
    for name in core:
        tree = ast.parse((ROOT / "filter" / f"{name}.py").read_text(encoding="utf8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not {
            m for m in imported if m.startswith(("filter.cli", "filter.io", "filter.integrations", "filter.training"))
        }, name


def test_the_public_names():
    import filter as package

    assert set(package.__all__) == {"Line", "Page", "PageFilter", "Span"}
    assert all(hasattr(package, name) for name in package.__all__)
    assert package.__version__
    assert (ROOT / "filter" / "py.typed").is_file()
