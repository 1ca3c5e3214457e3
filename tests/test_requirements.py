"""Files that declare packages, and import names that pip knows by other names."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphc.diagnostics import Diagnostics
from graphc.requirements import Declared, Need, read_declared, requirements
from graphc.requirements.distributions import distribution

POETRY = """\
[[package]]
name = "numpy"
version = "1.26.4"

[[package]]
name = "ours"
version = "0.1"
[package.source]
type = "git"
url = "https://example.com/ours.git"
reference = "main"
resolved_reference = "abc123"
"""


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("requirements.txt", "numpy>=1.2  # why\n", "numpy>=1.2"),
        ("requirements.txt", "git+https://example.com/numpy.git@v1#egg=numpy\n",
         "git+https://example.com/numpy.git@v1#egg=numpy"),
        ("requirements.txt", "-e ./libs/numpy#egg=numpy\n", "-e ./libs/numpy#egg=numpy"),
        ("requirements.txt", "numpy @ https://example.com/numpy-1-py3-none-any.whl\n",
         "numpy @ https://example.com/numpy-1-py3-none-any.whl"),
        ("requirements.txt", "./wheels/numpy-1.0-py3-none-any.whl\n",
         "./wheels/numpy-1.0-py3-none-any.whl"),
        ("requirements.txt", "numpy==1.2 \\\n  --hash=sha256:00 \\\n  --hash=sha256:01\n",
         "numpy==1.2"),
        ("requirements.txt", "", "numpy"),
        ("constraints.txt", "numpy==1.2\n", "numpy==1.2"),
        ("pyproject.toml", '[project]\ndependencies = ["NumPy[x]~=1.2 ; python_version>\'3\'"]\n',
         "NumPy[x]~=1.2 ; python_version>'3'"),
        ("pyproject.toml", '[tool.poetry.dependencies]\nnumpy = "^1.2.3"\n', "numpy>=1.2.3,<2"),
        ("pyproject.toml", '[tool.poetry.dependencies]\nnumpy = "~1.2"\n', "numpy>=1.2,<1.3"),
        ("pyproject.toml", '[tool.poetry.dependencies]\nnumpy = "^0.2.3"\n', "numpy>=0.2.3,<0.3"),
        ("pyproject.toml", '[tool.poetry.group.x.dependencies]\n'
         'numpy = {version = "1.2", extras = ["a", "b"]}\n', "numpy[a,b]==1.2"),
        ("pyproject.toml", '[dependency-groups]\nx = ["numpy", {include-group = "y"}]\n', "numpy"),
        ("pyproject.toml", "[project\n", "numpy"),
        ("Pipfile", '[packages]\nnumpy = {git = "https://example.com/n.git", ref = "v1"}\n',
         "numpy @ git+https://example.com/n.git@v1"),
        ("setup.cfg", "[options]\ninstall_requires =\n  numpy<2\n", "numpy<2"),
        ("environment.yml", "dependencies:\n- conda-forge::numpy=1.26=py311\n", "numpy==1.26.*"),
        ("environment.yml", "- 1\n", "numpy"),
        ("poetry.lock", POETRY, "numpy==1.26.4"),
        ("uv.lock", '[[package]]\nname = "numpy"\nversion = "1"\n'
         'source = { git = "https://example.com/n.git?rev=v1#abc" }\n',
         "numpy @ git+https://example.com/n.git@abc"),
        ("pylock.toml", '[[packages]]\nname = "numpy"\nversion = "1.2"\n', "numpy==1.2"),
        ("Pipfile.lock", '{"default": {"numpy": {"version": "==1.2"}}}', "numpy==1.2"),
        ("Pipfile.lock", "[", "numpy"),
    ],
)  # fmt: skip
def test_versions_of_files(file: str, text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text)
    declared = read_declared(tmp_path, [], Diagnostics())
    found = requirements([Need("numpy")], [], declared)
    assert found.lines == (expected,)


def test_lines_end_nowhere_else(tmp_path: Path) -> None:
    """A text of a TOML file may hold anything, line breaks too."""
    hostile = '[project]\ndependencies = ["numpy @ https://x\\n--index-url=https://evil"]\n'
    (tmp_path / "pyproject.toml").write_text(hostile)
    (tmp_path / "requirements.txt").write_text("-r requirements.txt\n-r b.txt\nscipy\x01\n")
    (tmp_path / "b.txt").write_text("-r requirements.txt\n")
    found = Diagnostics()
    declared = read_declared(tmp_path, [], found)
    assert not declared.entries
    assert [item.code for item in found] == ["GC036", "GC036"]


@pytest.mark.parametrize(
    ("imported", "name"),
    [
        ("sklearn", "scikit-learn"), ("cv2", "opencv-python-headless"), ("yaml", "PyYAML"),
        ("PIL", "Pillow"), ("google.cloud.storage", "google-cloud-storage"),
        ("google.protobuf", "protobuf"), ("google.cloud.new_thing", "google-cloud-new-thing"),
        ("azure.storage.blob", "azure-storage-blob"), ("Crypto", "pycryptodome"),
        ("jwt", "PyJWT"), ("attr", "attrs"), ("dotenv", "python-dotenv"), ("fitz", "PyMuPDF"),
        ("some_module", "some-module"), ("skimage", "scikit-image"), ("git", "GitPython"),
    ],
)  # fmt: skip
def test_distributions(imported: str, name: str) -> None:
    assert distribution(imported) == name


def test_declared_alternatives_and_other_names_count(tmp_path: Path) -> None:
    lines = "opencv-contrib-python==4\nfaiss-gpu==1\npython-levenshtein==2\npy-thing\n"
    (tmp_path / "requirements.txt").write_text(lines)
    declared = read_declared(tmp_path, [], Diagnostics())
    found = requirements([Need("cv2"), Need("faiss"), Need("Levenshtein")], [], declared)
    assert found.lines == ("faiss-gpu==1", "opencv-contrib-python==4", "python-Levenshtein==2")
    assert found.remarks == ("Left out of requirements.txt, as no import reaches them: py-thing.",)


def test_what_a_function_asks_for_stays_as_it_is() -> None:
    asked = [
        "Scikit_Learn>=1.2 ; python_version > '3.8'",
        "opencv-python==4.9",
        "pandas",
        "./wheels/my_thing-1.0-py3-none-any.whl",
        "git+https://example.org/x.git@main#egg=other-thing",
        "numpy==1 --hash=sha256:00",
        "pandas",
        "--extra-index-url https://example.org/simple",
        "storey",
        "",
    ]
    reached = ["sklearn", "cv2", "numpy", "my_thing", "other_thing", "PIL", "requests"]
    found = requirements([Need(name) for name in reached], asked, Declared())
    assert found.lines == (
        "--extra-index-url https://example.org/simple",
        "./wheels/my_thing-1.0-py3-none-any.whl",
        "git+https://example.org/x.git@main#egg=other-thing",
        "numpy==1",
        "opencv-python==4.9",
        "pandas",
        "Pillow",
        "requests",
        "Scikit_Learn>=1.2 ; python_version > '3.8'",
    )
    assert sorted(found.comments) == ["Pillow", "pandas", "requests"]
    assert [remark.partition(":")[0] for remark in found.remarks] == [
        "Hashes are left out",
        "No import reaches these, which the function asks for",
        "storey is asked for and left out",
    ]


def test_hashes_stay_if_all_have_them() -> None:
    asked = ["numpy==1 --hash=sha256:00", "six==1 --hash=sha256:01"]
    assert requirements([Need("numpy")], asked, Declared()).lines == tuple(asked)
