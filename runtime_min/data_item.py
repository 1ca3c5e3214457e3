"""Files by path or URL: MLRun's DataItem (1.12), for local files and http(s)."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any
from urllib.request import Request, urlopen

#: Seconds without a byte after which a download is given up.
_TIMEOUT = 60


class FileStats:
    """What `DataItem.stat` gives."""

    def __init__(self, size: int, modified: float, content_type: str = "") -> None:
        self.size = size
        self.modified = modified
        self.content_type = content_type


class DataItem:
    """A file: that of a path, or what an http(s) URL names.

    Raises ValueError for other schemes, when the content is asked for.
    """

    meta = None

    def __init__(self, key: str, url: str) -> None:
        scheme, separator, rest = url.partition("://")
        self.key = key
        self.url = url
        self.artifact_url = url
        self.kind = scheme.lower() if separator else "file"
        self.suffix = os.path.splitext(url)[1]
        self._path = rest if separator and self.kind == "file" else url
        self._local_path = ""

    # -- reading

    def get(
        self, size: int | None = None, offset: int = 0, encoding: str | None = None
    ) -> Any:
        """The content: bytes, or text if an encoding is named."""
        if self.kind == "file":
            with open(self._path, "rb") as file:
                file.seek(offset)
                data = file.read(size or -1)
        else:
            with self._asked("GET") as reply:
                data = reply.read()[offset : offset + size if size else None]
        return data.decode(encoding) if encoding else data

    def download(self, target_path: str) -> None:
        """Copy the content to a file."""
        if self.kind == "file":
            if os.path.abspath(self._path) != os.path.abspath(target_path):
                shutil.copyfile(self._path, target_path)
            return
        with self._asked("GET") as reply, open(target_path, "wb") as file:
            shutil.copyfileobj(reply, file)

    def local(self) -> str:
        """The path of a local file; a URL is downloaded once."""
        if self.kind == "file":
            return self._path
        if not self._local_path:
            suffix = self.url[dot:] if (dot := self.url.rfind(".")) > 0 else ""
            suffix = suffix if "/" not in suffix else ""
            handle, self._local_path = tempfile.mkstemp(suffix)
            os.close(handle)
            self.download(self._local_path)
        return self._local_path

    def remove_local(self) -> None:
        """Remove the file that `local` downloaded."""
        if self._local_path:
            os.remove(self._local_path)
            self._local_path = ""

    def open(self, mode: str = "rb") -> Any:
        """The content as an open file; a URL's can only be read."""
        return open(self.local(), mode)

    def stat(self) -> FileStats:
        """Size and time of the last change."""
        if self.kind == "file":
            found = os.stat(self._path)
            return FileStats(found.st_size, found.st_mtime)
        with self._asked("HEAD") as reply:
            headers = reply.headers
            length = int(headers.get("Content-Length") or 0)
            return FileStats(length, 0, headers.get("Content-Type") or "")

    def ls(self) -> list[str]:
        """The names in a folder."""
        self._only_files("list")
        return sorted(os.listdir(self._path))

    listdir = ls

    def as_df(
        self,
        columns: Any = None,
        df_module: Any = None,
        format: str = "",
        **kwargs: Any,
    ) -> Any:
        """The content as a DataFrame: of CSV, Parquet or JSON."""
        if df_module is None:
            # In the package's requirements if a model asks for it.
            import pandas  # type: ignore[import-untyped,unused-ignore]

            df_module = pandas
        for name in ("time_column", "start_time", "end_time", "additional_filters"):
            if kwargs.pop(name, None) is not None:
                raise ValueError(
                    f"as_df cannot filter here ({name}): filter the result"
                )
        kind = format or self.suffix.lstrip(".")
        if kind == "csv":
            columns = {"usecols": columns} if columns else {}
            return df_module.read_csv(self.local(), **columns, **kwargs)
        if kind in ("parquet", "pq"):
            columns = {"columns": columns} if columns else {}
            return df_module.read_parquet(self.local(), **columns, **kwargs)
        if kind == "json":
            return df_module.read_json(self.local(), **kwargs)
        raise ValueError(f"no DataFrame can be read from {self.url}")

    def show(self, format: str | None = None) -> None:
        """Nothing: it shows the content in notebooks."""

    def get_artifact_type(self) -> None:
        """None: this is no artifact of an MLRun service."""

    # -- writing

    def put(self, data: Any, append: bool = False) -> None:
        """Write bytes or text."""
        self._only_files("write")
        os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
        mode = ("a" if append else "w") + ("b" if isinstance(data, bytes) else "")
        with open(self._path, mode) as file:
            file.write(data)

    def upload(self, src_path: str) -> None:
        """Write what is in a file."""
        self._only_files("write")
        os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)
        shutil.copyfile(src_path, self._path)

    def delete(self) -> None:
        """Remove the file."""
        self._only_files("delete")
        os.remove(self._path)

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        return f"'{self.url}'"

    def _only_files(self, what: str) -> None:
        if self.kind != "file":
            raise ValueError(f"cannot {what} {self.url}: it is no local file")

    def _asked(self, method: str) -> Any:
        if self.kind not in ("http", "https"):
            raise ValueError(f"{self.url} cannot be read here: {remedy(self.kind)}")
        return urlopen(Request(self.url, method=method), timeout=_TIMEOUT)


def remedy(scheme: str) -> str:
    """Why a scheme is not read, and what to do instead."""
    if scheme == "store":
        return (
            "store:// paths are resolved by the MLRun service, which packages do without;"
            " give the path of the artifact's files, mounted or shipped with the package"
        )
    return (
        f"packages read files and http(s), not {scheme}://; mount the files or ship them "
        "with the package, and give their local path"
    )
