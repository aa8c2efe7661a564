{#
  Which nodes of the project a macro is about, and what their docs say of their columns.
#}

{#-
  The nodes that `tables` picks: one name or a list of names, unique ids or `tag:…`; none means
  all models, seeds and snapshots that are built. Anything unknown is an error before anything
  is run.
-#}
{% macro t2s_nodes(tables=none) %}
  {%- set every = (graph.nodes.values() | list) + (graph.sources.values() | list) -%}
  {%- set built = [] -%}
  {%- for node in every
      if node.resource_type in ["model", "seed", "snapshot", "source"]
      and node.config.get("materialized") not in ["ephemeral", "test"] -%}
    {%- do built.append(node) -%}
  {%- endfor -%}
  {%- if tables is none -%}
    {{ return(built | rejectattr("resource_type", "eq", "source") | sort(attribute="unique_id")) }}
  {%- endif -%}
  {%- set wanted = [tables] if tables is string else tables -%}
  {%- if wanted is mapping or wanted is not sequence -%}
    {%- do exceptions.raise_compiler_error("tables should be a name or a list of names") -%}
  {%- endif -%}
  {%- set found = [] -%}
  {%- for each in wanted -%}
    {%- set picked = dbt_t2s.t2s_picked(each, built) -%}
    {%- for node in picked if node not in found -%}
      {%- do found.append(node) -%}
    {%- endfor -%}
  {%- endfor -%}
  {{ return(found) }}
{% endmacro %}


{#- The nodes that one name, unique id or `tag:…` picks, at least one. -#}
{% macro t2s_picked(name, built) %}
  {%- if name is not string or not name | trim or name.startswith("-") -%}
    {%- do exceptions.raise_compiler_error("this is no name of a table: " ~ tojson(name)) -%}
  {%- endif -%}
  {%- set found = [] -%}
  {%- for node in built -%}
    {%- set names = [node.unique_id, node.name, node.name ~ ".v" ~ node.get("version")] -%}
    {%- if node.resource_type == "source" -%}
      {%- set names = [node.unique_id, node.source_name ~ "." ~ node.name] -%}
    {%- endif -%}
    {%- if name in names or (name.startswith("tag:") and name[4:] in node.tags) -%}
      {%- do found.append(node) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if not found -%}
    {%- do exceptions.raise_compiler_error(
      "there is no built model, seed, snapshot or source " ~ tojson(name)
      ~ "; name nodes as dbt ls shows them, by unique id or by tag:…"
    ) -%}
  {%- endif -%}
  {{ return(found) }}
{% endmacro %}


{#- The node's relation as the warehouse has it; none where it is not built. -#}
{% macro t2s_relation(node) %}
  {{ return(adapter.get_relation(
    database=node.database,
    schema=node.schema,
    identifier=node.get("identifier") or node.get("alias") or node.name,
  )) }}
{% endmacro %}


{#- What a warehouse type lets one do: number, text, date, timestamp, boolean or other. -#}
{% macro t2s_kind(type) %}
  {%- set kinds = [
    ["other", "\\[|^(array|struct|map|row|json|variant|object|super|interval|time\\b|union)"],
    ["boolean", "^bool|^bit$"],
    ["timestamp", "^(timestamp|datetime|smalldatetime)"],
    ["date", "^date"],
    ["number", "^(u?(tiny|small|big|huge|medium)?int|byteint|number|numeric|decimal|bignumeric"
      ~ "|dec\\b|float|double|real|money|long|short|fixed)"],
    ["text", "^(var)?char|^(n|bp)?(var)?char|^(text|string|character|citext|enum|uuid|clob)"],
  ] -%}
  {%- for kind, pattern in kinds -%}
    {%- if modules.re.search(pattern, type | trim | lower) -%}
      {{ return(kind) }}
    {%- endif -%}
  {%- endfor -%}
  {{ return("other") }}
{% endmacro %}


{#-
  Whether the docs mark a node or a column as personal data; none where they say nothing. The
  marks are tags and keys of `meta`: the setting `personal` of dbt_t2s, else the usual ones.
-#}
{% macro t2s_is_personal(docs) %}
  {%- set usual = [
    "pii", "contains_pii", "is_pii", "personal", "personal_data", "sensitive",
  ] -%}
  {%- set marks = var("t2s", {}).get("personal", usual) -%}
  {%- set marks = [marks] if marks is string else marks -%}
  {%- set config = docs.get("config") or {} -%}
  {%- set meta = {} -%}
  {%- for key, value in (docs.get("meta") or {}).items() -%}
    {%- do meta.update({key | string | lower: value}) -%}
  {%- endfor -%}
  {%- for key, value in (config.get("meta") or {}).items() -%}
    {%- do meta.update({key | string | lower: value}) -%}
  {%- endfor -%}
  {%- set own = meta.get("t2s") if meta.get("t2s") is mapping else {} -%}
  {%- set said = [own.get("personal")] if "personal" in own else [] -%}
  {%- set tags = (docs.get("tags") or []) + (config.get("tags") or []) -%}
  {%- for mark in marks | map("lower") -%}
    {%- if mark in tags | map("lower") -%}
      {{ return(true) }}
    {%- elif meta.get(mark) is not none -%}
      {%- do said.append(meta.get(mark)) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- for value in said
      if value and value | string | trim | lower not in ["", "false", "no", "none", "0"] -%}
    {{ return(true) }}
  {%- endfor -%}
  {{ return(false if said else none) }}
{% endmacro %}


{#-
  How the names of a node's columns are marked: {lower-case name: true or false}, its own marks on
  top of those of all nodes above it. `*` stands for all columns that may hold text.
-#}
{% macro t2s_marks(node) %}
  {%- set marks = {} -%}
  {%- set pending = [node.unique_id] -%}
  {%- set met = [] -%}
  {%- for _ in range(graph.nodes | length + graph.sources | length) if pending -%}
    {%- set id = pending.pop() -%}
    {%- set here = graph.nodes.get(id) or graph.sources.get(id) -%}
    {%- do met.append(id) -%}
    {%- if here -%}
      {%- set own = {} -%}
      {%- for name, docs in here.columns.items() -%}
        {%- do own.update({name | lower: dbt_t2s.t2s_is_personal(docs)}) -%}
      {%- endfor -%}
      {%- if dbt_t2s.t2s_is_personal(here) and true not in own.values() -%}
        {%- do own.update({"*": true}) -%}
      {%- endif -%}
      {%- for name, said in own.items()
          if said or (id == node.unique_id and said is not none) -%}
        {%- do marks.update({name: marks.get(name, said)}) -%}
      {%- endfor -%}
      {%- for parent in (here.get("depends_on") or {}).get("nodes", []) if parent not in met -%}
        {%- if parent not in pending -%}
          {%- do pending.append(parent) -%}
        {%- endif -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(marks) }}
{% endmacro %}


{#- Whether a column only points at rows, so that its values say nothing to a reader. -#}
{% macro t2s_is_key(node, name) %}
  {%- if modules.re.search("(^|_)(id|key|uuid|guid|pk|sk|fk)$", name | lower) -%}
    {{ return(true) }}
  {%- endif -%}
  {%- for test in graph.nodes.values()
      if test.resource_type == "test" and test.get("attached_node") == node.unique_id -%}
    {%- set kind = (test.get("test_metadata") or {}).get("name") -%}
    {%- if kind == "relationships" and (test.get("column_name") or "") | lower == name | lower -%}
      {{ return(true) }}
    {%- endif -%}
  {%- endfor -%}
  {{ return(false) }}
{% endmacro %}


{#- A value of a macro's answer, as one line that programs find by its marker. -#}
{% macro t2s_say(value) %}
  {%- do log("T2S_JSON " ~ tojson(value), info=true) -%}
{% endmacro %}


{#- That a node is not built, as an answer. -#}
{% macro t2s_say_missing(node) %}
  {%- set message = node.relation_name ~ " is not in the warehouse" -%}
  {%- do dbt_t2s.t2s_say({"table": node.unique_id, "error": message}) -%}
{% endmacro %}


{#- An argument as a whole number of at least `least`, else an error. -#}
{% macro t2s_whole(value, least, name) %}
  {%- if value is boolean or not modules.re.match("[0-9]{1,15}$", value | string)
      or value | int < least -%}
    {%- do exceptions.raise_compiler_error(
      name ~ " should be a whole number, " ~ least ~ " or more, not " ~ tojson(value | string)
    ) -%}
  {%- endif -%}
  {{ return(value | int) }}
{% endmacro %}
