"""Rendering of the small jinja templates found in profiles and in semantic-layer filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class TemplateError(ValueError):
    """A template that cannot be rendered."""


def render(template: str, names: Mapping[str, Callable[..., Any]]) -> str:
    """``template`` with ``names`` callable in it; ``TemplateError`` on anything it cannot take."""
    if "{{" not in template and "{%" not in template:
        return template
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
    # dbt's own filters for profiles; types are settled by whoever reads the value.
    for name in ("as_bool", "as_number", "as_native", "as_text"):
        environment.filters[name] = lambda value: value
    try:
        return environment.from_string(template).render(dict(names))
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        raise TemplateError(str(error)) from error
