"""Writes into docs/sandbox.md what is faked and what is not, from the fakes themselves, so that the page cannot lie."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow_reverse_etl.sandbox.fakes import fake_classes
from airflow_reverse_etl.sandbox.modes import MODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_reverse_etl.sandbox.fakes import Fake

_HOW_TO_RENEW = "python -m airflow_reverse_etl.sandbox.coverage"
_PLAIN = (str, int, float, bool, type(None))
_LONGEST_DEFAULT = 60  # characters: a key or a certificate would drown the table


def updated(page: str) -> str:
    """Return the text of the page with its generated parts renewed: those between `<!-- begin NAME -->` and `end`.

    :raises ValueError: a part has no place in the page, or an opened one is not closed.
    """
    for name, part in (("faults", generic_faults()), ("coverage", destinations())):
        begin, end = f"<!-- begin {name}", f"<!-- end {name} -->"
        pattern = re.compile(rf"({re.escape(begin)}[^\n]*-->\n).*?({re.escape(end)})", re.DOTALL)
        if not pattern.search(page):
            message = f"the page has no place for {name!r}: it needs '{begin} -->' and '{end}', each on its own line"
            raise ValueError(message)
        page = pattern.sub(lambda found, part=part: f"{found[1]}\n{part}\n\n{found[2]}", page)  # type: ignore[misc]
    return page


def generic_faults() -> str:
    """Return the table of the faults that every destination has."""
    rows = [(f"`{name}`", _arguments(mode), inspect.getdoc(mode) or "") for name, mode in MODES.items()]
    return _table(("mode", "arguments and defaults", "what happens"), rows)


def destinations() -> str:
    """Return a chapter for each destination: what is faked, its own faults, its settings."""
    return "\n\n".join(_chapter(name, fake) for name, fake in fake_classes().items())


def _chapter(name: str, fake: type[Fake]) -> str:
    faults = [(f"`{mode}`", sentence) for mode, sentence in fake.FAULTS.items()]
    parts = [
        f"### {name}",
        _table(("area", "", "how far"), fake.COVERAGE),
        f"Faults of its own, for `box.faults({name!r}, ...)`:",
        _table(("mode", "what happens"), faults) if faults else "None.",
        f"Settings, for `box.settings({name!r}, ...)`, with their defaults:",
        _table(("setting", "default"), _settings(fake)),
    ]
    return "\n\n".join(parts)


def _settings(fake: type[Fake]) -> Iterable[tuple[str, str]]:
    settings = cast("Any", fake().settings)
    for field in dataclasses.fields(settings):
        yield f"`{field.name}`", _default(getattr(settings, field.name))


def _default(value: object) -> str:
    parts = value if isinstance(value, list | tuple) else value.values() if isinstance(value, dict) else [value]
    is_short = all(isinstance(part, _PLAIN) for part in parts) and len(repr(value)) <= _LONGEST_DEFAULT
    return f"`{value!r}`" if is_short else f"a {type(value).__name__}"


def _arguments(mode: object) -> str:
    parameters = list(inspect.signature(cast("Any", mode)).parameters.values())[1:]
    return ", ".join(f"`{parameter.name}={parameter.default!r}`" for parameter in parameters)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([text.replace("|", "\\|") for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """Renew the page, or with `--check` only say whether it is out of date (exit code 1)."""
    parser = argparse.ArgumentParser(prog=_HOW_TO_RENEW, description=__doc__)
    parser.add_argument("page", type=Path, nargs="?", default=Path("docs/sandbox.md"), help="default: docs/sandbox.md")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is out of date")
    options = parser.parse_args(arguments)
    before = options.page.read_text(encoding="utf-8")
    after = updated(before)
    if before == after:
        return 0
    if options.check:
        sys.stderr.write(f"{options.page} is out of date; run: {_HOW_TO_RENEW} {options.page}\n")
        return 1
    options.page.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
