"""What is a function's code in a notebook, and what `%nuclio` commands set."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from golden_cases import findings
from graphc.notebook import MisplacedMark, read_notebook
from graphc.pipeline import build
from notebooks import notebook

#: Random notebooks, and which of their lines nuclio-jupyter 0.13.2 exports; None: it refuses.
RECORDED = json.loads((Path(__file__).parent / "notebook_marks.json").read_text())


@pytest.mark.parametrize("case", RECORDED, ids=range(len(RECORDED)))
def test_marks_mean_what_the_exporter_does_with_them(case: dict[str, Any]) -> None:
    cells = [
        {"cell_type": "code", "metadata": {"tags": tags}, "source": source}
        | {"outputs": [], "execution_count": None}
        for tags, source in case["cells"]
    ]
    document = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    made = read_notebook(json.dumps(document), "nb.ipynb")
    tags = [tag for tag in case["tags"].split(";") if tag]
    if case["kept"] is None:
        with pytest.raises(MisplacedMark):
            made.left_out(case["function"], tags)
        return
    out = made.left_out(case["function"], tags)
    kept = [line for row, line in enumerate(made.lines, start=1) if row not in out]
    assert re.findall(r"\b[xy]\d+\b", "\n".join(kept)) == case["kept"]


def functions(folder: Path, cells: str, files: dict[str, str] | None = None) -> Any:
    """The build of a graph whose function is made of a notebook."""
    (folder / "nb.ipynb").write_text(notebook(cells), encoding="utf-8")
    for name, text in (files or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    main = folder / "graph.py"
    main.write_text(
        "import mlrun\n"
        'fn = mlrun.code_to_function("f", filename="nb.ipynb", kind="serving")\n'
        'fn.set_topology("flow").to(name="s", handler="(event)").respond()\n',
        encoding="utf-8",
    )
    return build(main)


def test_magics_configure_the_function(tmp_path: Path) -> None:
    cells = """
        --- code
        %nuclio env -c LEVEL="high" and more
        %nuclio cmd -c apt-get install -y curl
        %nuclio config spec.maxReplicas = 7
        --- code
        %%nuclio env
        # a comment
        ONE=1
        TWO = 2
        --- code
        # mlrun: ignore
        %nuclio env IGNORED=1
        --- code
        %nuclio env -l LOCAL=1
        %nuclio env_file vars.env
        %nuclio mount -t pvc -n data /data my-claim
        %nuclio config spec.build.commands += "pip list"
        # mlrun: end-code
        --- code
        %nuclio env AFTER=the end
        %nuclio deploy -p other
        """
    made = functions(tmp_path, cells, {"vars.env": "FROM_FILE=yes\n"})
    assert findings(made) == ""
    settings = made.graph.functions[0].settings
    assert {entry["name"]: entry["value"] for entry in settings.spec["env"]} == {
        "LEVEL": '"high" and more',
        "ONE": "1",
        "TWO": "2",
        "FROM_FILE": "yes",
        "AFTER": "the end",
    }
    assert settings.spec["maxReplicas"] == 7
    assert settings.commands == ("apt-get install -y curl", "pip list")
    (volume,) = settings.spec["volumes"]
    assert volume["volume"]["persistentVolumeClaim"] == {"claimName": "my-claim"}
    assert volume["volumeMount"]["mountPath"] == "/data"


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("%nuclio env NOTHING", "`%nuclio env` takes NAME=VALUE"),
        ("%nuclio env HOME=$HOME", "--env HOME=VALUE"),
        ("%nuclio config spec.minReplicas = two", "the value is not JSON"),
        ("%nuclio config spec.minReplicas", "key = JSON"),
        ("%nuclio config spec.minReplicas = " + "[" * 100_000, "the value is not JSON"),
        ("%nuclio mount /here", "`%nuclio mount`: the following arguments are required"),
        ('%nuclio mount "/here', "No closing quotation"),
        ("%nuclio mount -t nfs /here /there", "there is no type of mounts 'nfs'"),
        ("%nuclio cmnd ls", "did you mean 'cmd'"),
        ("# nuclio: start-code\nx = 1\n--- code\n# nuclio: start-code", "a second start-code"),
        ("# nuclio: end-code\nx = 1\n# nuclio: start-code\ny = 2", "end-code before start-code"),
    ],
)
def test_mistakes_in_a_notebook_are_shown_at_their_line(
    tmp_path: Path, line: str, finding: str
) -> None:
    made = functions(tmp_path, f"--- markdown\nwords\n--- code\n{line}\n")
    said = findings(made)
    assert finding in said
    assert re.match(r"nb\.ipynb:cell [23]:1:", said)


def test_commands_for_ipython_are_refused_where_a_step_runs_them(tmp_path: Path) -> None:
    cells = """
        --- code
        names = !ls
        --- code
        def step(body):
            found = %time
            return found
        --- code
        import mlrun
        fn = mlrun.code_to_function("f", kind="serving")
        fn.set_topology("flow").to(name="s", handler="step").respond()
        """
    main = tmp_path / "nb.ipynb"
    main.write_text(notebook(cells), encoding="utf-8")
    assert findings(build(main)).startswith("nb.ipynb:cell 2:2:13: error[GC021]: a command for")
