"""What stands in for functions of mlrun that step code calls."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from graphc.runtime_min import errors
from graphc.runtime_min.logger import logger
from graphc.runtime_min.secrets import get_secret_or_env


def test_secrets_come_from_where_mlrun_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "from env")
    monkeypatch.setenv("P_KEY", "with prefix")
    monkeypatch.setenv("LIST", ' [{"name": "IN_LIST", "value": "listed"}, 1]')
    monkeypatch.setenv("BROKEN", "[")
    assert get_secret_or_env("KEY") == "from env"
    assert get_secret_or_env("KEY", prefix="P") == "with prefix"
    assert get_secret_or_env("KEY", {"KEY": "given"}) == "given"
    assert get_secret_or_env("KEY", lambda key: key * 2) == "KEYKEY"
    assert get_secret_or_env("KEY", {"OTHER": "x"}) == "from env"
    assert get_secret_or_env("IN_LIST") == "listed"
    assert get_secret_or_env("NOWHERE", default="default") == "default"
    assert get_secret_or_env("NOWHERE") is None


class Response:
    """As of requests."""

    def __init__(self, status: int) -> None:
        self.status_code = status

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            error: Any = OSError(f"{self.status_code} for url")
            error.response = self
            raise error


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, "MLRunNotFoundError"), (503, "MLRunServiceUnavailableError"), (418, "MLRunHTTPError")],
)
def test_statuses_are_errors(status: int, kind: str) -> None:
    assert type(errors.err_for_status_code(status, "x")).__name__ == kind
    with pytest.raises(errors.MLRunHTTPError) as caught:
        errors.raise_for_status(Response(status))
    assert type(caught.value).__name__ == kind
    assert str(caught.value) == f"{status} for url"
    assert caught.value.response.status_code == status


def test_good_statuses_and_other_failures() -> None:
    errors.raise_for_status(Response(200))
    with pytest.raises(AttributeError):
        errors.raise_for_status(None)


def test_log_lines_are_those_of_mlrun(capsys: pytest.CaptureFixture[str]) -> None:
    """As mlrun 1.12.1 prints them, recorded."""
    lines = logger._logger.handlers[0]  # pytest adds its own
    lines.setStream(sys.stdout)  # type: ignore[attr-defined]  # pytest's, for this test
    logger.info("scored %s", 3, rows=1, body={"x": "ü"}, odd=object)
    logger.debug("not shown")
    try:
        raise KeyError("no")
    except KeyError:
        logger.exception("no such thing", code=4)
    child = logger.get_child("child")
    child.bind(part=1)
    child.warning("told")
    child.error_with("odd keys", seen={1: 2, "a": 3})
    told = [
        re.sub(r"^> [-\d]+ [:,\d]+ ", "", line) for line in capsys.readouterr().out.splitlines()
    ]
    scored, failed, warned, odd = told
    assert scored == '[info] scored 3: {"body":{"x":"ü"},"odd":"<class \'object\'>","rows":1}'
    assert failed.startswith('[error] no such thing: {"code":4,"exc_info":["Traceback (most rec')
    assert failed.endswith("KeyError: 'no'\\n\"]}")
    assert warned == '[warning] told: {"part":1}'
    assert odd == "[error] odd keys: {'seen': {1: 2, 'a': 3}, 'part': 1}"
