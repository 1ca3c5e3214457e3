"""Of which functions it is certain that they only read their argument."""

from __future__ import annotations

import libcst as cst
import pytest

from graphc.only_reads import only_reads

READS = """
return {"n": len(body["rows"])}
return sum(value**2 for value in body["values"]) / body["n"]
return f"{body['a']!r} {body.get('b')}"
return "-".join(part.strip() for part in body["text"].split(","))
return max(2, *map(len, body["text"].split()))
return sorted(map(str.lower, body["names"]))
return body["a"] - self.offset
return {key: str(value) for key, value in body.items() if key in self.known}
return [len(row) for rows in body["tables"] for row in rows]
x, y = body["point"]; return [x - y, "at " + body["name"]]
return self.names[body["code"]]
return len(LAST) + NAMES.width - body["n"]
return "big" if body["n"] > 3 and not body["small"] else None
"""
MAY_DO_MORE = """
return body
return {"rows": body["rows"]}
return {**body, "n": 1}
return [row for row in body["rows"]]
return max(body["values"])
return body["a"] + body["b"]
return body["a"] * 2
return (len(row) for row in body["rows"])
return map(len, body["rows"])
return sum(body["rows"], [])
return helper(body)
return self.model.predict(body["x"])
return body["rows"].pop()
return len(body.setdefault("rows", []))
return sorted(body["rows"], key=len)
rows = body["rows"]; rows.append(1); return 0
rows = [1]; rows = body["rows"]; return rows
body["n"] = 1; return 0
self.last = body; return 0
self.seen = len(body["rows"]); return 0
self.last = body["rows"]; return 0
del body["n"]; return 0
body |= {"n": 1}; return 0
len = print; return len(body)
global kept; kept = body; return 0
return (lambda: body)()
return str(body := body["a"])
return f"{body['a']:{body['width']}}"
return self.names.index(body["a"])
names = self.names; return names.index(body["a"])
return LAST
return LAST["rows"]
row = module.last; return row
"""


def verdict(line: str) -> bool:
    code = "def do(self, body):\n" + "".join(f"    {part}\n" for part in line.split("; "))
    node = cst.ensure_type(cst.parse_module(code).body[0], cst.FunctionDef)
    return only_reads(node, "body") is not None


@pytest.mark.parametrize("line", READS.strip().splitlines())
def test_reads(line: str) -> None:
    assert verdict(line)


@pytest.mark.parametrize("line", MAY_DO_MORE.strip().splitlines())
def test_may_do_more(line: str) -> None:
    assert not verdict(line)


def test_what_is_found_out_late_counts_from_the_start() -> None:
    code = "def f(body):\n    out = []\n    for row in body:\n        x = out\n        out = row\n"
    node = cst.ensure_type(cst.parse_module(code + "    return x\n").body[0], cst.FunctionDef)
    assert only_reads(node, "body") is None


def test_the_builtins_it_rests_on_are_told() -> None:
    formula = cst.ensure_type(cst.parse_expression("lambda body: len(str(body))"), cst.Lambda)
    assert only_reads(formula, "body") == {"len", "str"}
