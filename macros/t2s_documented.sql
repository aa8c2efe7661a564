{#
  A table is described well enough to be asked about: so many of its columns have a description,
  and so many have other words that people use (`meta.synonyms`). It fails with a row for each
  column that lacks what too few have.

    data_tests:
      - dbt_t2s.t2s_documented:
          arguments: {descriptions: 1, synonyms: 0.2}

  `columns` are those that count; without it all but keys and personal data, or, with
  `asked: true`, those of them that occur in the SQL that `t2s_log` kept.
#}
{% test t2s_documented(model, descriptions=1, synonyms=0, columns=none, asked=false) %}
  {%- set least = {
    "descriptions": dbt_t2s.t2s_share(descriptions, "descriptions"),
    "synonyms": dbt_t2s.t2s_share(synonyms, "synonyms"),
  } -%}
  {%- set node = dbt_t2s.t2s_tested(model) if execute else none -%}
  {%- set missing = [] -%}
  {%- if node is not none -%}
    {%- set missing = dbt_t2s.t2s_undocumented(node, least, columns, asked) -%}
  {%- endif -%}
  {{ dbt_t2s.t2s_missing_sql(missing) }}
{% endtest %}


{#- A share of 0 to 1, else an error. -#}
{% macro t2s_share(value, name) %}
  {%- if value is boolean or value is not number or value < 0 or value > 1 -%}
    {%- do exceptions.raise_compiler_error(
      name ~ " should be a share from 0 to 1, not " ~ tojson(value | string)
    ) -%}
  {%- endif -%}
  {{ return(value) }}
{% endmacro %}


{#- The node that a test is about; with a `where` it is told of in a query. -#}
{% macro t2s_tested(model) %}
  {%- set told = model | string -%}
  {%- set found = [] -%}
  {%- for node in (graph.nodes.values() | list) + (graph.sources.values() | list)
      if node.get("relation_name") and node.resource_type != "test"
      and (told == node.relation_name or told.startswith("(")
      and modules.re.search(modules.re.escape(node.relation_name) ~ "(\\s|$)", told)) -%}
    {%- do found.append(node) -%}
  {%- endfor -%}
  {%- if not found -%}
    {%- do exceptions.raise_compiler_error("there is no node " ~ told) -%}
  {%- endif -%}
  {{ return(found[0]) }}
{% endmacro %}


{#- [column, what it lacks] of everything that too few have. -#}
{% macro t2s_undocumented(node, least, columns, asked) %}
  {%- set counted = dbt_t2s.t2s_counted(node, columns, asked) -%}
  {%- set missing = [] -%}
  {%- if least.descriptions and not (node.description or "") | trim -%}
    {%- do missing.append([node.name, "the table has no description"]) -%}
  {%- endif -%}
  {%- for key, told in [["descriptions", "no description"], ["synonyms", "no synonyms"]] -%}
    {%- set without = [] -%}
    {%- for name in counted if not dbt_t2s.t2s_told(node, name, key) -%}
      {%- do without.append([name, told]) -%}
    {%- endfor -%}
    {%- if counted | length - without | length < least[key] * (counted | length) -%}
      {%- do missing.extend(without) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(missing) }}
{% endmacro %}


{#- The columns that count, as the warehouse has them, docs or not. -#}
{% macro t2s_counted(node, columns, asked) %}
  {%- set real = [] -%}
  {%- set relation = dbt_t2s.t2s_relation(node) -%}
  {%- if relation is not none -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
      {%- do real.append(column.name) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- set known = real or (node.columns.keys() | list) -%}
  {%- if columns is not none -%}
    {%- set lower = known | map("lower") | list -%}
    {%- for name in columns if name | lower not in lower -%}
      {%- do exceptions.raise_compiler_error(node.name ~ " has no column " ~ tojson(name)) -%}
    {%- endfor -%}
    {{ return(columns) }}
  {%- endif -%}
  {%- set words = dbt_t2s.t2s_asked_words() if asked else none -%}
  {%- set marks = dbt_t2s.t2s_marks(node) -%}
  {%- set found = [] -%}
  {%- for name in known
      if not dbt_t2s.t2s_is_key(node, name) and not marks.get(name | lower, false)
      and (words is none or name | lower in words) -%}
    {%- do found.append(name) -%}
  {%- endfor -%}
  {{ return(found) }}
{% endmacro %}


{#- The words of all SQL that was logged for this target. -#}
{% macro t2s_asked_words() %}
  {%- if dbt_t2s.t2s_existing("t2s_log") is none -%}
    {%- do exceptions.raise_compiler_error(
      "there is no table " ~ dbt_t2s.t2s_table("t2s_log")
      ~ "; make it with: dbt run-operation t2s_setup"
    ) -%}
  {%- endif -%}
  {%- set words = [] -%}
  {%- set statement = "select distinct sql_text from " ~ dbt_t2s.t2s_table("t2s_log")
      ~ " where sql_text is not null and target_name = " ~ dbt_t2s.t2s_literal(target.name) -%}
  {%- for row in adapter.execute(statement, auto_begin=false, fetch=true)[1].rows -%}
    {%- do words.extend(modules.re.findall("\\w+", row[0] | lower)) -%}
  {%- endfor -%}
  {{ return(words | unique | list) }}
{% endmacro %}


{#- Whether the docs of a column say it. -#}
{% macro t2s_told(node, name, key) %}
  {%- set docs = {} -%}
  {%- for column, said in node.columns.items() if column | lower == name | lower -%}
    {%- do docs.update(said) -%}
  {%- endfor -%}
  {%- if key == "descriptions" -%}
    {{ return(((docs.get("description") or "") | trim) != "") }}
  {%- endif -%}
  {%- set meta = dict(docs.get("meta") or {}, **((docs.get("config") or {}).get("meta") or {})) -%}
  {%- set own = meta.get("t2s") if meta.get("t2s") is mapping else {} -%}
  {{ return((meta.get("synonyms") or own.get("synonyms")) is not none) }}
{% endmacro %}


{#- Those rows as SQL; none is a query without rows. -#}
{% macro t2s_missing_sql(missing) %}
  {%- set parts = [] -%}
  {%- for name, told in missing -%}
    {%- do parts.append(
      "select " ~ dbt_t2s.t2s_typed(name, "text", "column") ~ " as column_name, "
      ~ dbt_t2s.t2s_typed(told, "text", "missing") ~ " as missing"
    ) -%}
  {%- endfor -%}
  {%- if not parts -%}
    {{ return(
      "select " ~ dbt_t2s.t2s_typed(none, "text", "column") ~ " as column_name, "
      ~ dbt_t2s.t2s_typed(none, "text", "missing") ~ " as missing limit 0"
    ) }}
  {%- endif -%}
  {{ return(parts | join("\nunion all\n")) }}
{% endmacro %}
