{#
  What warehouses say differently. The default is standard SQL with double quotes, which DuckDB,
  Postgres, Redshift and Snowflake speak; the others have their own.
#}

{#- A name as SQL writes it, whatever is in it. -#}
{% macro t2s_quote(name) %}
  {%- if name is not string or not name or modules.re.search("[\\x00-\\x1f]", name) -%}
    {%- do exceptions.raise_compiler_error("this is no name of a column: " ~ tojson(name)) -%}
  {%- endif -%}
  {{ return(adapter.dispatch("t2s_quote", "dbt_t2s")(name)) }}
{% endmacro %}

{% macro default__t2s_quote(name) %}
  {{ return('"' ~ name.replace('"', '""') ~ '"') }}
{% endmacro %}

{% macro databricks__t2s_quote(name) %}
  {{ return("`" ~ name.replace("`", "``") ~ "`") }}
{% endmacro %}

{% macro bigquery__t2s_quote(name) %}
  {%- if modules.re.search("[.`\\\\]", name) -%}
    {%- do exceptions.raise_compiler_error("BigQuery has no such column: " ~ tojson(name)) -%}
  {%- endif -%}
  {{ return("`" ~ name ~ "`") }}
{% endmacro %}


{#- The warehouse's name for one of the types text, integer, float and timestamp. -#}
{% macro t2s_type(name) %}
  {{ return(adapter.dispatch("t2s_type", "dbt_t2s")()[name]) }}
{% endmacro %}

{% macro default__t2s_type() %}
  {{ return({
    "text": "varchar", "integer": "bigint", "float": "double precision", "timestamp": "timestamp",
  }) }}
{% endmacro %}

{% macro postgres__t2s_type() %}
  {{ return({
    "text": "text", "integer": "bigint", "float": "double precision", "timestamp": "timestamp",
  }) }}
{% endmacro %}

{% macro redshift__t2s_type() %}
  {{ return({
    "text": "varchar(65535)", "integer": "bigint", "float": "double precision",
    "timestamp": "timestamp",
  }) }}
{% endmacro %}

{% macro snowflake__t2s_type() %}
  {{ return({
    "text": "varchar", "integer": "bigint", "float": "double precision",
    "timestamp": "timestamp_ntz",
  }) }}
{% endmacro %}

{% macro databricks__t2s_type() %}
  {{ return({
    "text": "string", "integer": "bigint", "float": "double", "timestamp": "timestamp",
  }) }}
{% endmacro %}

{% macro bigquery__t2s_type() %}
  {{ return({
    "text": "string", "integer": "int64", "float": "float64", "timestamp": "timestamp",
  }) }}
{% endmacro %}


{#- At most so many rows of a relation: at random where that can be repeated, else the first. -#}
{% macro t2s_sample(relation, columns, rows) %}
  {{ return(adapter.dispatch("t2s_sample", "dbt_t2s")(relation, columns, rows)) }}
{% endmacro %}

{% macro default__t2s_sample(relation, columns, rows) %}
  {{ return("select " ~ columns | join(", ") ~ " from " ~ relation ~ " limit " ~ rows) }}
{% endmacro %}

{#- A sample comes in another order than the table, so it is taken only where one is needed. -#}
{% macro duckdb__t2s_sample(relation, columns, rows) %}
  {%- set counting = "select count(*) from " ~ relation -%}
  {%- set found = adapter.execute(counting, auto_begin=false, fetch=true)[1].rows[0][0] -%}
  {%- set sample = " using sample reservoir(" ~ rows ~ " rows) repeatable (0)" -%}
  {{ return(
    "select " ~ columns | join(", ") ~ " from " ~ relation ~ (sample if found > rows else "")
  ) }}
{% endmacro %}


{#- A number, date or time as text: decimal or ISO. -#}
{% macro t2s_shown(expression, kind) %}
  {{ return(adapter.dispatch("t2s_shown", "dbt_t2s")(expression, kind)) }}
{% endmacro %}

{% macro default__t2s_shown(expression, kind) %}
  {{ return("cast(" ~ expression ~ " as " ~ dbt_t2s.t2s_type("text") ~ ")") }}
{% endmacro %}

{#- Money is written with its sign and the thousands apart, unless it is made a number first. -#}
{% macro postgres__t2s_shown(expression, kind) %}
  {%- set plain = "cast(" ~ expression ~ " as numeric)" if kind == "number" else expression -%}
  {{ return("cast(" ~ plain ~ " as text)") }}
{% endmacro %}

{% macro redshift__t2s_shown(expression, kind) %}
  {{ return("cast(" ~ expression ~ " as varchar(65535))") }}
{% endmacro %}

{#- A session may write dates in any form there. -#}
{% macro snowflake__t2s_shown(expression, kind) %}
  {%- set form = {"date": "YYYY-MM-DD", "timestamp": "YYYY-MM-DD HH24:MI:SS"}.get(kind) -%}
  {{ return("to_varchar(" ~ expression ~ (", '" ~ form ~ "'" if form else "") ~ ")") }}
{% endmacro %}


{#- The order of texts by their bytes, so that it is the same in every database. -#}
{% macro t2s_by_bytes(expression) %}
  {{ return(adapter.dispatch("t2s_by_bytes", "dbt_t2s")(expression)) }}
{% endmacro %}

{% macro default__t2s_by_bytes(expression) %}
  {{ return(expression) }}
{% endmacro %}

{% macro postgres__t2s_by_bytes(expression) %}
  {{ return(expression ~ ' collate "C"') }}
{% endmacro %}

{% macro redshift__t2s_by_bytes(expression) %}
  {{ return(expression) }}
{% endmacro %}


{#-
  Statements that keep the next one from writing and from running longer than so many seconds,
  where the warehouse knows such; BigQuery's limit is in the profile.
-#}
{% macro t2s_guard(timeout) %}
  {{ return(adapter.dispatch("t2s_guard", "dbt_t2s")(timeout)) }}
{% endmacro %}

{% macro default__t2s_guard(timeout) %}
  {{ return([]) }}
{% endmacro %}

{#- dbt leaves no transaction open here, and without one these would hold for nothing. -#}
{% macro postgres__t2s_guard(timeout) %}
  {%- set limit = ["set local statement_timeout = " ~ timeout * 1000] if timeout else [] -%}
  {{ return(["begin transaction read only"] + limit) }}
{% endmacro %}

{% macro redshift__t2s_guard(timeout) %}
  {{ return(["set statement_timeout to " ~ timeout * 1000] if timeout else []) }}
{% endmacro %}

{% macro snowflake__t2s_guard(timeout) %}
  {%- set limit = "alter session set statement_timeout_in_seconds = " ~ timeout -%}
  {{ return([limit] if timeout else []) }}
{% endmacro %}

{% macro databricks__t2s_guard(timeout) %}
  {{ return(["set statement_timeout = " ~ timeout] if timeout else []) }}
{% endmacro %}
