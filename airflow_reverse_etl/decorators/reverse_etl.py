"""`@task.reverse_etl`: the function returns the query, or the rows themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.bases.decorator import DecoratedOperator, task_decorator_factory

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.operators.ends import AirflowFailException
from airflow_reverse_etl.operators.reverse_etl import ReverseETLOperator

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.bases.decorator import TaskDecorator

    from airflow_reverse_etl.model import Rows

BY_THE_FUNCTION = "select 1 as set_by_the_function"


class _DecoratedReverseETL(DecoratedOperator, ReverseETLOperator):
    """A `ReverseETLOperator` whose query or rows come from a function when the task runs.

    :param python_callable: returns a query (rendered as a template, read through `warehouse_conn_id`), or rows: an
        iterable of dicts, an Arrow table or stream, or a DataFrame. Rows never reach rendered fields or XCom.
    """

    template_fields: Sequence[str] = (*DecoratedOperator.template_fields, *ReverseETLOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **DecoratedOperator.template_fields_renderers,
        **ReverseETLOperator.template_fields_renderers,
    }
    custom_operator_name = "@task.reverse_etl"
    overwrite_rtif_after_execution = True

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("multiple_outputs", None):
            message = "@task.reverse_etl returns one report: leave `multiple_outputs` out"
            raise ConfigurationError(message)
        if "query" in kwargs:
            message = "@task.reverse_etl takes its query from the function: leave `query` out"
            raise ConfigurationError(message)
        kwargs.setdefault("warehouse_conn_id", "not_needed_for_rows")
        super().__init__(
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            multiple_outputs=False,
            query=BY_THE_FUNCTION,
            **kwargs,
        )
        self._rows: Any = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Call the function, then run the sync on what it returned."""
        from airflow.providers.common.compat.sdk import determine_kwargs

        context["op_kwargs"] = self.op_kwargs  # type: ignore[typeddict-unknown-key]
        arguments = determine_kwargs(self.python_callable, self.op_args, {**context, **self.op_kwargs})
        returned = self.python_callable(*self.op_args, **arguments)
        if isinstance(returned, str):
            self.query = returned
            self.render_template_fields(context)
        elif returned is None:
            message = f"the function {self.python_callable.__name__} returned None: return a query, or rows"
            raise AirflowFailException(message)
        else:
            self.query, self._rows = f"rows of {self.python_callable.__name__}()", returned
        return ReverseETLOperator.execute(self, context)

    def rows(self) -> AbstractContextManager[Rows]:
        """Open the query, or hand on the rows."""
        if self._rows is None:
            return super().rows()
        from airflow_reverse_etl import warehouse

        return nullcontext(warehouse.from_python(self._rows))


def reverse_etl_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> TaskDecorator:
    """Turn a function that returns a query or rows into a `ReverseETLOperator`.

    :param python_callable: the function.
    :param kwargs: the parameters of `ReverseETLOperator`, without `query`.
    """
    return task_decorator_factory(
        python_callable=python_callable, multiple_outputs=False, decorated_operator_class=_DecoratedReverseETL, **kwargs
    )
