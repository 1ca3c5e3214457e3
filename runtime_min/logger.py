"""`mlrun.utils.logger`: lines on the standard output (mlrun 1.12, `utils/logger.py`)."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any


class _Line(logging.Formatter):
    """`> 2026-11-28 16:30:00,123 [info] scored: {"rows":3}`"""

    def format(self, record: logging.LogRecord) -> str:
        fields = dict(getattr(record, "with", {}))
        if record.exc_info and record.exc_info[1]:
            from .tracebacks import told  # when it is needed: most workers never do

            fields["exc_info"] = told(record.exc_info[1]).splitlines(keepends=True)
        shown = f": {_text(fields)}" if fields else ""
        level = record.levelname.lower()
        message = record.getMessage().rstrip()
        return f"> {self.formatTime(record)} [{level}] {message}{shown}"


def _text(fields: dict[str, Any]) -> str:
    """JSON; what that cannot hold as Python shows it."""
    try:
        return json.dumps(
            fields,
            default=repr,
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )
    except (TypeError, ValueError):  # keys of several kinds, or a circle
        return repr(fields)


class Logger:
    """Takes fields as keyword arguments, and adds those that are bound."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._bound: dict[str, Any] = {}
        self.debug_with = self.debug
        self.info_with = self.info
        self.warn_with = self.warn
        self.warning_with = self.warning
        self.error_with = self.error
        self.exception_with = self.exception

    @property
    def level(self) -> int:
        return self._logger.level

    def set_logger_level(self, level: str | int) -> None:
        self._logger.setLevel(level)

    def get_child(self, suffix: str) -> Logger:
        child = Logger(self._logger.getChild(suffix))
        child.set_logger_level(self.level)
        return child

    def bind(self, **fields: Any) -> None:
        """Fields of every line from now on."""
        self._bound.update(fields)

    def debug(self, message: Any, *args: Any, **fields: Any) -> None:
        self._log(logging.DEBUG, message, args, fields)

    def info(self, message: Any, *args: Any, **fields: Any) -> None:
        self._log(logging.INFO, message, args, fields)

    def warn(self, message: Any, *args: Any, **fields: Any) -> None:
        self._log(logging.WARNING, message, args, fields)

    def warning(self, message: Any, *args: Any, **fields: Any) -> None:
        self.warn(message, *args, **fields)

    def error(self, message: Any, *args: Any, **fields: Any) -> None:
        self._log(logging.ERROR, message, args, fields)

    def exception(
        self, message: Any, *args: Any, exc_info: Any = True, **fields: Any
    ) -> None:
        self.error(message, *args, exc_info=exc_info, **fields)

    def _log(
        self, level: int, message: Any, args: tuple[Any, ...], fields: dict[str, Any]
    ) -> None:
        exc_info = fields.pop("exc_info", None)
        fields.update(self._bound)
        extra = {"with": fields} if fields else None
        self._logger.log(level, message, *args, exc_info=exc_info, extra=extra)


def _made() -> Logger:
    lines = logging.StreamHandler(sys.stdout)
    lines.setFormatter(_Line())
    made = logging.getLogger("mlrun")
    made.handlers = [lines]
    made.propagate = False
    made.setLevel(os.environ.get("MLRUN_LOG_LEVEL", "info").upper())
    return Logger(made)


logger = _made()
