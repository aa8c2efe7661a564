{#
  The tables of this package in the project's warehouse: what was asked, what people said of the
  answers, and how the schema changed. They lie in the target's schema, or in the one that the
  setting `log_schema` names, and may be queried and tested like any other table.

    dbt run-operation t2s_setup

    T2S_JSON {"tables": [{"relation": "\"dev\".\"main\".\"t2s_log\"", "made": true}, …]}
#}
{% macro t2s_setup() %}
  {%- if execute -%}
    {%- set made = [] -%}
    {%- for name in dbt_t2s.t2s_tables() -%}
      {%- set relation = dbt_t2s.t2s_table(name) | string -%}
      {%- do made.append({"relation": relation, "made": dbt_t2s.t2s_make(name)}) -%}
    {%- endfor -%}
    {%- do dbt_t2s.t2s_say({"tables": made}) -%}
  {%- endif -%}
{% endmacro %}


{#- The columns of each table: names that are reserved nowhere, and types of `t2s_type`. -#}
{% macro t2s_tables() %}
  {{ return({
    "t2s_log": [
      ["id", "text"], ["logged_at", "timestamp"], ["question", "text"], ["status", "text"],
      ["sql_text", "text"], ["reason", "text"], ["row_count", "integer"],
      ["latency_ms", "float"], ["confidence", "float"], ["model", "text"],
      ["target_name", "text"], ["execution_ms", "float"],
    ],
    "t2s_feedback": [
      ["id", "text"], ["recorded_at", "timestamp"], ["question", "text"], ["verdict", "text"],
      ["sql_text", "text"], ["corrected_sql", "text"], ["note", "text"], ["person", "text"],
      ["target_name", "text"], ["log_id", "text"],
    ],
    "t2s_schema_history": [
      ["recorded_at", "timestamp"], ["run_id", "text"], ["target_name", "text"],
      ["node", "text"], ["relation", "text"], ["fingerprint", "text"], ["column_list", "text"],
    ],
  }) }}
{% endmacro %}


{#- Where one of the tables is, or would be. -#}
{% macro t2s_table(name) %}
  {%- set schema = var("t2s", {}).get("log_schema") or target.schema -%}
  {%- if schema is not string -%}
    {%- do exceptions.raise_compiler_error(
      "vars.t2s.log_schema should be a name, not " ~ tojson(schema | string)
    ) -%}
  {%- endif -%}
  {{ return(api.Relation.create(database=target.database, schema=schema, identifier=name)) }}
{% endmacro %}


{#- The table as it is in the warehouse; none where it is not. -#}
{% macro t2s_existing(name) %}
  {%- set wanted = dbt_t2s.t2s_table(name) -%}
  {{ return(adapter.get_relation(
    database=wanted.database, schema=wanted.schema, identifier=wanted.identifier
  )) }}
{% endmacro %}


{#- Makes a table that is not there yet, and columns that an older one lacks; whether it made one. -#}
{% macro t2s_make(name) %}
  {%- set existing = dbt_t2s.t2s_existing(name) -%}
  {%- if existing is not none -%}
    {%- set there = adapter.get_columns_in_relation(existing) | map(attribute="name")
        | map("lower") | list -%}
    {%- for column, kind in dbt_t2s.t2s_tables()[name] if column not in there -%}
      {%- do dbt_t2s.t2s_write(
        "alter table " ~ existing ~ " add column " ~ column ~ " " ~ dbt_t2s.t2s_type(kind)
      ) -%}
    {%- endfor -%}
    {{ return(false) }}
  {%- endif -%}
  {%- set relation = dbt_t2s.t2s_table(name) -%}
  {#- To make a schema that is there can need more rights than to use it. -#}
  {%- if not adapter.check_schema_exists(relation.database, relation.schema) -%}
    {%- do adapter.create_schema(relation.without_identifier()) -%}
  {%- endif -%}
  {%- do dbt_t2s.t2s_write(dbt_t2s.t2s_table_sql(relation, dbt_t2s.t2s_tables()[name])) -%}
  {%- do adapter.cache_added(relation) -%}
  {{ return(true) }}
{% endmacro %}


{#- The statement that makes one of the tables. -#}
{% macro t2s_table_sql(relation, columns) %}
  {%- set written = [] -%}
  {%- for name, kind in columns -%}
    {%- do written.append(name ~ " " ~ dbt_t2s.t2s_type(kind)) -%}
  {%- endfor -%}
  {{ return("create table if not exists " ~ relation ~ " (" ~ written | join(", ") ~ ")") }}
{% endmacro %}


{#- Adds rows (a list of values in the order of the columns each) to one of the tables. -#}
{% macro t2s_add(name, rows) %}
  {%- if dbt_t2s.t2s_existing(name) is none -%}
    {%- do exceptions.raise_compiler_error(
      "there is no table " ~ dbt_t2s.t2s_table(name) ~ "; make it with: dbt run-operation t2s_setup"
    ) -%}
  {%- endif -%}
  {%- set columns = dbt_t2s.t2s_tables()[name] -%}
  {%- do dbt_t2s.t2s_write(dbt_t2s.t2s_insert_sql(dbt_t2s.t2s_table(name), columns, rows)) -%}
{% endmacro %}


{#- The statement that adds rows. -#}
{% macro t2s_insert_sql(relation, columns, rows) %}
  {%- set selects = [] -%}
  {%- for row in rows -%}
    {%- set values = [] -%}
    {%- for name, kind in columns -%}
      {%- do values.append(dbt_t2s.t2s_typed(row[loop.index0], kind, name)) -%}
    {%- endfor -%}
    {%- do selects.append("select " ~ values | join(", ")) -%}
  {%- endfor -%}
  {{ return(
    "insert into " ~ relation ~ " (" ~ columns | map("first") | join(", ") ~ ")\n"
    ~ selects | join("\nunion all ")
  ) }}
{% endmacro %}


{#- Runs a statement of ours that writes, and keeps what it wrote. -#}
{% macro t2s_write(sql) %}
  {%- call statement("t2s_write", fetch_result=false, auto_begin=true) -%}
    {{ sql }}
  {%- endcall -%}
  {%- do adapter.commit() -%}
{% endmacro %}
