{#
  How the warehouse would run one SELECT, without running it:

    T2S_JSON {"valid": true, "rows": 120, "bytes": null, "cost": 3.2, "plan": ["…", …]}

  `rows` and `bytes` are the warehouse's own estimates (what comes out, what is read), `cost` is in
  its planner's units; null is what it does not tell. SQL that does not bind is an error, with the
  warehouse's own message.

    dbt run-operation t2s_explain --args '{sql: "select count(*) from orders"}'
#}
{% macro t2s_explain(sql, timeout=0) %}
  {%- set timeout = dbt_t2s.t2s_whole(timeout, 0, "timeout") -%}
  {%- set statement = dbt_t2s.t2s_one_select(sql) -%}
  {%- if execute -%}
    {%- do dbt_t2s.t2s_say(dbt_t2s.t2s_estimate(statement, timeout)) -%}
  {%- endif -%}
{% endmacro %}


{#
  Whether one SELECT binds, and what it would cost; nothing is run. As `t2s_explain`, without the
  plan.

    dbt run-operation t2s_validate --args '{sql: "select count(*) from orders"}'
#}
{% macro t2s_validate(sql, timeout=0) %}
  {%- set timeout = dbt_t2s.t2s_whole(timeout, 0, "timeout") -%}
  {%- set statement = dbt_t2s.t2s_one_select(sql) -%}
  {%- if execute -%}
    {%- set found = dbt_t2s.t2s_estimate(statement, timeout) -%}
    {%- do found.pop("plan") -%}
    {%- do dbt_t2s.t2s_say(found) -%}
  {%- endif -%}
{% endmacro %}


{#- What the warehouse says of a statement that it does not run. -#}
{% macro t2s_estimate(statement, timeout) %}
  {{ return(adapter.dispatch("t2s_estimate", "dbt_t2s")(statement, timeout)) }}
{% endmacro %}

{% macro default__t2s_estimate(statement, timeout) %}
  {%- set lines = [] -%}
  {%- for row in dbt_t2s.t2s_guarded(dbt_t2s.t2s_explain_sql(statement), timeout).rows -%}
    {%- do lines.append(row[-1]) -%}
  {%- endfor -%}
  {{ return(dbt_t2s.t2s_plan_read(lines)) }}
{% endmacro %}

{#- It has no EXPLAIN; dbt has it check the statement and say how much it would read. -#}
{% macro bigquery__t2s_estimate(statement, timeout) %}
  {%- set response = adapter.validate_sql(statement) -%}
  {{ return({
    "valid": true, "rows": none, "bytes": dbt_t2s.t2s_bytes(response.bytes_processed),
    "cost": none, "plan": [],
  }) }}
{% endmacro %}


{#- A number of bytes from one as people read it ("1.5 KiB", "8.0 B", "20 bytes"), or as it is. -#}
{% macro t2s_bytes(told) %}
  {%- if told is not string -%}
    {{ return(told) }}
  {%- endif -%}
  {%- set found = modules.re.match("([\\d.]+(?:E\\+?\\d+)?) ?([KMGTPE]?)i?(?:B|bytes)", told) -%}
  {%- if not found -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set power = " KMGTPE".index(found.group(2) or " ") -%}
  {{ return((found.group(1) | float * 1024 ** power) | int) }}
{% endmacro %}


{#- The statement that explains another. -#}
{% macro t2s_explain_sql(statement) %}
  {{ return(adapter.dispatch("t2s_explain_sql", "dbt_t2s")(statement)) }}
{% endmacro %}

{% macro default__t2s_explain_sql(statement) %}
  {{ return("explain " ~ statement) }}
{% endmacro %}

{% macro duckdb__t2s_explain_sql(statement) %}
  {{ return("explain (format json) " ~ statement) }}
{% endmacro %}

{% macro postgres__t2s_explain_sql(statement) %}
  {{ return("explain (format json) " ~ statement) }}
{% endmacro %}

{% macro redshift__t2s_explain_sql(statement) %}
  {{ return("explain " ~ statement) }}
{% endmacro %}

{% macro snowflake__t2s_explain_sql(statement) %}
  {{ return("explain using json " ~ statement) }}
{% endmacro %}

{% macro databricks__t2s_explain_sql(statement) %}
  {{ return("explain cost " ~ statement) }}
{% endmacro %}


{#- {valid, rows, bytes, cost, plan} from the last cell of each row of an explanation. -#}
{% macro t2s_plan_read(cells) %}
  {%- set found = {"valid": true, "rows": none, "bytes": none, "cost": none, "plan": cells} -%}
  {%- do found.update(adapter.dispatch("t2s_plan_read", "dbt_t2s")(cells)) -%}
  {{ return(found) }}
{% endmacro %}

{% macro default__t2s_plan_read(cells) %}
  {{ return({}) }}
{% endmacro %}

{#- The topmost step that has an estimate: sorting and cutting off have none. -#}
{% macro duckdb__t2s_plan_read(cells) %}
  {%- set plan = fromjson(cells[0]) -%}
  {%- set rows = [] -%}
  {%- set pending = plan | list -%}
  {%- for _ in range(1000) if pending and not rows -%}
    {%- set step = pending.pop(0) -%}
    {%- set estimate = (step.get("extra_info") or {}).get("Estimated Cardinality") -%}
    {%- if estimate -%}
      {%- do rows.append(estimate | replace("~", "") | int) -%}
    {%- else -%}
      {%- do pending.extend(step.get("children") or []) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return({"rows": rows | first if rows else none, "plan": plan}) }}
{% endmacro %}

{% macro postgres__t2s_plan_read(cells) %}
  {%- set plan = fromjson(cells[0]) if cells[0] is string else cells[0] -%}
  {%- set top = plan[0]["Plan"] -%}
  {{ return({"rows": top["Plan Rows"], "cost": top["Total Cost"], "plan": plan}) }}
{% endmacro %}

{#- "XN Limit  (cost=0.00..0.07 rows=5 width=4)" -#}
{% macro redshift__t2s_plan_read(cells) %}
  {%- set told = modules.re.search("cost=[\\d.]+\\.\\.([\\d.]+) rows=(\\d+)", cells | join("\n")) -%}
  {{ return({"rows": told.group(2) | int, "cost": told.group(1) | float} if told else {}) }}
{% endmacro %}

{% macro snowflake__t2s_plan_read(cells) %}
  {%- set plan = fromjson(cells[0]) if cells[0] is string else cells[0] -%}
  {{ return({"bytes": (plan.get("GlobalStats") or {}).get("bytesAssigned"), "plan": plan}) }}
{% endmacro %}

{#- "Statistics(sizeInBytes=1.5 KiB, rowCount=12)", of the statement's last step first. -#}
{% macro databricks__t2s_plan_read(cells) %}
  {%- set lines = (cells | join("\n")).split("\n") -%}
  {%- set told = modules.re.search(
    "sizeInBytes=([^,)]+)(?:, rowCount=([\\d.]+(?:E\\+?\\d+)?))?",
    lines | join("\n"),
  ) -%}
  {%- if not told -%}
    {{ return({"plan": lines}) }}
  {%- endif -%}
  {{ return({
    "rows": (told.group(2) | float | int) if told.group(2) else none,
    "bytes": dbt_t2s.t2s_bytes(told.group(1)),
    "plan": lines,
  }) }}
{% endmacro %}
