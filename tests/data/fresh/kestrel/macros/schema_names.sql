{% macro generate_schema_name(custom_schema_name, node) %}{{ custom_schema_name or target.schema }}{% endmacro %}
{% macro as_of() %}date '{{ var("t2s")["as_of"] }}'{% endmacro %}
{% macro tidy(col) %}nullif(lower(trim(cast({{ col }} as varchar))), ''){% endmacro %}
