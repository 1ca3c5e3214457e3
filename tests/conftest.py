"""Options that all tests share."""

from collections.abc import Iterator

import pytest

from servers.kafka import Kafka, kafka


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite expectations that differ")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Are expectations to be rewritten?"""
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A Kafka broker that no test stops."""
    with kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running
