{#
  Looks at the project's tables, one query each, and prints one line a table:

    T2S_JSON {"table": "model.shop.orders", "rows": 120, "seen": 120, "columns": [
      {"name": "status", "kind": "text", "look": "values", "filled": 120, "distinct": 3,
       "minimum": null, "maximum": null, "length": 5.3,
       "values": [["paid", 40], …], "shapes": [["aaaa", 120]]}, …]}

  Of a table that is not built it says so: {"table": …, "error": …}. Of personal data only counts
  are taken, of keys and prose no values; `shapes` are values with every letter and digit masked.

    dbt run-operation t2s_profile --args '{tables: [orders, tag:mart], rows: 100000}'
#}
{% macro t2s_profile(tables=none, rows=1000000, personal={}, columns={}, timeout=0) %}
  {%- set rows = dbt_t2s.t2s_whole(rows, 1, "rows") -%}
  {%- set timeout = dbt_t2s.t2s_whole(timeout, 0, "timeout") -%}
  {%- if execute -%}
    {#- Everything is checked before anything is run. -#}
    {%- set nodes = dbt_t2s.t2s_nodes(tables) -%}
    {%- set private = dbt_t2s.t2s_of_nodes(personal, "personal") -%}
    {%- set given = dbt_t2s.t2s_of_nodes(columns, "columns") -%}
    {%- for listed in given.values() -%}
      {%- do dbt_t2s.t2s_check_columns(listed) -%}
    {%- endfor -%}
    {%- for node in nodes -%}
      {%- set relation = dbt_t2s.t2s_relation(node) -%}
      {%- if relation is none -%}
        {%- do dbt_t2s.t2s_say_missing(node) -%}
      {%- else -%}
        {%- set wanted = given.get(node.unique_id) -%}
        {%- if wanted is none -%}
          {%- set wanted = dbt_t2s.t2s_wanted(node, relation, private.get(node.unique_id, [])) -%}
        {%- endif -%}
        {%- set seen = dbt_t2s.t2s_look(node.unique_id, relation, wanted, rows, timeout) -%}
        {%- do dbt_t2s.t2s_say(seen) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}


{#- A mapping from nodes, however they are named, to lists: by unique id. -#}
{% macro t2s_of_nodes(given, name) %}
  {%- if given is not mapping -%}
    {%- do exceptions.raise_compiler_error(name ~ " should map tables to lists of columns") -%}
  {%- endif -%}
  {%- set found = {} -%}
  {%- for table, listed in given.items() -%}
    {%- if listed is string or listed is mapping or listed is not sequence -%}
      {%- do exceptions.raise_compiler_error(name ~ " of " ~ table ~ " should be a list") -%}
    {%- endif -%}
    {%- for node in dbt_t2s.t2s_nodes([table]) -%}
      {%- do found.update({node.unique_id: found.get(node.unique_id, []) + listed}) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{ return(found) }}
{% endmacro %}


{#- An error unless each is {name, kind, look}: values, shapes (no values) or counts alone. -#}
{% macro t2s_check_columns(columns) %}
  {%- set kinds = ["number", "text", "date", "timestamp", "boolean", "other"] -%}
  {%- for each in columns -%}
    {%- if each is not mapping or each.get("kind") not in kinds
        or each.get("look") not in ["values", "shapes", "counts"] -%}
      {%- do exceptions.raise_compiler_error(
        "a column should be {name, kind, look}, not " ~ tojson(each)
      ) -%}
    {%- endif -%}
    {%- do dbt_t2s.t2s_quote(each.name) -%}
  {%- endfor -%}
{% endmacro %}


{#- What to ask of a relation's columns, by their types, names and docs. -#}
{% macro t2s_wanted(node, relation, personal) %}
  {%- set marks = dbt_t2s.t2s_marks(node) -%}
  {%- set personal = personal | map("lower") | list -%}
  {%- set wanted = [] -%}
  {%- for column in adapter.get_columns_in_relation(relation) -%}
    {%- set kind = dbt_t2s.t2s_kind(column.data_type) -%}
    {%- set lower = column.name | lower -%}
    {%- set whole = marks.get("*", false) and kind in ["text", "other"] -%}
    {%- if lower in personal or marks.get(lower, whole) -%}
      {%- set look = "counts" -%}
    {%- else -%}
      {%- set look = "shapes" if dbt_t2s.t2s_is_key(node, column.name) else "values" -%}
    {%- endif -%}
    {%- do wanted.append({"name": column.name, "kind": kind, "look": look}) -%}
  {%- endfor -%}
  {%- set names = wanted | map(attribute="name") | map("lower") | list -%}
  {%- for name in personal if name not in names -%}
    {%- do exceptions.raise_compiler_error(
      node.name ~ " has no column " ~ tojson(name) ~ ", said to be personal"
    ) -%}
  {%- endfor -%}
  {{ return(wanted) }}
{% endmacro %}


{#- What the data says of one relation; so many columns a query that a warehouse can take it. -#}
{% macro t2s_look(table, relation, wanted, rows, timeout) %}
  {%- set counted = {"table": table, "rows": 0, "seen": 0, "columns": []} -%}
  {%- set most = 50 -%}
  {%- for batch in (wanted | batch(most) | list) or [[]] -%}
    {%- set found = dbt_t2s.t2s_guarded(dbt_t2s.t2s_profile_sql(relation, batch, rows), timeout) -%}
    {%- set columns = [] -%}
    {%- for each in batch -%}
      {%- do columns.append(dict(each, values=[], shapes=[])) -%}
    {%- endfor -%}
    {%- for place, part, n, d, lo, hi, length in found.rows -%}
      {%- if part == "rows" -%}
        {%- do counted.update({"rows": n | int, "seen": d | int}) -%}
      {%- elif part == "counts" -%}
        {%- do columns[place | int].update({
          "filled": n | int,
          "distinct": none if d is none else d | int,
          "minimum": lo,
          "maximum": hi,
          "length": none if length is none else length | float,
        }) -%}
      {%- else -%}
        {%- do columns[place | int][part].append([lo, n | int]) -%}
      {%- endif -%}
    {%- endfor -%}
    {%- do counted.columns.extend(columns) -%}
  {%- endfor -%}
  {{ return(counted) }}
{% endmacro %}


{#- The rows of a statement of ours, under the guards that the warehouse knows. -#}
{% macro t2s_guarded(statement, timeout=0, limit=none) %}
  {%- for guard in dbt_t2s.t2s_guard(timeout) -%}
    {%- do adapter.execute(guard, auto_begin=false, fetch=false) -%}
  {%- endfor -%}
  {{ return(adapter.execute(statement, auto_begin=false, fetch=true, limit=limit)[1]) }}
{% endmacro %}


{#-
  One query for all that is wanted of a relation. Its rows are (place, part, n, d, lo, hi, length):
  `rows` says how many there are and were seen, `counts` a column's filled and distinct rows, range
  and mean length, `values` and `shapes` one value (lo) and how often it occurs.
-#}
{% macro t2s_profile_sql(relation, wanted, rows) %}
  {%- set names = [] -%}
  {%- set counts = ["count(*) as seen"] -%}
  {%- set no_text, no_number = "cast(null as " ~ dbt_t2s.t2s_type("text") ~ ")", "cast(null as "
      ~ dbt_t2s.t2s_type("integer") ~ ")" -%}
  {%- set no_length = "cast(null as " ~ dbt_t2s.t2s_type("float") ~ ")" -%}
  {%- set parts = [
    "select -1 as place, 'rows' as part, (select count(*) from " ~ relation ~ ") as n, seen as d, "
    ~ no_text ~ " as lo, " ~ no_text ~ " as hi, " ~ no_length ~ " as length from t2s_counts"
  ] -%}
  {%- for each in wanted -%}
    {%- set i, column, ranged = loop.index0, dbt_t2s.t2s_quote(each.name), each.look != "counts"
        and each.kind in ["number", "date", "timestamp"] -%}
    {%- do names.append(column) -%}
    {%- do counts.append("count(" ~ column ~ ") as n" ~ i) -%}
    {%- if each.kind != "other" -%}
      {%- do counts.append("count(distinct " ~ column ~ ") as d" ~ i) -%}
    {%- endif -%}
    {%- if ranged -%}
      {%- do counts.append(dbt_t2s.t2s_shown("min(" ~ column ~ ")", each.kind) ~ " as lo" ~ i) -%}
      {%- do counts.append(dbt_t2s.t2s_shown("max(" ~ column ~ ")", each.kind) ~ " as hi" ~ i) -%}
    {%- elif each.kind == "text" -%}
      {%- set length = "cast(length(cast(" ~ column ~ " as " ~ dbt_t2s.t2s_type("text") ~ ")) as "
          ~ dbt_t2s.t2s_type("float") ~ ")" -%}
      {%- do counts.append("avg(" ~ length ~ ") as length" ~ i) -%}
    {%- endif -%}
    {%- do parts.append(
      "select " ~ i ~ ", 'counts', n" ~ i ~ ", "
      ~ ("d" ~ i if each.kind != "other" else no_number) ~ ", "
      ~ ("lo" ~ i ~ ", hi" ~ i if ranged else no_text ~ ", " ~ no_text) ~ ", "
      ~ ("length" ~ i if each.kind == "text" else no_length) ~ " from t2s_counts"
    ) -%}
    {%- if each.kind == "text" and each.look != "counts" -%}
      {%- set nothing = [no_number, no_text, no_length] -%}
      {%- do parts.append(dbt_t2s.t2s_shapes_sql(i, column, nothing)) -%}
      {%- if each.look == "values" -%}
        {%- do parts.append(dbt_t2s.t2s_values_sql(i, column, nothing)) -%}
      {%- endif -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(
    "with t2s_some as (" ~ dbt_t2s.t2s_sample(relation, names or ["1 as one"], rows) ~ "),\n"
    ~ "t2s_counts as (select " ~ counts | join(", ") ~ " from t2s_some)\n"
    ~ parts | join("\nunion all ") ~ "\norder by 1, 2, 3 desc, 5"
  ) }}
{% endmacro %}


{#-
  The shapes of some of a column's values, unless they are prose: letters and digits masked. The
  limits here and below are those of dbt_t2s.
-#}
{% macro t2s_shapes_sql(place, column, nothing) %}
  {%- set upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" -%}
  {%- set from = upper ~ upper | lower ~ "0123456789" -%}
  {%- set onto = "A" * 26 ~ "a" * 26 ~ "9" * 10 -%}
  {%- set text = "cast(" ~ column ~ " as " ~ dbt_t2s.t2s_type("text") ~ ")" -%}
  {{ return(
    "select " ~ place ~ ", 'shapes', g.n, " ~ nothing[0] ~ ", g.v, " ~ nothing[1] ~ ", "
    ~ nothing[2] ~ " from (select v, count(*) as n from (select translate(" ~ text ~ ", '" ~ from
    ~ "', '" ~ onto ~ "') as v from t2s_some where " ~ column ~ " is not null limit 120) as s"
    ~ " group by v) as g cross join t2s_counts as c where c.length" ~ place ~ " <= 40"
  ) }}
{% endmacro %}


{#- A column's values if they are few, the most frequent if they are many, none of prose. -#}
{% macro t2s_values_sql(place, column, nothing) %}
  {%- set text = "cast(" ~ column ~ " as " ~ dbt_t2s.t2s_type("text") ~ ")" -%}
  {{ return(
    "select " ~ place ~ ", 'values', r.n, " ~ nothing[0] ~ ", r.v, " ~ nothing[1] ~ ", "
    ~ nothing[2] ~ " from (select v, n, row_number() over (order by n desc, "
    ~ dbt_t2s.t2s_by_bytes("v") ~ ") as k from (select " ~ text
    ~ " as v, count(*) as n from t2s_some where " ~ column
    ~ " is not null group by 1) as g) as r cross join t2s_counts as c where c.length"
    ~ place ~ " <= 40 and c.d" ~ place ~ " <= 2000 and r.k <= case when c.d" ~ place
    ~ " <= 60 then 60 else 30 end and length(r.v) <= 100"
  ) }}
{% endmacro %}
