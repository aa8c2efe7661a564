"""The schema as plain lines for a person: what can be asked, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from dbt_t2s.project.schema import Column, Join, Metric, ProjectSchema, Rule, Table

_SHOWN_VALUES = 6


def as_text(schema: ProjectSchema) -> str:
    """Tables with their columns and joins, then metrics, rules, saved queries and gaps."""
    parts = [_head(schema)]
    parts += ["\n".join(_table_lines(table, schema.joins)) for table in schema.tables]
    if schema.metrics:
        parts.append("\n".join(["metrics", *map(_metric_line, schema.metrics)]))
    if schema.rules:
        parts.append("\n".join(["rules", *map(_rule_line, schema.rules)]))
    if schema.saved_queries:
        lines = [f"  {q.name}: {', '.join(q.metrics)}" for q in schema.saved_queries]
        parts.append("\n".join(["saved queries", *lines]))
    gaps = list(_gaps(schema))
    if gaps:
        parts.append("\n".join(["missing", *gaps]))
    if schema.issues:
        parts.append("\n".join(["issues", *_issue_lines(schema)]))
    return "\n\n".join(parts) + "\n"


def _head(schema: ProjectSchema) -> str:
    counts = (
        f"{len(schema.tables)} tables, {sum(len(t.columns) for t in schema.tables)} columns, "
        f"{len(schema.joins)} joins, {len(schema.metrics)} metrics, {len(schema.rules)} rules"
    )
    today = f"; today is {schema.as_of}" if schema.as_of else ""
    return f"{schema.project} ({schema.dialect}, dbt {schema.dbt_version}): {counts}{today}"


def _table_lines(table: Table, joins: tuple[Join, ...]) -> Iterator[str]:
    rows = f", {table.rows:,} rows" if table.rows is not None else ""
    grain = f"one row per {table.entity}" if table.entity else "grain unknown"
    key = f" ({', '.join(table.primary_key)})" if table.primary_key else ""
    yield f"{table.name}: {grain}{key}{rows} [{table.relation}]"
    if table.description:
        yield f"  {table.description}"
    if table.synonyms:
        yield f"  also called: {', '.join(table.synonyms)}"
    if table.time_column:
        yield f"  dated by: {table.time_column}"
    width = max((len(column.name) for column in table.columns), default=0)
    for column in table.columns:
        yield f"  {column.name:<{width}}  {_column_words(column)}".rstrip()
    for join in joins:
        if join.table == table.name:
            one = ", one to one" if join.cardinality.value == "one_to_one" else ""
            yield f"  -> {join.to_table} on {_pairs(join)}{one}"


def _pairs(join: Join) -> str:
    pairs = zip(join.columns, join.to_columns, strict=True)
    return " and ".join(f"{join.table}.{a} = {join.to_table}.{b}" for a, b in pairs)


def _column_words(column: Column) -> str:
    words = [column.role.value, column.type or "type unknown"]
    if column.personal:
        words.append("personal")
    if column.values:
        shown = ", ".join(column.values[:_SHOWN_VALUES])
        more = ", …" if len(column.values) > _SHOWN_VALUES or not column.values_complete else ""
        words.append(f"[{shown}{more}]")
    elif column.minimum is not None:
        words.append(f"[{column.minimum} … {column.maximum}]")
    if column.description:
        words.append(f"- {column.description}")
    return "  ".join(words)


def _metric_line(metric: Metric) -> str:
    if metric.measure is not None:
        measure = metric.measure
        meaning = f"{measure.aggregation}({measure.expression}) of {measure.table}"
        if metric.filters:
            meaning += " where " + " and ".join(each.predicate for each in metric.filters)
    elif metric.inputs:
        meaning = metric.expression
    else:
        meaning = f"MetricFlow's SQL in {len(metric.compiled)} groupings"
    return f"  {metric.name} ({metric.type}): {meaning}"


def _rule_line(rule: Rule) -> str:
    always = ", always" if rule.always else ""
    what = ": ".join(part for part in (rule.kind.value, rule.predicate) if part)
    return f"  {rule.name} ({rule.table}{always}): {what}  - {rule.sentence}"


def _gaps(schema: ProjectSchema) -> Iterator[str]:
    """What somebody could still write down."""
    for table in schema.tables:
        bare = [column.name for column in table.columns if not column.description]
        if not table.description:
            yield f"  {table.name} has no description"
        if bare:
            yield f"  {table.name}: {len(bare)} undocumented columns: {', '.join(bare)}"
        if not table.primary_key:
            yield f"  {table.name} has no proven key (add unique and not_null tests)"


def _issue_lines(schema: ProjectSchema) -> Iterator[str]:
    for issue in schema.issues:
        hint = f" ({issue.hint})" if issue.hint else ""
        yield f"  {issue.level.value}: {issue.where}: {issue.message}{hint}"
