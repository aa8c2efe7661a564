"""The macros' SQL for warehouses that no test can start: rendered, as dbt would, but not run."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from typing import Any

import jinja2
from jinja2.runtime import Context, Macro

from tests.conftest import ROOT

# What dbt looks through for a macro of each adapter: its own, its parent's, the default.
ORDER = {
    "duckdb": ("duckdb", "default"),
    "postgres": ("postgres", "default"),
    "redshift": ("redshift", "postgres", "default"),
    "snowflake": ("snowflake", "default"),
    "bigquery": ("bigquery", "default"),
    "databricks": ("databricks", "spark", "default"),
}


class _Returned(BaseException):
    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


class MacroError(Exception):
    """What a macro raised by ``exceptions.raise_compiler_error``."""


class _Context(Context):
    """Macros return values by raising, as dbt's do."""

    def call(self, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().call(__obj, *args, **kwargs)
        except _Returned as returned:
            if not isinstance(__obj, Macro):
                raise
            return returned.value


class _Environment(jinja2.Environment):
    context_class = _Context


class _Package:
    """Macros by the name of their package, as a package has to call its own."""

    def __init__(self, macros: Macros) -> None:
        self._macros = macros

    def __getattr__(self, name: str) -> Any:
        return self._macros.macro(name)


class Macros:
    """All macros of the package as ``adapter`` would run them; ``call`` gives their value."""

    def __init__(self, adapter: str) -> None:
        self._order = ORDER[adapter]
        environment = _Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
        files = sorted((ROOT / "macros").glob("*.sql"))
        source = "\n".join(path.read_text(encoding="utf-8") for path in files)
        # dbt's own block for generic tests, which are macros with other names.
        source = re.sub(r"{% test (\w+)", r"{% macro test_\1", source)
        source = source.replace("{% endtest %}", "{% endmacro %}")
        source += "{%- macro t2s_call(name, arguments) -%}{{ return(t2s_all(name)(*arguments)) }}"
        source += "{%- endmacro -%}"
        known = set(re.findall(r"{%-? macro (\w+)", source))
        template = environment.from_string(source)
        self._module = template.make_module(
            {
                "return": self._return,
                "t2s_all": self.macro,
                "adapter": self,
                "execute": True,
                "exceptions": self,
                "tojson": json.dumps,
                "fromjson": json.loads,
                "modules": {"re": re, "datetime": datetime},
                "dbt_t2s": _Package(self),
            }
        )
        self._known = known
        # What an adapter answers, for tests that play it.
        self.validate_sql: Callable[[str], Any] | None = None

    def call(self, name: str, *arguments: object) -> Any:
        try:
            self.macro(name)(*arguments)
        except _Returned as returned:
            return returned.value
        raise AssertionError(f"{name} returned nothing")

    def dispatch(self, name: str, namespace: str) -> Any:
        """dbt's ``adapter.dispatch``."""
        assert namespace == "dbt_t2s"
        found = (f"{prefix}__{name}" for prefix in self._order)
        return next(self.macro(each) for each in found if each in self._known)

    def raise_compiler_error(self, message: str) -> None:
        """dbt's ``exceptions.raise_compiler_error``."""
        raise MacroError(message)

    def macro(self, name: str) -> Any:
        """The macro of that very name."""
        return getattr(self._module, name)

    @staticmethod
    def _return(value: object) -> None:
        raise _Returned(value)
