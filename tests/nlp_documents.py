"""Documents for examples/nlp, and what has to come out for them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

PEOPLE = {
    "ada-lovelace": ("Ada Lovelace", 1815),
    "charles-babbage": ("Charles Babbage", 1791),
    "grace-hopper": ("Grace Hopper", 1906),
}

#: A thing that a document names: the document's URL, what it is, how often, and born when.
Entity = tuple[str, str, int, int | None]


def document(number: int) -> str:
    """The URL of a document; each hundredth has a paragraph that spaCy does not take."""
    text = f"{number} visitors in London."
    if is_poison(number):
        text += "." * 2000
    return "data:text/plain," + quote(
        "\n\n".join([text, *(PEOPLE[who][0] for who in named(number))])
    )


def named(number: int) -> list[str]:
    return [who for place, who in enumerate(PEOPLE) if number >> place & 1]


def is_poison(number: int) -> bool:
    return number % 100 == 99


def entities(number: int) -> Iterator[Entity]:
    """What has to come out for a document."""
    url = document(number)
    yield url, "london", 1, None
    if number >= 1000:  # Four digits are a date, to the example.
        yield url, str(number), 1, None
    for who in named(number):
        yield url, who, 1, PEOPLE[who][1]
