"""The operator: it introduces a warehouse to a destination, and steps back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from airflow_reverse_etl import destinations
from airflow_reverse_etl.errors import ConfigurationError, SyncError
from airflow_reverse_etl.model import Field, Limitations, Settings
from airflow_reverse_etl.operators.ends import AirflowFailException, ParameterError, as_airflow
from airflow_reverse_etl.parameters import is_given, validate

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_reverse_etl.model import Rows, StorePath
    from airflow_reverse_etl.sync.report import Report
    from airflow_reverse_etl.sync.run import Ended

FieldSource = str | Field | Mapping[str, str]


class ReverseETLOperator(BaseOperator):
    """Make the records of an application agree with the rows of a warehouse query.

    The rows are read in a stream, compared with what the application accepted last time, and what differs is sent in
    batches. Every row ends in exactly one named outcome; the totals are returned as a small dictionary (and are in XCom
    before the task fails, if it fails). See "The report" in the README.

    :param query: one SELECT, or the name of a `.sql` file. A trailing `;` is forgiven.
    :param warehouse_conn_id: connection whose hook is a `DbApiHook` (Postgres, Snowflake, DuckDB, BigQuery, ...).
    :param destination: `"salesforce"`, `"hubspot"`, `"google_sheets"`, or the dotted path of a hook class. It is never
        templated.
    :param object: Salesforce object, HubSpot object type (name or type id), or tab of a spreadsheet.
    :param fields: destination fields to write: a list (matched to columns by name, or by position if no name is a
        column), or a mapping from field to column name, `Field(column, nulls=...)` or `{"column": ..., "nulls": ...}`,
        or the JSON text of either. None writes every column but the key's.
    :param job_type: `"create"`, `"update"`, `"upsert"` or `"delete"`.
    :param key: destination field that identifies a record. Default: the application's record id (Sheets: the first
        header). An upsert needs one.
    :param key_column: column that holds the key. Default: the column named like `key`, else the first.
    :param batch_size: at most so many records in one call; capped by what the application takes.
    :param parameters: bind parameters of the query.
    :param destination_conn_id: connection of the application. Default `"<destination>_default"`.
    :param changes_only: send only what differs from what the application last accepted from this sync.
    :param on_missing: fate of records that this sync wrote and that are in no row any more: `"ignore"`, `"delete"`,
        or `"clear"` (their written fields are emptied).
    :param max_missing: more removals than this (rows, or a share of the known records; 10 are always allowed) stop the
        task before the first call.
    :param max_rejected: more invalid and refused rows than this fail the task, after everything else was sent: rows
        (`3`), or a share (`"5%"`, `0.05`). `1` is one row, `1.0` and `"100%"` are all of them.
    :param on_unknown: creates whose fate could not be settled are held back (`"hold"`) or sent again (`"resend"`).
    :param options: what only this destination understands; see its page in the documentation.
    :param sync_id: name under which the state is kept. Default `"<dag_id>.<task_id>"`; a mapped task must give its own.
    :param deferrable: give the worker slot back while bulk jobs run; no destination has such jobs yet.
    :raises ConfigurationError: when the DAG is parsed, for what can be known to be wrong by then.
    :raises AirflowFailException: no retry would help: configuration, revoked credentials, an unknown field, more than
        `max_missing` or `max_rejected`, no record accepted, creates of unknown fate.
    :raises AirflowException: Airflow's retries help: warehouse, application or store unreachable, patience or quota
        spent.
    """

    template_fields: Sequence[str] = (
        "query",
        "parameters",
        "warehouse_conn_id",
        "destination_conn_id",
        "object",
        "fields",
        "key",
        "key_column",
        "job_type",
        "batch_size",
        "changes_only",
        "on_missing",
        "max_missing",
        "max_rejected",
        "on_unknown",
        "options",
        "sync_id",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "query": "sql",
        "parameters": "json",
        "fields": "json",
        "options": "json",
    }
    ui_color = "#e6f4ee"
    ui_fgcolor = "#0b3d2e"

    def __init__(
        self,
        *,
        query: str,
        warehouse_conn_id: str,
        destination: str,
        object: str,
        fields: Sequence[str] | Mapping[str, FieldSource] | str | None = None,
        job_type: str = "upsert",
        key: str | None = None,
        key_column: str | None = None,
        batch_size: int | str | None = None,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        destination_conn_id: str | None = None,
        changes_only: bool | str = True,
        on_missing: str = "ignore",
        max_missing: float | str = 0.1,
        max_rejected: float | str = 0,
        on_unknown: str = "hold",
        options: Mapping[str, Any] | str | None = None,
        sync_id: str | None = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.query = query
        self.parameters = parameters
        self.warehouse_conn_id = warehouse_conn_id
        self.destination = destination
        self.destination_conn_id = destination_conn_id
        self.object = object
        self.fields = _plain_fields(fields)
        self.key = key
        self.key_column = key_column
        self.job_type = job_type
        self.batch_size = batch_size
        self.changes_only = changes_only
        self.on_missing = on_missing
        self.max_missing = max_missing
        self.max_rejected = max_rejected
        self.on_unknown = on_unknown
        self.options = options
        self.sync_id = sync_id
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        known = {name: value for name, value in self._values().items() if not _templated(value)}
        try:
            validate(known, complete=False, **self._declared())
        except ConfigurationError as error:
            raise ParameterError(str(error)) from None

    def _values(self) -> dict[str, Any]:
        """Return the parameters that have a value; what is None has its default."""
        optional = ("destination_conn_id", "sync_id", "batch_size")
        names = [*ReverseETLOperator.template_fields, "destination"]
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if name not in optional or is_given(value)}

    def _declared(self) -> dict[str, Any]:
        """Return what the destination declares as data, for the check of the parameters."""
        destination: Any = self.destination
        if not isinstance(destination, str) or "{{" in destination:
            message = (
                "`destination` is never templated: write its name, and use a branch to choose between destinations"
            )
            raise ConfigurationError(message)
        try:
            declared = destinations.options(self.destination)
            folder = None if "." in self.destination else destinations.declaration(self.destination)
        except LookupError as error:
            raise ConfigurationError(str(error)) from None
        return {
            "options": declared,
            "required_options": getattr(folder, "REQUIRED_OPTIONS", ()),
            "default_key_is_written": getattr(folder, "DEFAULT_KEY_IS_WRITTEN", False),
        }

    def settings(self, context: Context) -> Settings:
        """Return the rendered parameters, checked.

        :raises ConfigurationError: what cannot work.
        """
        values = self._values()
        if "sync_id" not in values:
            if _map_index(context) >= 0:
                message = (
                    "a mapped task must give its own `sync_id`, for example sync_id='scores.{{ task.object }}': "
                    "the map index is no identity, it changes with the order of the list"
                )
                raise ConfigurationError(message)
            values["sync_id"] = f"{self.dag_id}.{self.task_id}"
        settings = validate(values, complete=True, **self._declared())
        if settings is None:
            raise AssertionError
        return settings

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the sync; return the report. Raises what the class says, after the report is in XCom."""
        try:
            ended = self._run(context, self.settings(context))
        except (SyncError, LookupError) as error:
            self._push(context, self._nothing_done(context, str(error)))
            raise AirflowFailException(str(error)) from None
        told = ended.report
        self.log.info("%s %s: %s. Files: %s", told.destination, told.object, told.summary, told.path or "none")
        if ended.error is None:
            return ended.report.as_dict()
        self._push(context, ended.report)
        raise as_airflow(ended.error) from None

    def _push(self, context: Context, report: Report) -> None:
        """Leave the report in XCom: what `execute` returns is pushed by Airflow, but a failed task returns nothing."""
        context["ti"].xcom_push(key="return_value", value=report.as_dict())

    def _nothing_done(self, context: Context, why: str) -> Report:
        """Return the report of a run that could not begin."""
        from airflow_reverse_etl.sync.report import Report, now

        return Report(
            sync_id=str(self.sync_id or f"{self.dag_id}.{self.task_id}"),
            run=_run_name(context),
            destination=self.destination,
            object=str(self.object),
            job_type=str(self.job_type),
            started_at=now(),
            finished_at=now(),
            summary=why,
        )

    def _run(self, context: Context, settings: Settings) -> Ended:
        from airflow_reverse_etl.sync.run import Sync

        hook = destinations.load(self.destination)
        named = self.destination_conn_id
        connection = named if is_given(named) else _default_connection(self.destination, hook)
        sync = Sync(
            settings=settings,
            query=self.rows,
            destination=hook(connection),
            store=store(),
            run=_run_name(context),
            limits=limitations(),
            log=lambda message: self.log.info("%s", message),
            owner=f"{self.dag_id}.{self.task_id}/{_run_name(context)}",
        )
        return sync.execute()

    def rows(self) -> AbstractContextManager[Rows]:
        """Open the query; the warehouse is read while it is open."""
        from airflow_reverse_etl import warehouse

        return warehouse.read(self.warehouse_conn_id, self.query, self.parameters)


