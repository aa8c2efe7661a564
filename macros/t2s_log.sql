{#
  Keeps a question and what was answered in the table `t2s_log` of the warehouse.

    dbt run-operation t2s_log --args '{question: "how many orders?", sql: "select 1 as n"}'

    T2S_JSON {"id": "…", "relation": "\"dev\".\"main\".\"t2s_log\""}
#}
{% macro t2s_log(
  question, sql=none, status="ok", reason=none, rows=none, latency_ms=none, confidence=none,
  model=none, execution_ms=none
) %}
  {%- do dbt_t2s.t2s_one_of(status, ["ok", "refused", "error"], "status") -%}
  {%- do dbt_t2s.t2s_text(question, "question") -%}
  {%- if status == "ok" -%}
    {%- do dbt_t2s.t2s_text(sql, "sql") -%}
  {%- endif -%}
  {%- if execute -%}
    {%- set now = dbt_t2s.t2s_now() -%}
    {%- set id = local_md5(invocation_id ~ now ~ question) -%}
    {%- do dbt_t2s.t2s_add("t2s_log", [[
      id, now, question | trim, status, sql, reason, rows, latency_ms, confidence, model,
      target.name, execution_ms,
    ]]) -%}
    {%- do dbt_t2s.t2s_say({"id": id, "relation": dbt_t2s.t2s_table("t2s_log") | string}) -%}
  {%- endif -%}
{% endmacro %}


{#
  The last answers in the table `t2s_log`, the last one of each question first; none without it.

    dbt run-operation t2s_questions --args '{limit: 100}'

    T2S_JSON {"questions": [{"question": "how many orders?", "sql": "select 1 as n"}]}
#}
{% macro t2s_questions(limit=1000) %}
  {%- set limit = dbt_t2s.t2s_whole(limit, 1, "limit") -%}
  {%- if execute -%}
    {%- set found = [] -%}
    {%- set met = [] -%}
    {%- if dbt_t2s.t2s_existing("t2s_log") is not none -%}
      {%- set statement = "select question, sql_text from " ~ dbt_t2s.t2s_table("t2s_log")
          ~ " where status = 'ok' and sql_text is not null and target_name = "
          ~ dbt_t2s.t2s_literal(target.name) ~ " order by logged_at desc" -%}
      {%- set answer = adapter.execute(statement, auto_begin=false, fetch=true, limit=limit)[1] -%}
      {%- for row in answer.rows if row[0] not in met -%}
        {%- do met.append(row[0]) -%}
        {%- do found.append({"question": row[0], "sql": row[1]}) -%}
      {%- endfor -%}
    {%- endif -%}
    {%- do dbt_t2s.t2s_say({"questions": found}) -%}
  {%- endif -%}
{% endmacro %}


{#
  Keeps what a person said of an answer in the table `t2s_feedback`: that it is right or wrong, or
  that there should be none (should_refuse); and the right SQL of a wrong one where they know it,
  which is one SELECT that only reads.

    dbt run-operation t2s_feedback --args '{question: "how many orders?", verdict: wrong,
      corrected: "select count(*) from orders where not is_cancelled"}'
#}
{% macro t2s_feedback(
  question, verdict, sql=none, corrected=none, note=none, person=none, log_id=none
) %}
  {%- do dbt_t2s.t2s_one_of(verdict, ["right", "wrong", "should_refuse"], "verdict") -%}
  {%- do dbt_t2s.t2s_text(question, "question") -%}
  {%- if corrected is not none and verdict != "wrong" -%}
    {%- do exceptions.raise_compiler_error(
      "the verdict " ~ verdict ~ " needs no corrected SQL"
    ) -%}
  {%- endif -%}
  {%- set corrected = none if corrected is none else dbt_t2s.t2s_one_select(corrected) -%}
  {%- if execute -%}
    {%- set now = dbt_t2s.t2s_now() -%}
    {%- set id = local_md5(invocation_id ~ now ~ question) -%}
    {%- do dbt_t2s.t2s_add("t2s_feedback", [[
      id, now, question | trim, verdict, sql, corrected, note, person, target.name, log_id,
    ]]) -%}
    {%- do dbt_t2s.t2s_say({"id": id, "relation": dbt_t2s.t2s_table("t2s_feedback") | string}) -%}
  {%- endif -%}
{% endmacro %}


{#
  What `log: warehouse` keeps: rows of `t2s_log` and `t2s_feedback` by the names of their columns,
  with ids and times of their own. Tables that are not there are made; ids that are there already
  are not added again.

    T2S_JSON {"t2s_log": 2, "t2s_feedback": 0}
#}
{% macro t2s_keep(asked=none, said=none) %}
  {%- if execute -%}
    {%- set kept = {} -%}
    {%- for name, given in [["t2s_log", asked or []], ["t2s_feedback", said or []]] -%}
      {%- do dbt_t2s.t2s_make(name) -%}
      {%- do kept.update({name: dbt_t2s.t2s_keep_rows(name, given)}) -%}
    {%- endfor -%}
    {%- do dbt_t2s.t2s_say(kept) -%}
  {%- endif -%}
{% endmacro %}

{#- Adds those of the rows whose ids are new; how many these were. -#}
{% macro t2s_keep_rows(name, given) %}
  {%- set ids = [] -%}
  {%- for row in given -%}
    {%- do ids.append(dbt_t2s.t2s_literal(row.id)) -%}
  {%- endfor -%}
  {%- set there = [] -%}
  {%- if ids -%}
    {%- set statement = "select id from " ~ dbt_t2s.t2s_table(name) ~ " where id in ("
        ~ ids | join(", ") ~ ")" -%}
    {%- for row in adapter.execute(statement, auto_begin=false, fetch=true)[1].rows -%}
      {%- do there.append(row[0]) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- set rows = [] -%}
  {%- for row in given if row.id not in there -%}
    {%- set values = [] -%}
    {%- for column, _ in dbt_t2s.t2s_tables()[name] -%}
      {%- do values.append(row.get(column)) -%}
    {%- endfor -%}
    {%- do there.append(row.id) -%}
    {%- do rows.append(values) -%}
  {%- endfor -%}
  {%- if rows -%}
    {%- do dbt_t2s.t2s_add(name, rows) -%}
  {%- endif -%}
  {{ return(rows | length) }}
{% endmacro %}


{#
  Rows of `t2s_log` or `t2s_feedback` that this target keeps, the newest first, from the row
  `skip` on; none where there is no such table.

    dbt run-operation t2s_kept --args '{name: t2s_log, limit: 100}'

    T2S_JSON {"columns": ["id", …], "rows": [["…", …]]}
#}
{% macro t2s_kept(name, limit=1000, skip=0) %}
  {%- do dbt_t2s.t2s_one_of(name, ["t2s_log", "t2s_feedback"], "name") -%}
  {%- set limit = dbt_t2s.t2s_whole(limit, 1, "limit") -%}
  {%- set skip = dbt_t2s.t2s_whole(skip, 0, "skip") -%}
  {%- if execute -%}
    {%- set existing = dbt_t2s.t2s_existing(name) -%}
    {%- set columns = [] -%}
    {%- set rows = [] -%}
    {%- if existing is not none -%}
      {%- set there = adapter.get_columns_in_relation(existing) | map(attribute="name")
          | map("lower") | list -%}
      {%- for column, _ in dbt_t2s.t2s_tables()[name] if column in there -%}
        {%- do columns.append(column) -%}
      {%- endfor -%}
      {%- set time = "logged_at" if name == "t2s_log" else "recorded_at" -%}
      {%- set statement = "select " ~ columns | join(", ") ~ " from " ~ existing
          ~ " where target_name = " ~ dbt_t2s.t2s_literal(target.name) ~ " order by " ~ time
          ~ " desc, id limit " ~ limit ~ " offset " ~ skip -%}
      {%- for row in adapter.execute(statement, auto_begin=false, fetch=true)[1].rows -%}
        {%- set values = [] -%}
        {%- for value in row -%}
          {%- do values.append(dbt_t2s.t2s_json_value(value)) -%}
        {%- endfor -%}
        {%- do rows.append(values) -%}
      {%- endfor -%}
    {%- endif -%}
    {%- do dbt_t2s.t2s_say({"columns": columns, "rows": rows}) -%}
  {%- endif -%}
{% endmacro %}


{#- An error unless the value is one of those. -#}
{% macro t2s_one_of(value, known, name) %}
  {%- if value not in known -%}
    {%- do exceptions.raise_compiler_error(
      name ~ " should be one of " ~ known | join(", ") ~ ", not " ~ tojson(value | string)
    ) -%}
  {%- endif -%}
{% endmacro %}


{#- An error unless the value is a text with something in it. -#}
{% macro t2s_text(value, name) %}
  {%- if value is not string or not value | trim -%}
    {%- do exceptions.raise_compiler_error(
      name ~ " should be a text, not " ~ tojson(value | string)
    ) -%}
  {%- endif -%}
{% endmacro %}
