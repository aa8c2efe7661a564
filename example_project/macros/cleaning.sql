{#- Lower case without surrounding blanks; an empty text becomes NULL. -#}
{% macro clean_code(column) -%}
    nullif(lower(trim({{ column }})), '')
{%- endmacro %}

{#- Each word with a capital first letter, without surrounding blanks. -#}
{% macro proper_case(column) -%}
    array_to_string(list_transform(string_split(trim({{ column }}), ' '), lambda word: upper(word[1]) || lower(word[2:])), ' ')
{%- endmacro %}

{#- One English country name for every way the source systems write it. -#}
{% macro country_name(column) -%}
    case lower(trim({{ column }}))
        when 'de' then 'Germany'
        when 'germany' then 'Germany'
        when 'gb' then 'United Kingdom'
        when 'united kingdom' then 'United Kingdom'
        when 'us' then 'United States'
        when 'united states' then 'United States'
        when 'fr' then 'France'
        when 'france' then 'France'
        when 'nl' then 'Netherlands'
        when 'netherlands' then 'Netherlands'
        when 'at' then 'Austria'
        when 'austria' then 'Austria'
    end
{%- endmacro %}

{#- An amount in euros and cents. -#}
{% macro to_eur(amount, rate) -%}
    cast(round({{ amount }} * {{ rate }}, 2) as decimal(12, 2))
{%- endmacro %}

{% macro as_of() -%}
    date '{{ var("as_of_date") }}'
{%- endmacro %}

{#- Hours between two timestamps, two decimals. -#}
{% macro hours_between(earlier, later) -%}
    cast(round(date_diff('minute', {{ earlier }}, {{ later }}) / 60.0, 2) as decimal(10, 2))
{%- endmacro %}
