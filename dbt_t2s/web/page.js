"use strict";
// No build step and no library. Everything from the server goes in as text, never as markup.
const at = (id) => document.getElementById(id);
const SHOWN = 100;
const SVG = "http://www.w3.org/2000/svg";
const TURNS = 10;
let last = null;
// The conversation so far: the server keeps none.
let previous = [];

function made(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

async function call(path, body) {
  const token = sessionStorage.getItem("token");
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  if (body) headers["content-type"] = "application/json";
  const options = body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers };
  const response = await fetch(path, options);
  if (response.status === 401) {
    await entered();
    return call(path, body);
  }
  const found = await response.json();
  if (!response.ok) throw new Error([found.error, found.hint].filter(Boolean).join("; "));
  return found;
}

// Several requests may find that a token is needed: all of them wait for one.
let entering = null;
function entered() {
  entering ??= new Promise((resolve) => {
    sessionStorage.removeItem("token");
    at("door").showModal();
    at("door").addEventListener("close", () => {
      sessionStorage.setItem("token", at("token").value.trim());
      entering = null;
      resolve();
    }, { once: true });
  });
  return entering;
}

function shown(value) {
  if (value === null) return "NULL";
  if (typeof value === "number") return value.toLocaleString("en", { maximumFractionDigits: 4 });
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

// A column's name in plain words: net_revenue → Net revenue.
function spoken(name) {
  const words = name.replace(/_/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// A value as its column means it: the first of a month stands for the month.
function said(value, column) {
  const day = typeof value === "string" && /^\d{4}-\d{2}-01(T00:00:00)?$/.test(value)
    ? new Date(`${value.slice(0, 10)}T00:00:00Z`) : null;
  if (day && column.endsWith("_month")) {
    return day.toLocaleString("en", { month: "short", year: "numeric", timeZone: "UTC" });
  }
  if (day && column.endsWith("_quarter")) return `Q${day.getUTCMonth() / 3 + 1} ${day.getUTCFullYear()}`;
  if (day && column.endsWith("_year")) return String(day.getUTCFullYear());
  return shown(value);
}

function sure(confidence) {
  const how = confidence >= 0.85 ? "Likely right" : confidence >= 0.6 ? "May be right" : "Doubtful, check it";
  return `${how} (${Math.round(confidence * 100)}%)`;
}

function table(answer, most) {
  const numeric = answer.columns.map((_, at) => answer.rows.length > 0
    && answer.rows.every((row) => row[at] === null || typeof row[at] === "number"));
  const head = made("tr");
  answer.columns.forEach((name, at) => {
    const cell = made("th", spoken(name), numeric[at] ? "number" : "");
    cell.title = name;
    cell.scope = "col";
    head.append(cell);
  });
  const body = made("tbody");
  for (const row of answer.rows.slice(0, most)) {
    const line = made("tr");
    row.forEach((value, at) => line.append(
      made("td", said(value, answer.columns[at]), numeric[at] ? "number" : "")));
    body.append(line);
  }
  const top = made("thead");
  top.append(head);
  at("rows").replaceChildren(top, body);
  at("all").hidden = answer.rows.length <= most;
  // One number is the answer: it should be read at a glance.
  at("rows").classList.toggle("single", answer.rows.length === 1 && answer.columns.length === 1);
}

function drawn(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function chart(answer) {
  at("chart").replaceChildren();
  if (!answer.chart) return;
  const { kind, label, value } = answer.chart;
  const name = answer.columns[label];
  const points = answer.rows.map((row) => [said(row[label], name).slice(0, 24), row[value]]);
  const draw = kind === "series" ? line : bars;
  // As wide as there is room, so that letters keep their size on a phone.
  const picture = draw(points, Math.min(Math.max(at("chart").clientWidth, 300), 700));
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `${answer.columns[value]} by ${answer.columns[label]}`);
  at("chart").append(picture);
}

function bars(points, room) {
  const most = Math.max(...points.map(([, number]) => Math.abs(number ?? 0))) || 1;
  const picture = drawn("svg", { viewBox: `0 0 ${room} ${points.length * 26 + 4}` });
  const left = Math.min(160, room * 0.4);
  const letters = Math.floor(left / 7);
  points.forEach(([label, number], index) => {
    const y = index * 26 + 2;
    const width = Math.abs(number ?? 0) / most * (room - left - 90);
    const name = label.length > letters ? `${label.slice(0, letters - 1)}…` : label;
    picture.append(drawn("text", { x: left - 8, y: y + 15, "text-anchor": "end" }, name));
    picture.append(drawn("rect", { x: left, y, width, height: 20, rx: 2, class: number < 0 ? "below" : "" }));
    picture.append(drawn("text", { x: left + 6 + width, y: y + 15 }, shown(number)));
  });
  return picture;
}

function line(points, room) {
  const known = points.map(([, number]) => number).filter((number) => number !== null);
  const low = Math.min(0, ...known), high = Math.max(0, ...known), span = high - low || 1;
  const x = (index) => 76 + index * (room - 90) / Math.max(points.length - 1, 1);
  const y = (number) => 190 - (number - low) / span * 170;
  const picture = drawn("svg", { viewBox: `0 0 ${room} 220` });
  for (const number of [low, high]) {
    picture.append(drawn("line", { x1: 76, x2: room - 14, y1: y(number), y2: y(number) }));
    picture.append(drawn("text", { x: 70, y: y(number) + 4, "text-anchor": "end" }, shown(number)));
  }
  const path = points.map(([, n], i) => n === null ? "" : `${x(i)},${y(n)}`).filter(Boolean);
  picture.append(drawn("polyline", { points: path.join(" ") }));
  points.forEach(([label, number], index) => {
    if (number === null) return;
    const point = drawn("circle", { cx: x(index), cy: y(number), r: 4 });
    point.append(drawn("title", {}, `${label}: ${shown(number)}`));
    picture.append(point);
  });
  const ends = points.length > 1 ? [[0, "start"], [points.length - 1, "end"]] : [[0, "start"]];
  for (const [index, anchor] of ends) {
    picture.append(drawn("text", { x: x(index), y: 212, "text-anchor": anchor }, points[index][0]));
  }
  return picture;
}

function list(id, questions, label = (question) => question) {
  at(id).replaceChildren(...questions.map((question) => {
    const button = made("button", label(question));
    button.type = "button";
    button.addEventListener("click", () => {
      at("question").value = question.question ?? question;
      at("ask").requestSubmit();
    });
    const item = made("li");
    item.append(button);
    return item;
  }));
  at(id).hidden = questions.length === 0;
}

function goOn(answer) {
  if (answer.status !== "ok") return;
  const turn = { question: answer.read_as || answer.question, sql: answer.sql, plan: answer.plan };
  previous = answer.read_as ? [...previous, turn].slice(-TURNS) : [turn];
  showFollowed();
}

function showFollowed() {
  at("follows").hidden = previous.length === 0;
  at("before").textContent = previous.at(-1)?.question ?? "";
}

at("anew").addEventListener("click", () => {
  previous = [];
  showFollowed();
  at("question").focus();
});

function showAnswer(answer) {
  last = answer;
  goOn(answer);
  at("read").textContent = `Read as: ${answer.read_as}`;
  at("read").hidden = !answer.read_as;
  at("answer").hidden = false;
  at("asked").textContent = answer.question;
  at("reason").textContent = answer.reason;
  at("reason").hidden = !answer.reason;
  list("nearest", answer.nearest);
  chart(answer);
  table(answer, SHOWN);
  at("sql").textContent = answer.sql;
  at("how").hidden = !answer.sql;
  at("why").hidden = answer.rests_on.length === 0;
  const count = answer.rows.length;
  const facts = [sure(answer.confidence), `${count.toLocaleString("en")} ${count === 1 ? "row" : "rows"}`];
  if (answer.built) facts.push(`data of ${answer.built.slice(0, 16).replace("T", " ")} UTC`);
  at("facts").textContent = answer.status === "ok"
    ? [facts.join(" · "), ...answer.assumed].join(". ") : "";
  at("rests").replaceChildren(...answer.rests_on.map((each) => made("li",
    `${spoken(each.kind)}${each.place ? ` ${each.name}` : ""}: ${each.sentence} ${each.place}`.trim())));
  at("corrected").value = answer.sql;
  at("note").value = at("said").textContent = "";
  at("replace").checked = false;
  at("say").hidden = !answer.id;
}

at("all").addEventListener("click", () => table(last, last.rows.length));

at("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = at("ask").querySelector("button");
  button.disabled = true;
  at("status").textContent = "Reading the question …";
  try {
    showAnswer(await call("/api/ask", { question: at("question").value, previous }));
    at("status").textContent = { ok: "Answered.", refused: "Refused." }[last.status] ?? "It failed.";
    // What is typed next takes its place.
    if (document.activeElement === at("question")) at("question").select();
    history();
  } catch (error) {
    at("status").textContent = error.message;
  } finally {
    button.disabled = false;
  }
});

at("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const verdict = event.submitter?.value ?? "corrected";
  const said = { id: last.id, note: at("note").value, replace: at("replace").checked };
  if (verdict === "corrected") said.sql = at("corrected").value;
  else said.verdict = verdict;
  try {
    const kept = await call("/api/feedback", said);
    at("said").textContent = `Kept: ${kept.verdict.replace("_", " ")}${kept.corrected_sql ? ", with the right SQL" : ""}.`;
    history();
  } catch (error) {
    // What was typed stays in the form.
    at("said").textContent = error.message;
  }
});

async function history() {
  const { asked } = await call("/api/history?limit=20");
  // Each question once, with what was last said of it.
  const met = new Set();
  const once = asked.filter((each) => !met.has(each.question) && met.add(each.question));
  list("history", once, (each) => [each.question, each.verdict.replace("_", " ")].filter(Boolean).join(" · "));
}

async function known() {
  const found = await call("/api/known");
  at("project").textContent = found.project;
  document.title = `Ask ${found.project}`;
  list("questions", found.questions);
  const terms = (items, meaning) => items.flatMap((each) =>
    [made("dt", each.label ?? each.name), made("dd", meaning(each))]);
  at("metrics").replaceChildren(...terms(found.metrics, (each) => each.description));
  at("tables").replaceChildren(...terms(found.tables, (each) => `${each.description} ${each.columns.join(", ")}`));
}

Promise.all([known(), history()]).catch((error) => { at("status").textContent = error.message; });
