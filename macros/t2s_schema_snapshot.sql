{#
  What the warehouse really has of the project: a line a table, its columns in their order.

    T2S_JSON {"table": "model.shop.orders", "relation": "\"dev\".\"main\".\"orders\"",
      "columns": [["order_id", "integer"], …]}

  Of a table that is not built it says so: {"table": …, "error": …}.

    dbt run-operation t2s_schema_snapshot --args '{tables: [orders, tag:mart]}'
#}
{% macro t2s_schema_snapshot(tables=none) %}
  {%- if execute -%}
    {%- for node in dbt_t2s.t2s_nodes(tables) -%}
      {%- set relation = dbt_t2s.t2s_relation(node) -%}
      {%- if relation is none -%}
        {%- do dbt_t2s.t2s_say_missing(node) -%}
      {%- else -%}
        {%- set columns = [] -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
          {%- do columns.append([column.name, column.data_type]) -%}
        {%- endfor -%}
        {%- do dbt_t2s.t2s_say(
          {"table": node.unique_id, "relation": relation | string, "columns": columns}
        ) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}
