{#
  Values that a statement of ours holds, as SQL writes them. Nothing else puts a text into SQL.
#}

{#- A text as a literal that holds exactly that text, whatever is in it. -#}
{% macro t2s_literal(text) %}
  {%- if text is not string or modules.re.search("\\x00", text) -%}
    {%- do exceptions.raise_compiler_error("this is no text: " ~ tojson(text | string)) -%}
  {%- elif text | length > 16000 -%}
    {%- do exceptions.raise_compiler_error(
      "a text of " ~ text | length ~ " characters is too long: at most 16,000 are kept"
    ) -%}
  {%- endif -%}
  {{ return(adapter.dispatch("t2s_literal", "dbt_t2s")(text)) }}
{% endmacro %}

{% macro default__t2s_literal(text) %}
  {{ return("'" ~ text.replace("'", "''") ~ "'") }}
{% endmacro %}

{#- A server may be told to read backslashes as escapes; in this form it always does. -#}
{% macro postgres__t2s_literal(text) %}
  {%- if "\\" in text -%}
    {{ return("E'" ~ text.replace("\\", "\\\\").replace("'", "''") ~ "'") }}
  {%- endif -%}
  {{ return("'" ~ text.replace("'", "''") ~ "'") }}
{% endmacro %}

{% macro redshift__t2s_literal(text) %}
  {{ return("'" ~ text.replace("\\", "\\\\").replace("'", "''") ~ "'") }}
{% endmacro %}

{% macro snowflake__t2s_literal(text) %}
  {{ return("'" ~ text.replace("\\", "\\\\").replace("'", "''") ~ "'") }}
{% endmacro %}

{#- Two quotes end a literal there and begin the next; a line must not end within one. -#}
{% macro bigquery__t2s_literal(text) %}
  {%- set escaped = text.replace("\\", "\\\\").replace("'", "\\'") -%}
  {{ return("'" ~ escaped.replace("\n", "\\n").replace("\r", "\\r") ~ "'") }}
{% endmacro %}

{#- What a backslash means there is a setting, and ${…} is replaced; so neither is written. -#}
{% macro databricks__t2s_literal(text) %}
  {%- set codes = {"'": "char(39)", "\\": "char(92)", "$": "char(36)"} -%}
  {%- set parts = [] -%}
  {%- for piece in modules.re.split("(['\\\\$])", text) if piece -%}
    {%- do parts.append(codes.get(piece, "'" ~ piece ~ "'")) -%}
  {%- endfor -%}
  {%- if parts | length > 1 or parts and parts[0].startswith("char(") -%}
    {{ return("concat(" ~ parts | join(", ") ~ ")") }}
  {%- endif -%}
  {{ return(parts[0] if parts else "''") }}
{% endmacro %}


{#- A value of one of the types of `t2s_type`, none as NULL; an error where it is of another. -#}
{% macro t2s_typed(value, kind, name) %}
  {%- if value is none -%}
    {%- set written = "null" -%}
  {%- elif kind in ["text", "timestamp"] -%}
    {%- if value is not string -%}
      {%- do exceptions.raise_compiler_error(
        name ~ " should be a text, not " ~ tojson(value | string)
      ) -%}
    {%- endif -%}
    {%- set written = dbt_t2s.t2s_literal(value) -%}
  {%- elif kind == "integer" -%}
    {%- set written = dbt_t2s.t2s_whole(value, 0, name) | string -%}
  {%- else -%}
    {%- if value is boolean or value is not number
        or not modules.re.match("-?[0-9.]+(e[-+]?[0-9]+)?$", value | string) -%}
      {%- do exceptions.raise_compiler_error(
        name ~ " should be a number, not " ~ tojson(value | string)
      ) -%}
    {%- endif -%}
    {%- set written = value | string -%}
  {%- endif -%}
  {{ return("cast(" ~ written ~ " as " ~ dbt_t2s.t2s_type(kind) ~ ")") }}
{% endmacro %}


{#- The time in UTC, as every warehouse reads it. -#}
{% macro t2s_now() %}
  {%- set now = modules.datetime.datetime.now(modules.pytz.utc) -%}
  {{ return(now.strftime("%Y-%m-%d %H:%M:%S.%f")) }}
{% endmacro %}
