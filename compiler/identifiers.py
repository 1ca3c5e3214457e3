"""Python names for what a graph calls as it likes: `pre-process` becomes `pre_process`."""

from __future__ import annotations

import keyword
import re
import unicodedata

_LONGEST = 60


def snake_case(name: str, otherwise: str = "step") -> str:
    """A Python identifier that reads like the name: `URLDownloader` is `url_downloader`."""
    # NFKC is what Python itself does to identifiers.
    text = unicodedata.normalize("NFKC", name)
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text)
    # Leading underscores would be mangled inside a class, so they go.
    text = re.sub(r"_+", "_", re.sub(r"\W", "_", text)).strip("_").lower()[:_LONGEST].strip("_")
    if not text:
        return otherwise
    if not text.isidentifier():
        text = f"{otherwise}_{text}"
    if not text.isidentifier():
        return otherwise
    return f"{text}_" if keyword.iskeyword(text) or keyword.issoftkeyword(text) else text


class Names:
    """Gives out names, each once; what is asked for first keeps its spelling."""

    def __init__(self, taken: frozenset[str] | set[str] = frozenset()) -> None:
        self._taken = set(taken)

    def give(self, wanted: str) -> str:
        """The wanted name, or it with the first free number behind it."""
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted.rstrip('_')}_{number}", number + 1
        self._taken.add(name)
        return name
