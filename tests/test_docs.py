"""What the documents say is true."""

from __future__ import annotations

import shlex
import textwrap
from pathlib import Path

import yaml

from graphc.cli import cli
from graphc.diff.markdown import MARK

ROOT = Path(__file__).parent.parent


def test_readme_shows_the_example() -> None:
    """The code on top of the README is that of the examples, as far as it is shown."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [block.split("```")[0] for block in readme.split("```python\n")[1:]]
    files = ("ensemble/dist/advanced/handler.py", "nlp/graph.py",
             "nlp/dist/nlp-pipeline/handler.py", "nlp/dist/enrich/handler.py")  # fmt: skip
    for block, file in zip(shown[1:], files, strict=True):
        assert block in (ROOT / "examples" / file).read_text(encoding="utf-8")


def test_the_workflow_runs_commands_that_are_there() -> None:
    """YAML that parses, and options that the commands have."""
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    workflows = [block.split("```")[0] for block in page.split("```yaml\n")[1:]]
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (used,) = yaml.safe_load(workflows[0])["repos"][0]["hooks"]
    assert used["id"] == hooks[0]["id"]
    commands = [f"{hooks[0]['entry']} {' '.join(used['args'])}"]
    for workflow in workflows[1:]:
        text = textwrap.dedent(workflow)
        steps = yaml.safe_load(text)
        steps = steps if isinstance(steps, list) else steps["jobs"]["graph"]["steps"]
        commands += [line for step in steps for line in step.get("run", "").splitlines()]
    assert '"<!-- graphc diff -->"' in page
    assert MARK == "<!-- graphc diff -->"
    ours = [command.split(">")[0] for command in commands if command.startswith("graphc ")]
    assert len(ours) == 4
    for command in ours:
        name, *arguments = shlex.split(command)[1:]
        cli.commands[name].make_context(name, arguments)
