"""docs/supported.md says what graphc does."""

from __future__ import annotations

from supported import DOCUMENT, document


def test_every_row_is_true() -> None:
    """After a change: python tests/supported.py --update"""
    told, made = DOCUMENT.read_text().splitlines(), document().splitlines()
    assert told == made
