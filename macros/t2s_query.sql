{#
  Runs one SELECT on the project's own warehouse and prints the result as one line:

    T2S_JSON {"columns": [...], "rows": [[...], ...], "truncated": false}

  A macro's return value is lost on the command line; a logged line is not.

    dbt run-operation t2s_query --args '{sql: "select count(*) as n from orders", limit: 10}'
#}
{% macro t2s_query(sql, limit=100, timeout=0) %}
  {%- set limit = dbt_t2s.t2s_whole(limit, 1, "limit") -%}
  {%- set timeout = dbt_t2s.t2s_whole(timeout, 0, "timeout") -%}
  {%- set statement = dbt_t2s.t2s_one_select(sql) -%}
  {%- if execute -%}
    {#- One row more than asked for tells whether there were more. -#}
    {%- set answer = dbt_t2s.t2s_guarded(statement, timeout, limit + 1) -%}
    {%- set rows = [] -%}
    {%- for row in answer.rows[:limit] -%}
      {%- set cells = [] -%}
      {%- for value in row -%}
        {%- do cells.append(dbt_t2s.t2s_json_value(value)) -%}
      {%- endfor -%}
      {%- do rows.append(cells) -%}
    {%- endfor -%}
    {%- set result = {
      "columns": answer.column_names | list,
      "rows": rows,
      "truncated": answer.rows | length > limit,
    } -%}
    {%- do dbt_t2s.t2s_say(result) -%}
  {%- endif -%}
{% endmacro %}


{#-
  The statement without its last semicolon if it is one SELECT that only reads, else an error.

  A macro has no parser, so it refuses whatever could hide a second statement from it (comments,
  dollar quotes, escaped quotes) and every word that writes. It is a second wall: the first is that
  the profile's role may only read.
-#}
{% macro t2s_one_select(sql) %}
  {%- set re = modules.re -%}
  {%- set statement = (sql | string | trim).rstrip(";") | trim -%}
  {%- set strings = re.compile("'(?:[^']|'')*'") -%}
  {%- set names = re.compile('"(?:[^"]|"")*"|`[^`]*`') -%}
  {%- set bare = names.sub('"name"', strings.sub("'text'", statement)) | lower -%}
  {#- Within one SELECT only these can write; words such as SET or LOAD may be column names. -#}
  {%- set writes = "insert|update|delete|merge|into|create|alter|drop|truncate|grant|copy|attach" -%}
  {%- set reaches = "(?:read_\\w+|parquet_scan|sniff_csv|glob|query|query_table|getenv"
      ~ "|pg_read_\\w+|pg_sleep|lo_import|dblink)\\s*\\(" -%}

  {%- if not re.match("(select|with)\\b", bare) -%}
    {%- do dbt_t2s.t2s_refuse("it is not a SELECT") -%}
  {%- elif ";" in bare -%}
    {%- do dbt_t2s.t2s_refuse("it holds more than one statement") -%}
  {%- elif not dbt_t2s.t2s_is_closed(bare) -%}
    {%- do dbt_t2s.t2s_refuse("its quotes or parentheses do not match") -%}
  {%- elif re.search("--|/\\*|#|\\$\\w*\\$", bare) or re.search("\\\\['\"]", statement) -%}
    {%- do dbt_t2s.t2s_refuse("it holds a comment, a dollar quote or an escaped quote") -%}
  {%- elif re.search("\\b(" ~ writes ~ ")\\b", bare) -%}
    {%- set word = re.search("\\b(" ~ writes ~ ")\\b", bare).group(0) -%}
    {%- do dbt_t2s.t2s_refuse("it holds " ~ word | upper) -%}
  {%- elif re.search("\\b" ~ reaches, bare) or re.search("\\b(from|join)\\s*'", bare) -%}
    {%- do dbt_t2s.t2s_refuse("it reads outside the warehouse") -%}
  {%- endif -%}
  {{ return(statement) }}
{% endmacro %}


{#-
  Whether all parentheses and quotes of a statement without its texts and names close what was
  opened in it: it is put into parentheses of ours, which it must not leave.
-#}
{% macro t2s_is_closed(bare) %}
  {%- set open = [] -%}
  {%- for each in modules.re.findall("[()]", bare) -%}
    {%- if each == "(" -%}
      {%- do open.append(each) -%}
    {%- elif not open -%}
      {{ return(false) }}
    {%- else -%}
      {%- do open.pop() -%}
    {%- endif -%}
  {%- endfor -%}
  {%- set quotes = bare.replace("'text'", "").replace('"name"', "") -%}
  {{ return(not open and not modules.re.search("[\"'`]", quotes)) }}
{% endmacro %}


{% macro t2s_refuse(why) %}
  {%- do exceptions.raise_compiler_error("it should be one SELECT that only reads; " ~ why) -%}
{% endmacro %}


{#- Numbers that JSON has stay numbers, NULL stays null, everything else becomes text. -#}
{% macro t2s_json_value(value) %}
  {%- if value is none or value is boolean or value is string -%}
    {{ return(value) }}
  {%- elif value is number -%}
    {%- if value | string | lower in ["nan", "inf", "infinity", "-inf", "-infinity"] -%}
      {{ return(value | string) }}
    {%- endif -%}
    {%- set is_whole = value | abs < 1e30 and value == value | int -%}
    {{ return(value | int if is_whole else value | float) }}
  {%- endif -%}
  {{ return(value | string) }}
{% endmacro %}
