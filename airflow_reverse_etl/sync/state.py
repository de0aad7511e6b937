"""What the application last accepted from this sync: a base and deltas in Parquet, named by a chain of manifests.

Every change of the state is one new manifest, made by exclusive create: whoever finds his number taken has been
overtaken by another run and stops without writing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from airflow_reverse_etl.errors import ConfigurationError, RetryableError
from airflow_reverse_etl.model import JobType, KeyForm, StorePath, Target
from airflow_reverse_etl.sync import canonical, folders
from airflow_reverse_etl.sync.canonical import normal_sql, quoted
from airflow_reverse_etl.sync.mapping import Mapped
from airflow_reverse_etl.sync.stage import Stage, parquet

FORMAT = 1
MOST_DELTAS = 20
"""More deltas than this are folded into a new base, so that reading a state stays a few files."""

STORED = ("target", "fields", "columns", "every_column", "key_form", "base", "deltas")

COLUMNS = "k VARCHAR, key VARCHAR, fingerprint UUID, id VARCHAR, status VARCHAR, since DOUBLE"
"""`k` is the key in its normal form. `status`: `ok`; `cleared` by `on_missing`; `unknown`, a create in doubt; `gone`. A
fingerprint that is NULL is that of no row: what the application holds is not known. `since`: when a create in doubt was
sent, in seconds since the epoch."""


@dataclass(frozen=True)
class Manifest:
    """One generation of the state.

    :param number: its place in the chain; 0 is "no state yet".
    :param target: what the state belongs to (see `identity`).
    :param fields: the destination fields that were written.
    :param columns: field -> column, where the fields were matched by position.
    :param every_column: the task wrote every column, so that a new one is news.
    :param key_form: how keys were compared.
    :param files: base first, then deltas in order.
    """

    number: int = 0
    target: Mapping[str, Any] = field(default_factory=dict)
    fields: Sequence[str] = ()
    columns: Mapping[str, str] | None = None
    every_column: bool = False
    key_form: Mapping[str, Any] = field(default_factory=dict)
    base: str | None = None
    deltas: Sequence[str] = ()


def identity(target: Target, job_type: JobType) -> dict[str, Any]:
    """Return what a state belongs to: if any of it differs, it is another target and another state."""
    return {
        "destination": target.destination,
        "account": target.account,
        "object": target.object,
        "key": target.key,
        "job_type": job_type.value,
    }


class State:
    """The state of one sync in the store."""

    def __init__(self, store: StorePath, sync_id: str) -> None:
        self.folder = store / folders.part(sync_id) / "state"
        self.manifest = Manifest()
        self.set_aside = ""

    def open(self, target: Target, job_type: JobType) -> None:
        """Read the newest manifest; one of another target is set aside (kept), and `set_aside` says why.

        :raises RetryableError: the store cannot be reached.
        """
        try:
            manifest = self._newest()
        except OSError as error:
            raise folders.unreachable(error, "be read") from error
        if manifest.number and manifest.target != identity(target, job_type):
            old, new = manifest.target, identity(target, job_type)
            changed = [f"{name} {old.get(name)!r} is now {new[name]!r}" for name in new if old.get(name) != new[name]]
            self.set_aside = (
                f"the state of this sync belongs to another target ({'; '.join(changed)}): "
                f"it is set aside, everything is sent anew, and nothing is removed in this run"
            )
            manifest = Manifest(number=manifest.number)
        self.manifest = manifest

    def open_as_it_is(self) -> None:
        """Read the newest manifest, whatever target it belongs to."""
        try:
            self.manifest = self._newest()
        except OSError as error:
            raise folders.unreachable(error, "be read") from error

    def _newest(self) -> Manifest:
        manifests = folders.numbered(self.folder, ".json")
        if not manifests:
            return Manifest()
        readable = ((n, folders.read_json(manifests[n])) for n in sorted(manifests, reverse=True))
        _, content = next(((n, found) for n, found in readable if found), (0, {}))
        if not content:  # all were cut off while they were written
            return Manifest(max(manifests))
        if content["format"] != FORMAT or content["fingerprint"] != canonical.VERSION:
            message = (
                f"the state of this sync was written by another version of this package (format {content['format']}, "
                f"fingerprint {content['fingerprint']}); this one reads {FORMAT} and {canonical.VERSION}"
            )
            raise ConfigurationError(message)
        known = {name: content[name] for name in STORED}
        return Manifest(max(manifests), **known)

    def check_mapping(self, mapped: Mapped, *, every_column: bool) -> None:
        """Compare the mapping with that of the last run, where it was made without names.

        :raises ConfigurationError: columns that are matched by position have other names or another order; or a
            query whose every column is written has a new one.
        """
        before = self.manifest
        if before.columns and mapped.by_position and dict(before.columns) != positional(mapped):
            message = (
                f"the fields are matched to columns by position, but the columns have changed: "
                f"{_pairs(before.columns)} before, {_pairs(positional(mapped))} now; "
                f"name the columns: fields={{'<field>': '<column>', ...}}"
            )
            raise ConfigurationError(message)
        new = sorted({s.field for s in mapped.sources} - set(before.fields))
        if before.number and before.every_column and every_column and before.fields and new:
            message = (
                f"the query has new columns ({', '.join(new)}) that were not written before, and `fields` is left out; "
                f"name in `fields` what is to be written"
            )
            raise ConfigurationError(message)

    def load(self, stage: Stage, form: KeyForm) -> int:
        """Copy the state into the stage's table `state`; return the number of keys.

        :param form: how the application compares keys now; it may have changed since.
        """
        stage.sql.execute(f"CREATE TABLE state ({COLUMNS})")
        files = [*([self.manifest.base] if self.manifest.base else []), *self.manifest.deltas]
        if not files:
            return 0
        try:
            local = [str(folders.download(self.folder / name, stage.folder / f"state-{name}")) for name in files]
        except OSError as error:
            raise folders.unreachable(error, "be read") from error
        parts = [f"SELECT *, {i} AS part FROM read_parquet({quoted(path)})" for i, path in enumerate(local)]
        base, deltas = (parts[:1], parts[1:]) if self.manifest.base else ([], parts)
        if not deltas:
            stage.sql.execute(f"INSERT INTO state SELECT * EXCLUDE (part) FROM ({base[0]})")
        else:
            newest = "QUALIFY row_number() OVER (PARTITION BY k ORDER BY part DESC) = 1"
            stage.sql.execute(f"CREATE TEMP TABLE delta AS SELECT * FROM ({' UNION ALL '.join(deltas)}) {newest}")
            kept = f"SELECT * FROM ({base[0]}) WHERE k NOT IN (SELECT k FROM delta) UNION ALL " if base else ""
            stage.sql.execute(
                f"INSERT INTO state SELECT * EXCLUDE (part) FROM ({kept}SELECT * FROM delta WHERE status <> 'gone')"
            )
        if dict(self.manifest.key_form) != asdict(form):
            stage.sql.execute(f"UPDATE state SET k = {normal_sql('key', form)}")
            stage.sql.execute("DELETE FROM state WHERE rowid NOT IN (SELECT min(rowid) FROM state GROUP BY k)")
        return int(stage.one("SELECT count(*) FROM state"))

    def advance(self, stage: Stage, target: Target, job_type: JobType, mapped: Mapped, *, every_column: bool) -> None:
        """Write the changes that the stage's table `accepted` holds as the next generation.

        :raises RetryableError: another run of this sync wrote a generation since, or the store cannot be reached.
        """
        after = replace(
            self.manifest,
            target=identity(target, job_type),
            fields=[source.field for source in mapped.sources],
            columns=positional(mapped) if mapped.by_position else None,
            every_column=every_column,
            key_form=asdict(target.key_form),
        )
        self._advance(stage, after)

    def amend(self, stage: Stage) -> None:
        """Write the changes of `accepted` for the target that the state has, and apply them to the table `state`.

        :raises RetryableError: as `advance` does.
        """
        self._advance(stage, self.manifest)
        stage.sql.execute("""
            DELETE FROM state WHERE k IN (SELECT k FROM accepted);
            INSERT INTO state SELECT * FROM accepted WHERE status <> 'gone';
            DROP TABLE accepted
        """)

    def _advance(self, stage: Stage, after: Manifest) -> None:
        changes = int(stage.one("SELECT count(*) FROM accepted"))
        before = self.manifest
        after = replace(after, number=before.number + 1)
        if not changes and before.number and replace(after, number=before.number) == before:
            return
        try:
            if changes:
                after = self._write(stage, before, after, changes)
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = {"format": FORMAT, "fingerprint": canonical.VERSION, **vars(after)}
            folders.write_json(self.folder / f"{after.number:08d}.json", content, exclusive=True)
        except FileExistsError:
            message = (
                "another run of this sync has moved its state since this one began; "
                "what this run sent will be compared again by the next"
            )
            raise RetryableError(message, code="FENCED") from None
        except OSError as error:
            raise folders.unreachable(error, "be written") from error
        self.manifest = after

    def _write(self, stage: Stage, before: Manifest, after: Manifest, changes: int) -> Manifest:
        known = int(stage.one("SELECT count(*) FROM state"))
        fold = before.base is None or changes * 4 > known or len(before.deltas) >= MOST_DELTAS
        query = "SELECT * FROM accepted"
        if fold:
            query = (
                "SELECT * FROM accepted WHERE status <> 'gone' "
                "UNION ALL SELECT * FROM state WHERE k NOT IN (SELECT k FROM accepted)"
            )
        local = stage.folder / "state-next.parquet"
        parquet(stage, query, local)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{'base' if fold else 'delta'}-{after.number:08d}-{uuid.uuid4().hex[:12]}.parquet"
        folders.upload(local, self.folder / name)
        if fold:
            return replace(after, base=name, deltas=())
        return replace(after, deltas=[*before.deltas, name])


KEY = "the key"


def positional(mapped: Mapped) -> dict[str, str]:
    """Return field -> column name, the key's column under `KEY`."""
    return {KEY: mapped.key_column} | {s.field: mapped.columns.names[s.column] for s in mapped.sources}


def _pairs(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ← {column}" for name, column in columns.items())
