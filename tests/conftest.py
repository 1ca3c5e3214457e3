"""Options that all tests share."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite expectations that differ")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Are expectations to be rewritten?"""
    return bool(request.config.getoption("--update"))
