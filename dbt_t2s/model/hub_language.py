"""What a hub model's answer means: SQL as it stands, or a plan that is turned into SQL.

What plans need is imported for them alone: models that write SQL train on bare machines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dbt_t2s.errors import ModelError, QueryPlanError
from dbt_t2s.model.prompt import Answer, answer_text, parse_answer
from dbt_t2s.project.schema import ProjectSchema

UNBOUND = "the plan does not bind to this schema"
# What SQL is written with beside its names, and plans.
_SQL = "select * from a.b_c where (d <> 'e' or f >= -1.5) and g / 2 + 3 < 4, order by; \"H\" = %"
_PLAN = 't:a.b_c v:d.e="f" n:-0.123456789 d:2026-01-01/ s:"g"'


class SqlLanguage:
    """Answers are SQL in the project's dialect."""

    lark = ""

    def __init__(self, schema: ProjectSchema) -> None:
        self.alphabet = _SQL + _names(schema)

    def taught(self, row: Mapping[str, str]) -> str | None:
        """What the model is taught to write for a row."""
        return answer_text(row.get("sql", ""), row.get("refusal", ""))

    def read(self, text: str, question: str) -> Answer:
        """What the model wrote, whatever was asked."""
        return parse_answer(text)


class PlanLanguage:
    """Answers are plans in the embedded model's grammar; joins, metrics and rules follow."""

    def __init__(self, schema: ProjectSchema) -> None:
        from dbt_t2s.query.bind import Binder
        from dbt_t2s.query.lark import plan_lark
        from dbt_t2s.query.linear import KEYWORDS

        self._binder, self._dialect = Binder(schema), schema.dialect
        self.lark = plan_lark(schema)
        self.alphabet = "".join(KEYWORDS) + _PLAN + _names(schema)

    def taught(self, row: Mapping[str, str]) -> str | None:
        """The row's plan as text, or its refusal; None for SQL that has no plan."""
        from dbt_t2s.query.plan_text import plan_text

        if not row.get("sql", "").strip():
            return answer_text("", row.get("refusal", ""))
        tokens = json.loads(row.get("plan") or "[]")
        return plan_text(tokens) if tokens else None

    def read(self, text: str, question: str) -> Answer:
        """The SQL of the plan that was written, joined as the question says; a refusal where it
        does not bind."""
        from dbt_t2s.query.linear import from_tokens
        from dbt_t2s.query.plan_text import plan_tokens
        from dbt_t2s.sql import SqlError, format_sql, transpile

        answer = parse_answer(text)
        if not answer.sql:
            return answer
        try:
            plan = from_tokens(plan_tokens(answer.sql))
            if plan is None:
                return Answer("", UNBOUND)
            made = transpile(self._binder.asked(question).sql(plan), "duckdb", self._dialect)
            return Answer(format_sql(made, self._dialect))
        except (QueryPlanError, SqlError):
            return Answer("", UNBOUND)


Language = SqlLanguage | PlanLanguage


def language_of(answers: str, schema: ProjectSchema) -> Language:
    """The language that ``HubSettings.answers`` names."""
    return PlanLanguage(schema) if answers == "plan" else SqlLanguage(schema)


def check_alphabet(language: Language, tokenizer: Any, base: str) -> None:
    """ModelError where the tokenizer cannot write all that answers are made of."""
    lost = [
        letter
        for letter in sorted(set(language.alphabet) - {" "})
        if letter not in _decoded(tokenizer, f"a{letter}b")
    ]
    if lost:
        shown = " ".join(lost[:20])
        raise ModelError(
            f"the base model's tokenizer cannot write {len(lost)} characters that answers over "
            f"this project are made of: {shown}",
            where=base,
            hint="pass a --base whose tokenizer knows every byte, as those of code models do",
        )


def _decoded(tokenizer: Any, text: str) -> str:
    ids = tokenizer(text, add_special_tokens=False).input_ids
    return str(tokenizer.decode(ids, skip_special_tokens=True))


def _names(schema: ProjectSchema) -> str:
    """Every letter of the schema's names."""
    words = (word for table in schema.tables for word in (table.relation, table.name))
    columns = (column.name for table in schema.tables for column in table.columns)
    return "".join(sorted(set("".join((*words, *columns)))))
