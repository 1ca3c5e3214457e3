"""Imports find modules as Python does; each is evaluated once."""

from __future__ import annotations

from pathlib import Path

from evaluating import run

from graphc.frontend.values import External, HostFunction, HostModule, Unknown


def test_a_package_and_its_modules(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import package.sub.deep
        import helper as h, numpy.linalg as la, os.path
        from helper import VALUE as v, nested
        from package import sub, NAME
        from package.sub.deep import up, make
        from flow import new
        import flow.serving as serving
        from star import *
        from spaces.inner import X
        a = [v, package.sub.deep.D, sub.deep.D, NAME, up, make(2), X, nested.EARLY]
        b = [la.norm, os.path.join]
        c = [public, listed]
        h.VALUE.append(2)
        """,
        helper="import nested\nVALUE = [1]\nname = __name__",
        nested="import helper\nEARLY = hasattr(helper, 'VALUE')",
        package__init="from . import sub\nNAME = __name__",
        package__sub__init="",
        package__sub__deep="from ..other import O as up\nD = 4\ndef make(n): return n * D",
        package__other="O = __name__",
        star="from listed import *\npublic = 1\n_private = 2",
        listed="__all__ = ['listed']\nlisted = 3\nunlisted = 5",
        spaces__inner="X = 'x'",
    )
    names = done.names
    assert done.found == []
    assert names["a"] == [[1, 2], 4, 4, "package", "package.other", 8, "x", False]
    assert [value.dotted for value in names["b"]] == ["numpy.linalg.norm", "os.path.join"]
    assert names["c"] == [1, 3]
    assert "_private" not in names
    assert "unlisted" not in names
    assert isinstance(names["new"], HostFunction)
    assert isinstance(names["serving"], HostModule)


def test_star_imports_leave_pythons_functions(tmp_path: Path) -> None:
    """Those of mlrun and the like do; those of numpy, say, may bind `sum`."""
    text = "a = [sum(range(3)), len('ab'), list(enumerate('x'))]"
    done = run(tmp_path, f"from storey import *\nfrom mlrun.feature_store.steps import *\n{text}")
    assert done.names["a"] == [3, 2, [(0, "x")]]
    open_ones = run(tmp_path, f"from storey import *\nfrom numpy import *\n{text}").names["a"]
    assert all(isinstance(value, Unknown) for value in open_ones[:2])


def test_what_is_not_there(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "from helper import valeu\nimport helper\nx = helper.valeu\nimport helper.sub\n"
        "from package import sbu\ny = valeu",
        helper="value = 1",
        package__init="",
        package__sub="from ... import x",
    )
    assert done.codes == ["GC004:1", "GC004:3", "GC004:4", "GC004:5"]
    assert "ImportError: cannot import name 'valeu' from 'helper'" in done.found[0].message
    assert done.found[0].help == "did you mean 'value'?"


def test_a_module_that_fails_fails_its_import(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "import helper\nfrom helper import x\ny = helper.z",
        helper="before = 1\nx = 1 / 0",
    )
    assert done.codes == ["GC004:2"]
    assert done.found[0].span is not None
    assert done.found[0].span.file == "helper.py"
    assert done.found[0].notes[0].span is not None
    assert done.found[0].notes[0].span.file == "graph.py"
    assert isinstance(done.names["y"], Unknown)


def test_optional_imports_are_taken_to_be_there(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        try:
            import torch
            GPU = True
        except ImportError:
            GPU = False
        import typing
        if typing.TYPE_CHECKING:
            from nowhere import thing
        """,
    )
    assert done.names["GPU"] is True
    assert isinstance(done.names["torch"], External)
    assert "thing" not in done.names
