#!/bin/sh
# Makes a virtual environment and fills it, so that `make` needs nothing but itself and a Python.
# Usage: sh tools/venv.sh FOLDER WHAT-TO-INSTALL...   (in pip's words; PYTHON=... prefers an interpreter)
set -eu

folder=$1
shift

# A name on PATH may be a shim that does not run, or a Python without its standard library: each one is asked.
runs() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null
}
complete() {
    "$1" -c 'import ensurepip, sqlite3, ssl, venv' 2>/dev/null
}

find_python() {
    python=""
    incomplete=""
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
        runs "$candidate" || continue
        if complete "$candidate"; then
            python=$candidate
            return
        fi
        incomplete=${incomplete:-$candidate}
    done
}

give_up() {
    if [ -n "$incomplete" ]; then
        version=$("$incomplete" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "$incomplete lacks a part of its standard library that virtual environments need." >&2
        echo "On Debian and Ubuntu: apt-get install python$version-venv" >&2
    else
        echo "Python 3.11, 3.12 or 3.13 is needed and none was found on PATH." >&2
        echo "On Debian and Ubuntu: apt-get install python3 python3-venv; or say where it is: make PYTHON=/path/to/python3" >&2
    fi
    exit 1
}

with_uv() {
    uv --version >/dev/null 2>&1 && uv pip install --quiet --python "$folder/bin/python" "$@"
}

# Dependency groups came with pip 25.1, and a Python brings the pip of its own birthday.
with_pip() {
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

if ! runs "$folder/bin/python"; then
    find_python
    [ -n "$python" ] || give_up
    rm -rf "$folder"
    "$python" -m venv "$folder"
    echo '*' >"$folder/.gitignore"
fi
echo "Installing into $folder with $("$folder/bin/python" --version); the first time takes a minute or two."
with_uv "$@" || with_pip "$@"
