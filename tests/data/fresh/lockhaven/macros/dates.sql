{#- The project's fixed today. -#}
{% macro today() -%}
cast('{{ var("t2s")["as_of"] }}' as date)
{%- endmacro %}
