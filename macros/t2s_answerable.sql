{#
  Questions that a model helps to answer still get these answers. The SQL of each runs in the
  warehouse; no model is asked, so this needs nothing but dbt.

    data_tests:
      - dbt_t2s.t2s_answerable:
          arguments:
            questions:
              - question: How many orders are there for each status?
                sql: "select status, count(*) from {{ ref('orders') }} group by status"
                rows: [[paid, 40], [open, 40], [cancelled, 40]]
              - question: How many customers have never ordered?
                count: 1

  Without `sql` it is the SQL that was last logged for the question with `t2s_log` (by this target).
  `rows` is the whole answer, in any order: numbers to a millionth, whole numbers exactly, dates in
  ISO form, null. `count` is how many rows there are, `at_least` how many at least.
#}
{% test t2s_answerable(model, questions) %}
  {%- do dbt_t2s.t2s_check_questions(questions) -%}
  {%- set logged = dbt_t2s.t2s_logged(questions) if execute else {} -%}
  {{ dbt_t2s.t2s_answerable_sql(questions, logged) }}
{% endtest %}


{#- An error where a question is not one. -#}
{% macro t2s_check_questions(questions) %}
  {%- if questions is string or questions is mapping or questions is not sequence
      or not questions -%}
    {%- do exceptions.raise_compiler_error("questions should be a list of questions") -%}
  {%- endif -%}
  {%- for each in questions -%}
    {%- if each is not mapping -%}
      {%- do exceptions.raise_compiler_error("a question should be {question, sql, rows}") -%}
    {%- endif -%}
    {%- do dbt_t2s.t2s_text(each.get("question"), "question") -%}
    {%- for key in each if key not in ["question", "sql", "rows", "count", "at_least"] -%}
      {%- do exceptions.raise_compiler_error(
        "the question " ~ tojson(each.question) ~ " has an unknown key " ~ tojson(key)
        ~ "; known are question, sql, rows, count, at_least"
      ) -%}
    {%- endfor -%}
    {%- if each.keys() | select("in", ["rows", "count", "at_least"]) | list | length != 1 -%}
      {%- do exceptions.raise_compiler_error(
        "the question " ~ tojson(each.question) ~ " wants one of rows, count and at_least"
      ) -%}
    {%- endif -%}
    {%- if "rows" in each -%}
      {%- do dbt_t2s.t2s_check_rows(each.question, each.rows) -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}


{#- An error unless these are rows of one width. -#}
{% macro t2s_check_rows(question, rows) %}
  {%- set why = "the rows of the question " ~ tojson(question) ~ " should be lists of one length;"
      ~ " for an answer without rows write `count: 0`" -%}
  {%- if rows is string or rows is mapping or rows is not sequence or not rows -%}
    {%- do exceptions.raise_compiler_error(why) -%}
  {%- endif -%}
  {%- for row in rows -%}
    {%- if row is string or row is mapping or row is not sequence or not row
        or row | length != rows[0] | length -%}
      {%- do exceptions.raise_compiler_error(why) -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}


{#- The SQL that was last logged for the questions that have none of their own. -#}
{% macro t2s_logged(questions) %}
  {%- set asked = [] -%}
  {%- for each in questions if not each.get("sql") -%}
    {%- do asked.append(dbt_t2s.t2s_literal(each.question | trim)) -%}
  {%- endfor -%}
  {%- set found = {} -%}
  {%- if asked and dbt_t2s.t2s_existing("t2s_log") is not none -%}
    {%- set statement = "select question, sql_text from " ~ dbt_t2s.t2s_table("t2s_log")
        ~ " where status = 'ok' and target_name = " ~ dbt_t2s.t2s_literal(target.name)
        ~ " and question in (" ~ asked | join(", ") ~ ") order by logged_at" -%}
    {%- for row in adapter.execute(statement, auto_begin=false, fetch=true)[1].rows -%}
      {%- do found.update({row[0]: row[1]}) -%}
    {%- endfor -%}
  {%- endif -%}
  {{ return(found) }}
{% endmacro %}


{#- A row for each question whose answer is another: what was expected and what there is. -#}
{% macro t2s_answerable_sql(questions, logged) %}
  {%- set parts = [] -%}
  {%- for each in questions -%}
    {%- set statement = each.get("sql") or logged.get(each.question | trim) -%}
    {%- set question = dbt_t2s.t2s_typed(each.question | trim, "text", "question") -%}
    {%- if statement -%}
      {%- set statement = dbt_t2s.t2s_one_select(statement) -%}
      {%- do parts.append(dbt_t2s.t2s_answer_sql(each, question, statement)) -%}
    {%- else -%}
      {%- do parts.append(
        "select " ~ question ~ " as question, "
        ~ dbt_t2s.t2s_typed("SQL: none is given, and none is logged", "text", "expected")
        ~ " as expected, "
        ~ dbt_t2s.t2s_typed(none, "integer", "found_rows") ~ " as found_rows, "
        ~ dbt_t2s.t2s_typed(none, "integer", "missing_rows") ~ " as missing_rows"
      ) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(parts | join("\nunion all\n")) }}
{% endmacro %}


{#- One question: its SQL runs once, and each expected row is counted in what comes out. -#}
{% macro t2s_answer_sql(asked, question, statement) %}
  {%- set counts = ["count(*) as found_rows"] -%}
  {%- set right = [] -%}
  {%- set missing = [] -%}
  {%- set source = "(\n" ~ statement ~ "\n)" -%}
  {%- if "rows" in asked -%}
    {%- set nothing = [] -%}
    {%- for _ in asked.rows[0] -%}
      {%- do nothing.append("null as c" ~ loop.index0) -%}
    {%- endfor -%}
    {#- The union names the columns, and refuses an answer of another width. -#}
    {%- set source = "(\n(select " ~ nothing | join(", ") ~ " limit 0)\nunion all\n" ~ source
        ~ "\n)" -%}
    {%- set apart = [] -%}
    {%- for row in asked.rows if row not in apart -%}
      {%- do apart.append(row) -%}
    {%- endfor -%}
    {%- for row in apart -%}
      {%- set times = asked.rows | select("eq", row) | list | length -%}
      {%- set place = "m" ~ loop.index0 -%}
      {%- set cells = [] -%}
      {%- for value in row -%}
        {%- do cells.append(dbt_t2s.t2s_same_sql("c" ~ loop.index0, value)) -%}
      {%- endfor -%}
      {%- do counts.append(
        "coalesce(sum(case when " ~ cells | join(" and ") ~ " then 1 else 0 end), 0) as " ~ place
      ) -%}
      {%- do right.append(place ~ " = " ~ times) -%}
      {%- do missing.append("case when " ~ place ~ " = " ~ times ~ " then 0 else 1 end") -%}
    {%- endfor -%}
    {%- set shown = asked.rows | length ~ " rows: " ~ dbt_t2s.t2s_shown_rows(asked.rows) -%}
    {%- do right.append("found_rows = " ~ asked.rows | length) -%}
  {%- elif "count" in asked -%}
    {%- set wanted = dbt_t2s.t2s_whole(asked["count"], 0, "count") -%}
    {%- set shown = wanted ~ " rows" -%}
    {%- do right.append("found_rows = " ~ wanted) -%}
  {%- else -%}
    {%- set wanted = dbt_t2s.t2s_whole(asked.at_least, 1, "at_least") -%}
    {%- set shown = "at least " ~ wanted ~ " rows" -%}
    {%- do right.append("found_rows >= " ~ wanted) -%}
  {%- endif -%}
  {{ return(
    "select " ~ question ~ " as question, " ~ dbt_t2s.t2s_typed(shown[:500], "text", "expected")
    ~ " as expected, found_rows, " ~ (missing | join(" + ") or "0")
    ~ " as missing_rows\nfrom (select " ~ counts | join(", ") ~ " from " ~ source
    ~ " as t2s_got) as t2s_counted\nwhere not ("
    ~ right | join(" and ") ~ ")"
  ) }}
{% endmacro %}


{#- Rows as a person reads them, dates too. -#}
{% macro t2s_shown_rows(rows) %}
  {%- set shown = [] -%}
  {%- for row in rows -%}
    {%- set cells = [] -%}
    {%- for value in row -%}
      {%- do cells.append(dbt_t2s.t2s_json_value(value)) -%}
    {%- endfor -%}
    {%- do shown.append(cells) -%}
  {%- endfor -%}
  {{ return(tojson(shown)) }}
{% endmacro %}


{#- Whether a column has the expected value: by value for numbers, dates and times. -#}
{% macro t2s_same_sql(column, value) %}
  {%- if value is none -%}
    {{ return(column ~ " is null") }}
  {%- elif value is boolean -%}
    {{ return(column ~ " = " ~ value | lower) }}
  {%- elif value is number -%}
    {%- set near = 1e-9 if value is integer else 1e-6 -%}
    {%- set distance = [1.0, value | abs | float] | max * near -%}
    {{ return(
      "abs(cast(" ~ column ~ " as " ~ dbt_t2s.t2s_type("float") ~ ") - "
      ~ dbt_t2s.t2s_typed(value, "float", "a value") ~ ") <= " ~ "%.12f" | format(distance)
    ) }}
  {%- endif -%}
  {%- set text = "cast(" ~ column ~ " as " ~ dbt_t2s.t2s_type("text") ~ ")" -%}
  {%- set value = value | string -%}
  {%- if modules.re.match("\\d{4}-\\d\\d-\\d\\d$", value) -%}
    {#- A day may come as the moment at which it begins. -#}
    {{ return(
      "(" ~ text ~ " = " ~ dbt_t2s.t2s_literal(value) ~ " or " ~ text ~ " like "
      ~ dbt_t2s.t2s_literal(value ~ "_00:00:00%") ~ ")"
    ) }}
  {%- endif -%}
  {{ return(text ~ " = " ~ dbt_t2s.t2s_literal(value)) }}
{% endmacro %}
