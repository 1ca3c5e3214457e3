import re
from urllib.request import urlopen


class URLDownloader:
    """Fetches the document that an event names: http, https, file and data URLs."""

    def __init__(self, timeout=10):
        self.timeout = timeout

    def do(self, event):
        with urlopen(event["url"], timeout=self.timeout) as response:
            charset = response.headers.get_content_charset("utf-8")
            return {"url": event["url"], "text": response.read().decode(charset)}


class ToParagraphs:
    """Parts a text at its empty lines."""

    BREAK = re.compile(r"\n\s*\n")

    def do(self, event):
        parts = (" ".join(part.split()) for part in self.BREAK.split(event["text"]))
        return {"url": event["url"], "paragraphs": [part for part in parts if part]}