def merged(destination: str, named: Mapping[str, Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `ReverseETLOperator` for an operator whose options are parameters.

    :param named: options by name; None is "not given".
    :param kwargs: the other arguments, perhaps with `options` of their own.
    """
    if kwargs.get("destination", destination) != destination:
        message = f"this operator writes to {destination!r}: leave `destination` out, or use ReverseETLOperator"
        raise ParameterError(message)
    given = {name: value for name, value in named.items() if value is not None}
    options = kwargs.get("options")
    if isinstance(options, str):
        if given:
            message = f"give `options` as a mapping, or leave out {', '.join(given)}"
            raise ParameterError(message)
        return {**kwargs, "destination": destination}
    return {**kwargs, "destination": destination, "options": {**(options or {}), **given}}


def default_deferrable() -> bool:
    """Return what Airflow is configured to do where a task does not say."""
    from airflow.configuration import conf

    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


def store() -> StorePath:
    """Return the root of the store: `[reverse_etl] store_path`, or a folder below AIRFLOW_HOME."""
    import os
    from pathlib import Path

    from airflow.configuration import AIRFLOW_HOME, conf

    written = conf.get("reverse_etl", "store_path", fallback="") or f"file://{AIRFLOW_HOME}/reverse_etl"
    if written.startswith("file://"):
        return Path(os.path.expanduser(written.removeprefix("file://")))  # noqa: PTH111  a URL's path
    if "://" not in written:
        return Path(written).expanduser()
    from airflow.sdk import ObjectStoragePath

    return ObjectStoragePath(written)


def limitations() -> Limitations:
    """Return what `[reverse_etl]` allows a run."""
    from airflow.configuration import conf

    defaults = Limitations()
    return Limitations(
        max_wait=conf.getfloat("reverse_etl", "max_wait", fallback=defaults.max_wait),
        keep_runs=conf.getint("reverse_etl", "keep_runs", fallback=defaults.keep_runs),
        stage_path=conf.get("reverse_etl", "stage_path", fallback="") or None,
        stage_memory=conf.get("reverse_etl", "stage_memory", fallback="") or defaults.stage_memory,
    )


def _plain_fields(fields: Any) -> Any:
    """Return `fields` as plain values: Airflow renders and shows them, and knows no `Field`."""
    if not isinstance(fields, Mapping):
        return fields
    return {
        name: {"column": source.column, "nulls": source.nulls} if isinstance(source, Field) else source
        for name, source in fields.items()
    }


def _templated(value: Any) -> bool:
    """Whether a value is only known when the task runs."""
    if isinstance(value, str):
        return any(mark in value for mark in ("{{", "{%", "{#")) or value.rstrip().endswith(".sql")
    if isinstance(value, Mapping):
        return any(_templated(item) for pair in value.items() for item in pair)
    if isinstance(value, list | tuple | set):
        return any(map(_templated, value))
    return not isinstance(value, int | float | bool | Field | None)


def _map_index(context: Context) -> int:
    """Return the index of a mapped task, or -1."""
    index = getattr(context["ti"], "map_index", -1)
    return -1 if index is None else int(index)


def _run_name(context: Context) -> str:
    """Return the name of the run's folder: the DAG run, and the map index of a mapped task."""
    run, index = context["ti"].run_id, _map_index(context)
    return f"{run}.{index}" if index >= 0 else str(run)


def _default_connection(destination: str, hook: type[Any]) -> str:
    return str(getattr(hook, "default_conn_name", None) or f"{destination}_default")
