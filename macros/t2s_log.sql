{#
  Keeps a question and what was answered in the table `t2s_log` of the warehouse.

    dbt run-operation t2s_log --args '{question: "how many orders?", sql: "select 1 as n"}'

    T2S_JSON {"id": "…", "relation": "\"dev\".\"main\".\"t2s_log\""}
#}
{% macro t2s_log(
  question, sql=none, status="ok", reason=none, rows=none, latency_ms=none, confidence=none,
  model=none
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
      target.name,
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
  question, verdict, sql=none, corrected=none, note=none, person=none
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
      id, now, question | trim, verdict, sql, corrected, note, person, target.name,
    ]]) -%}
    {%- do dbt_t2s.t2s_say({"id": id, "relation": dbt_t2s.t2s_table("t2s_feedback") | string}) -%}
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
