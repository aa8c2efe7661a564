{#
  Records which columns the tables of a run have, wherever they changed, in `t2s_schema_history`
  (which it makes). As a hook in dbt_project.yml:

    on-run-end: "{{ dbt_t2s.t2s_record_schema(results) }}"

  It looks at what was built without an error, once each. By hand, for some tables or all:

    dbt run-operation t2s_record_schema --args '{tables: [orders]}'

    T2S_JSON {"fingerprint": "…", "tables": 12, "changed": ["model.shop.orders"]}

  The fingerprint is that of all tables ever recorded for this target, as they are now.
#}
{% macro t2s_record_schema(results=none, tables=none) %}
  {%- if execute and (results is none or flags.WHICH in ["build", "run", "seed", "snapshot"]) -%}
    {%- set nodes = dbt_t2s.t2s_nodes(tables) if results is none else dbt_t2s.t2s_built(results) -%}
    {%- if nodes -%}
      {%- do dbt_t2s.t2s_make("t2s_schema_history") -%}
      {%- set now = dbt_t2s.t2s_now() -%}
      {%- set known = dbt_t2s.t2s_recorded() -%}
      {%- set rows = [] -%}
      {%- for node in nodes -%}
        {%- set relation = dbt_t2s.t2s_relation(node) -%}
        {%- if relation is not none -%}
          {%- set columns = [] -%}
          {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- do columns.append([column.name, column.data_type]) -%}
          {%- endfor -%}
          {%- set listed = tojson(columns) -%}
          {%- set fingerprint = local_md5(relation ~ listed) -%}
          {%- if known.get(node.unique_id) != fingerprint -%}
            {%- do known.update({node.unique_id: fingerprint}) -%}
            {%- do rows.append([
              now, invocation_id, target.name, node.unique_id, relation | string, fingerprint,
              listed if listed | length <= 16000 else none,
            ]) -%}
          {%- endif -%}
        {%- endif -%}
      {%- endfor -%}
      {#- So many rows a statement as every warehouse takes. -#}
      {%- for batch in rows | batch(50) -%}
        {%- do dbt_t2s.t2s_add("t2s_schema_history", batch) -%}
      {%- endfor -%}
      {%- set all = [] -%}
      {%- for name, fingerprint in known | dictsort -%}
        {%- do all.append(name ~ "=" ~ fingerprint) -%}
      {%- endfor -%}
      {%- do dbt_t2s.t2s_say({
        "fingerprint": local_md5(all | join("\n")),
        "tables": nodes | length,
        "changed": rows | map(attribute=3) | list,
      }) -%}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}


{#- The nodes that a run built without an error. -#}
{% macro t2s_built(results) %}
  {%- set found = [] -%}
  {%- for result in results -%}
    {%- set node = graph.nodes.get(result.node.unique_id) -%}
    {%- if node and result.status == "success"
        and node.resource_type in ["model", "seed", "snapshot"]
        and node.config.get("materialized") != "ephemeral" -%}
      {%- do found.append(node) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(found) }}
{% endmacro %}


{#- The last fingerprint of each node of this target. -#}
{% macro t2s_recorded() %}
  {%- set found = {} -%}
  {%- set statement = "select node, fingerprint from " ~ dbt_t2s.t2s_table("t2s_schema_history")
      ~ " where target_name = " ~ dbt_t2s.t2s_literal(target.name) ~ " order by recorded_at" -%}
  {%- for row in adapter.execute(statement, auto_begin=false, fetch=true)[1].rows -%}
    {%- do found.update({row[0]: row[1]}) -%}
  {%- endfor -%}
  {{ return(found) }}
{% endmacro %}
