"""The look and the one script of report.html; the page loads nothing from elsewhere."""

from __future__ import annotations

CSS = """
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --card: #ffffff; --ink: #1d2125; --soft: #5d666f; --line: #e2e4e3;
  --bar: #7fb8a6; --track: #e9eeec; --whisker: #123a30; --focus: #2f6f5e;
  --wrong: #a8382b; --wash: #f6e9e6;
  --code: #f3f4f2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1c2024; --ink: #e8eaec; --soft: #9aa4ad; --line: #2e343a;
    --bar: #35806b; --track: #283036; --whisker: #e2f6ef; --focus: #6cc9af;
    --wrong: #f0907f; --wash: #3a2724;
    --code: #14171a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 72rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.35rem; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 1.15rem; margin: 2.75rem 0 0.9rem; letter-spacing: -0.01em; }
h3 {
  font-size: 0.8rem; margin: 0 0 0.9rem; color: var(--soft); font-weight: 600;
  text-transform: uppercase; letter-spacing: 0.06em;
}
p { margin: 0; }
small, .soft { color: var(--soft); font-size: 0.875rem; }
.meta { display: flex; flex-wrap: wrap; gap: 0.15rem 1.5rem; margin-top: 0.35rem; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.hero { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); }
.hero .wide { grid-column: span 2; }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.25rem 1.4rem;
}
.big {
  font-size: 3.75rem; line-height: 1.05; font-weight: 650; letter-spacing: -0.035em;
  font-variant-numeric: tabular-nums;
}
.big span { font-size: 0.5em; color: var(--soft); margin-left: 0.08em; }
.hero .figure + .figure { margin-top: 0.9rem; }
.hero .figure b { display: block; font-size: 1.6rem; line-height: 1.25; font-weight: 620;
  font-variant-numeric: tabular-nums; letter-spacing: -0.02em; }
.hero .figure small { display: block; line-height: 1.35; }
svg { display: block; width: 100%; overflow: visible; }
.scale { margin: 0.9rem 0 0.75rem; }
.types { display: grid; grid-template-columns: max-content minmax(0, 1fr) max-content;
  gap: 0.55rem 1rem; align-items: center; }
.type { display: contents; }
.types .figure { font-variant-numeric: tabular-nums; text-align: right; }
.types .figure small { display: inline-block; min-width: 4.4em; }
.axis text { font-size: 0.75rem; fill: var(--soft); }
.track { fill: var(--track); } .bar { fill: var(--bar); }
.whisker { stroke: var(--whisker); stroke-width: 1.5; }
.key { margin-top: 1rem; }
rect.wrong { fill: var(--wrong); opacity: 0.75; }
.chart { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.3rem 0.6rem; }
.chart .ys { display: flex; flex-direction: column; justify-content: space-between;
  text-align: right; }
.chart .xs { grid-column: 2; display: flex; justify-content: space-between; gap: 0.5rem; }
.chart .ys, .chart .xs { font-size: 0.75rem; color: var(--soft); line-height: 1; }
.area { overflow: hidden; border-radius: 4px; }
.area line, .area path { vector-effect: non-scaling-stroke; fill: none; }
.curve { stroke: var(--focus); stroke-width: 2; stroke-linejoin: round; }
.limit { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 4; }
.mark { stroke: var(--whisker); stroke-width: 1.5; }
.banner { margin-top: 1rem; padding: 0.7rem 1rem; border-radius: 8px; color: var(--wrong);
  background: var(--wash); }
details { margin-top: 0.1rem; }
summary { cursor: pointer; padding: 0.4rem 0; font-weight: 600; }
details > .card { margin-top: 0.35rem; }
ul { margin: 0; padding-left: 1.1rem; } li { margin: 0.3rem 0; overflow-wrap: anywhere; }
code { font: 0.875em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.filters { display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: center; }
.filters { margin-bottom: 0.9rem; }
input, select {
  font: inherit; font-size: 0.9375rem; color: var(--ink); background: var(--card);
  border: 1px solid var(--line); border-radius: 8px; padding: 0.45rem 0.7rem; max-width: 100%;
}
input { flex: 1 1 14rem; min-width: 0; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th {
  text-align: left; font-size: 0.8rem; color: var(--soft); font-weight: 600;
  padding: 0 1rem 0.5rem 0;
}
td { vertical-align: top; padding: 1rem 1rem 1rem 0; border-top: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
th:first-child { width: 26%; } th:last-child { width: 15%; }
pre {
  margin: 0; padding: 0.6rem 0.75rem; border-radius: 8px; background: var(--code);
  font: 0.8125rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
pre + pre { margin-top: 0.5rem; }
.cause {
  display: inline-block; padding: 0.1rem 0.55rem; border-radius: 99px; font-size: 0.8125rem;
  color: var(--wrong); background: var(--wash); white-space: nowrap;
}
td .soft { margin-top: 0.35rem; overflow-wrap: anywhere; }
[hidden] { display: none !important; }
@media (max-width: 58rem) { .grid { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 46rem) {
  .hero .wide { grid-column: auto; }
  main { padding: 1.5rem 1rem 3rem; }
  .types { display: block; }
  .type {
    display: grid; grid-template: "name figure" "plot plot" / minmax(0, 1fr) max-content;
    gap: 0.15rem 1rem; margin-bottom: 0.75rem;
  }
  .type .name { grid-area: name; } .type .plot { grid-area: plot; }
  .type .figure { grid-area: figure; } .types .gap { display: none; }
  thead { display: none; }
  table, tbody, tr, td { display: block; width: 100%; }
  tr { border-top: 1px solid var(--line); padding: 1rem 0; }
  td { border: 0; padding: 0.3rem 0; }
  td[data-name]::before {
    content: attr(data-name); display: block; font-size: 0.75rem; color: var(--soft);
  }
}
"""

SCRIPT = """
const rows = [...document.querySelectorAll("#wrong tbody tr")];
const fields = [...document.querySelectorAll("[data-filter]")];
const shown = document.getElementById("shown");
function filter() {
  let count = 0;
  for (const row of rows) {
    const fits = fields.every(field => {
      const wanted = field.value.toLowerCase();
      if (!wanted) return true;
      const name = field.dataset.filter;
      if (name === "text") return row.textContent.toLowerCase().includes(wanted);
      return row.dataset[name].toLowerCase() === wanted;
    });
    row.hidden = !fits;
    count += fits ? 1 : 0;
  }
  shown.textContent = count + " of " + rows.length;
}
for (const field of fields) field.addEventListener("input", filter);
"""
