"""The API asked with whatever its own document allows, and with what it does not.

``python -m tests.benchmarks.fuzzing`` asks for longer.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

from dbt_t2s.web.openapi import document
from tests.serve.test_web import Client, client, desk

__all__ = ["client", "desk"]

schemathesis = pytest.importorskip("schemathesis", reason="a development dependency")
checks = pytest.importorskip("schemathesis.specs.openapi.checks")
modes = pytest.importorskip("schemathesis.generation").GenerationMode

# That an id is known and a statement is SQL cannot be said in a schema.
UNSAID = checks.positive_data_acceptance
API: Any = schemathesis.openapi.from_dict(document())
API.config.generation.update(modes=[modes.POSITIVE, modes.NEGATIVE])
# What is longer than the document allows may be too long for any request.
REJECTED = API.config.checks.negative_data_rejection
REJECTED.expected_statuses = [*REJECTED.expected_statuses, "413"]


@API.parametrize()  # type: ignore[untyped-decorator]
@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
)
def test_whatever_is_sent_the_answer_is_one_that_the_document_names(
    case: Any, client: Client
) -> None:
    case.call_and_validate(
        base_url=f"http://127.0.0.1:{client.port}",
        excluded_checks=[UNSAID],
    )
