"""Every command and every snippet of the README runs."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf8")
CONSOLE = [
    line for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for line in block.splitlines() if line
]
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

PAGE = "Home | News | Contact\n\nThe tide mill was rebuilt in 1911 by two brothers from the next village.\n\nAll rights reserved.\n"
LABELLED = "text,label\n" + "".join(
    f"Zorblax qimwen {word} jaxiple,spam_other\nThe {word} was painted by my aunt in spring.,article\n"
    for word in ("bridge", "harbour", "library", "garden", "hall", "tower", "mill", "fence")
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "page.txt").write_text(PAGE, encoding="utf8")
    (tmp_path / "page.html").write_text(
        "<!doctype html><html><body><p>The tide mill was rebuilt.</p></body></html>", encoding="utf8"
    )
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "one.txt").write_text(PAGE, encoding="utf8")
    (tmp_path / "crawl.jsonl").write_text('{"id": 1, "text": "The tide mill was rebuilt in 1911."}\n', encoding="utf8")
    for name in ("mine.csv", "more.csv"):
        (tmp_path / name).write_text(LABELLED, encoding="utf8")
    (tmp_path / "seeds").symlink_to(ROOT / "seeds")
    return tmp_path


def shell(command, folder):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def test_the_readme_has_its_two_commands():
    assert [line for line in CONSOLE if line.startswith("pip install")] == CONSOLE[:2]
    assert CONSOLE[1].endswith("python -m pytest")


def test_the_first_command_cleans_the_example_and_says_why(folder):
    run = shell(CONSOLE[0].split("&&")[1], folder)
    assert run.returncode == 0, run.stderr
    assert "凌晨三點的敲門聲：青埠鎮轉移低窪戶紀實" in run.stdout
    assert "泡在水里。”" in run.stdout
    assert "办理大学毕业证" not in run.stdout
    assert "办理大学毕业证" in run.stderr
    assert "spam_" in run.stderr


def test_every_command_runs(folder):
    # In the order of the README: a model that is used was trained above.
    commands = [line for line in CONSOLE if line.startswith("pagefilter")]
    assert commands
    for command in sorted(commands, key=lambda line: "--model" in line):
        run = shell(command, folder)
        assert run.returncode == 0, f"{command}: {run.stderr}"
        assert shlex.split(command)[0] == "pagefilter"


@pytest.mark.parametrize("snippet", PYTHON, ids=lambda snippet: snippet.split("\n")[0])
def test_every_snippet_runs(snippet):
    if "import trafilatura" in snippet:
        pytest.importorskip("trafilatura", reason="trafilatura is not installed")
    exec(compile(snippet, "README.md", "exec"), {})
