"""Which packages a function needs: from the imports that its code reaches to requirement lines.

What pip installs often has another name than what is imported; `distribution` knows the well-known
cases. Nothing is looked up on an index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

#: Import name -> distribution, where the two differ by more than case, `-` and `_`.
_DISTRIBUTIONS = {
    "Crypto": "pycryptodome",
    "Cython": "Cython",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "attr": "attrs",
    "azure.core": "azure-core",
    "azure.identity": "azure-identity",
    "azure.storage.blob": "azure-storage-blob",
    "bs4": "beautifulsoup4",
    "cairo": "pycairo",
    "confluent_kafka": "confluent-kafka",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "google.auth": "google-auth",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
    "google.cloud.storage": "google-cloud-storage",
    "google.generativeai": "google-generativeai",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
    "haystack": "haystack-ai",
    "igraph": "python-igraph",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "kafka": "kafka-python",
    "kubernetes": "kubernetes",
    "ldap": "python-ldap",
    "levenshtein": "python-Levenshtein",
    "Levenshtein": "python-Levenshtein",
    "magic": "python-magic",
    "markdown": "Markdown",
    "mpl_toolkits": "matplotlib",
    "multipart": "python-multipart",
    "nacl": "PyNaCl",
    "nuclio": "nuclio-jupyter",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry": "opentelemetry-api",
    "paho": "paho-mqtt",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pylab": "matplotlib",
    "pythonjsonlogger": "python-json-logger",
    "pywt": "PyWavelets",
    "ruamel.yaml": "ruamel.yaml",
    "sentence_transformers": "sentence-transformers",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slack": "slackclient",
    "slugify": "python-slugify",
    "snowflake": "snowflake-connector-python",
    "socks": "PySocks",
    "telegram": "python-telegram-bot",
    "umap": "umap-learn",
    "usb": "pyusb",
    "websocket": "websocket-client",
    "win32api": "pywin32",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}

#: Packages that many distributions put modules into: their imports are told apart deeper down.
SHARED_PACKAGES = frozenset({"google", "azure", "ruamel", "opentelemetry", "zope", "backports"})

#: Other distributions that bring the same import: a declared one counts as the import's own.
_ALTERNATIVES = {
    "Crypto": ("pycrypto",),
    "cv2": ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "faiss": ("faiss-gpu", "faiss"),
    "kafka": ("kafka-python-ng",),
    "psycopg2": ("psycopg2",),
    "sklearn": ("sklearn",),
    "tensorflow": ("tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tf-nightly"),
    "tflite_runtime": ("tflite-runtime-nightly",),
    "xgboost": ("xgboost-cpu",),
    "onnxruntime": ("onnxruntime-gpu",),
    "igraph": ("igraph",),
    "Levenshtein": ("Levenshtein",),
    "PIL": ("pillow-simd",),
}


def distribution(import_name: str) -> str:
    """The name under which pip knows what `import import_name` imports."""
    parts = import_name.split(".")
    for length in range(len(parts), 0, -1):
        front = ".".join(parts[:length])
        if front in _DISTRIBUTIONS:
            return _DISTRIBUTIONS[front]
    if parts[0] in SHARED_PACKAGES:
        modules = [part for part in parts if part == part.lower()]
        return "-".join(part.replace("_", "-") for part in modules)
    return parts[0].replace("_", "-")


def requirement_lines(imports: Iterable[str], declared: Iterable[str]) -> tuple[str, ...]:
    """The lines of requirements.txt, sorted: all that is declared, and what is reached besides.

    What the user declares is kept even if no import reaches it: pickled models may need it.
    """
    lines = list(dict.fromkeys(line.strip() for line in declared if line.strip()))
    there = {name for line in lines for name in _names(line)}
    for name in imports:
        known = (distribution(name), *_ALTERNATIVES.get(name, ()))
        if there.isdisjoint(map(canonicalize_name, known)):
            lines.append(known[0])
            there.add(canonicalize_name(known[0]))
    return tuple(sorted(lines, key=lambda line: (line.casefold(), line)))


def _names(line: str) -> Iterator[str]:
    """The normalised name that a requirement line is about, if it says so."""
    text = re.split(r"\s#|\s--|\s-[a-z]\s", line)[0].strip()
    try:
        yield canonicalize_name(Requirement(text).name)
        return
    except InvalidRequirement:
        pass
    if found := re.search(r"[#&]egg=([A-Za-z0-9._-]+)", line):
        yield canonicalize_name(found[1])
    file = PurePosixPath(text.partition("#")[0]).name
    if file.endswith(".whl"):
        try:
            yield parse_wheel_filename(file)[0]
        except InvalidWheelFilename:
            return
