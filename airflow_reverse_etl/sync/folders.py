"""Where things lie in the store: `<store>/<sync_id>/{state,runs/<run_id>[.<map_index>]/<n>}`."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow_reverse_etl.errors import RetryableError
from airflow_reverse_etl.model import StorePath

LONGEST = 180
"""Bytes of one part of a path; file systems stop at 255."""


def part(text: str) -> str:
    """Return a text as one safe part of a path: percent-encoded, never `.` or `..`, never too long."""
    safe = quote(text, safe="")
    if set(safe) == {"."}:
        safe = safe.replace(".", "%2E")
    if len(safe) > LONGEST:
        safe = f"{safe[:LONGEST]}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return safe


def numbered(folder: StorePath, suffix: str = "") -> dict[int, StorePath]:
    """Return the entries of a folder whose names are numbers (before `suffix`), by number."""
    if not folder.exists():
        return {}
    entries = ((entry.name.rstrip("/").removesuffix(suffix), entry) for entry in folder.iterdir())
    return {int(text): entry for text, entry in entries if text.isdigit()}


def new_run_folder(store: StorePath, sync_id: str, run: str) -> StorePath:
    """Make and return the folder of a fresh plan: the next number below the run, so that nothing is overwritten."""
    runs = store / part(sync_id) / "runs" / part(run)
    number = max(numbered(runs), default=0)
    while True:
        number += 1
        folder = runs / str(number)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with (folder / "began").open("xb") as file:
                file.write(b"")
        except FileExistsError:
            continue  # another process took this number in the same instant
        return folder


def prune(store: StorePath, sync_id: str, keep: int) -> None:
    """Remove the files of the oldest finished runs, so that `keep` of them stay; what is unfinished stays anyway."""
    runs = store / part(sync_id) / "runs"
    finished = sorted((ended, run.name, run) for run in runs.iterdir() if (ended := _ended(run)))
    for _, _, run in finished[: max(0, len(finished) - keep)]:
        remove(run)


def _ended(run: StorePath) -> str:
    """Return when a run ended, or nothing if one of its plans has no report."""
    reports = [read_json(folder / "report.json") for folder in numbered(run).values()]
    return max((str(found.get("finished_at")) for found in reports), default="") if all(reports) else ""


def remove(folder: StorePath) -> None:
    """Remove a folder with all that is in it."""
    for entry in folder.iterdir():
        if entry.is_dir():
            remove(entry)
        else:
            entry.unlink(missing_ok=True)
    with suppress(OSError):  # object storage has no folders to remove
        folder.rmdir()


def write_json(path: StorePath, content: Mapping[str, Any], *, exclusive: bool = False) -> None:
    """Write a small JSON file.

    :raises FileExistsError: `exclusive`, and somebody else wrote it first.
    """
    with path.open("xb" if exclusive else "wb") as file:
        file.write(json.dumps(content, ensure_ascii=False, indent=1).encode())


def read_json(path: StorePath) -> dict[str, Any]:
    """Read a small JSON file; one that is missing, or was cut off while it was written, is empty."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return content


def upload(local: Path, path: StorePath) -> None:
    """Copy a local file into the store, in pieces."""
    with local.open("rb") as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def download(path: StorePath, local: Path) -> Path:
    """Copy a file of the store to local disk, in pieces: DuckDB reads local files only."""
    with path.open("rb") as source, local.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return local


def unreachable(error: OSError, what: str) -> RetryableError:
    """Return the error for a store that does not answer; Airflow's retries help."""
    return RetryableError(f"the store cannot {what}: {type(error).__name__}: {error}", code="STORE")
