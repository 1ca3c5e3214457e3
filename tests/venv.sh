# Sourced: a virtual environment in .venv with graphc and its development tools, made once and
# brought up to date when pyproject.toml changes.
for python in python3.13 python3.12 python3.11 python3; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi
done
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    { echo "graphc needs Python 3.11 or newer" >&2; exit 1; }
if ! cmp -s pyproject.toml .venv/graphc.toml; then
    echo "setting up .venv with $("$python" --version) ..." >&2
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
    cp pyproject.toml .venv/graphc.toml
fi
