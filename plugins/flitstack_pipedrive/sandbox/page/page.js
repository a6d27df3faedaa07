// The account as a practice would look at it. Everything is read from this server; every value is put in as text.
"use strict";

const TABS = [
  ["person", "Persons"], ["board", "Deals"], ["lead", "Leads"], ["activity", "Activities"], ["note", "Notes"],
  ["file", "Files"], ["organization", "Organizations"], ["field", "Fields"], ["users", "Users"],
];
const COLUMNS = {
  person: [["title", "Name"], ["phones", "Phones"], ["emails", "E-mails"], ["organization", "Organization"], ["owner", "Owner"], ["add_time", "On file since"]],
  organization: [["title", "Name"], ["address", "Address"], ["owner", "Owner"], ["add_time", "On file since"]],
  lead: [["title", "Title"], ["person", "Person"], ["organization", "Organization"], ["value", "Value"], ["owner", "Owner"]],
  activity: [["title", "Subject"], ["type", "Type"], ["due", "Due"], ["done", "Done"], ["person", "Person"], ["deal", "Deal"], ["owner", "Owner"]],
  note: [["title", "Note"], ["person", "Person"], ["deal", "Deal"], ["organization", "Organization"], ["owner", "Author"], ["add_time", "Written"]],
  file: [["title", "Name"], ["file_size", "Size"], ["person", "Person"], ["deal", "Deal"], ["organization", "Organization"], ["owner", "By"], ["add_time", "Added"]],
  field: [["of", "Of"], ["name", "Name"], ["type", "Type"], ["options", "Options"], ["key", "Key"]],
  users: [["name", "Name"], ["email", "E-mail"], ["role", "Role"]],
};
const SHORT = new Set(["phones", "add_time", "due", "owner", "file_size"]);
const WORDS = { deal: "Deals", lead: "Leads", activity: "Activities", note: "Notes", file: "Files", person: "Persons" };
const state = { tab: "person", start: 0, text: "", pipeline: "", open: null, seen: "" };
const $ = (id) => document.getElementById(id);

function make(tag, text, attributes) {
  const node = document.createElement(tag);
  if (text !== undefined && text !== null) node.textContent = text;
  Object.entries(attributes || {}).forEach(([name, value]) => { node[name] = value; });
  return node;
}

async function read(view, query) {
  const url = new URL("/_sandbox/" + view, location.href);
  Object.entries(query || {}).forEach(([name, value]) => url.searchParams.set(name, value));
  const answer = await fetch(url);
  if (!answer.ok) throw new Error("The sandbox answered " + answer.status + ".");
  return answer.json();
}

// Notes are HTML. They are shown as the text in them, so nothing in them can run.
function plain(html) {
  const spaced = String(html).replace(/<(br|\/p|\/div|\/li|\/h\d)\b[^>]*>/gi, "\n");
  return new DOMParser().parseFromString(spaced, "text/html").body.textContent.trim();
}

function money(value, currency) {
  if (value === undefined || value === null) return "";
  const number = Number(value).toLocaleString("en-US", { maximumFractionDigits: 2 });
  return currency ? number + " " + currency : number;
}

function words(row, key) {
  const value = row[key];
  if (key === "due") return [row.due_date, (row.due_time || "").slice(0, 5)].filter(Boolean).join(" ");
  if (key === "done") return value ? "Done" : "";
  if (key === "value") return typeof value === "object" && value ? money(value.amount, value.currency) : money(value, row.currency);
  if (key === "file_size") return Number(value || 0).toLocaleString("en-US") + " bytes";
  if (value === undefined || value === null) return "";
  if (key === "title" && row.kind === "note" || key === "note") return plain(value);
  if (Array.isArray(value)) return value.join(", ");
  if (key.endsWith("_time")) return String(value).slice(0, 16).replace("T", " ");
  return typeof value === "object" ? String(value.value || "") : String(value);
}

function opener(row) {
  const text = words(row, "title");
  const button = make("button", text.length > 160 ? text.slice(0, 160) + "…" : text, { type: "button", className: "name" });
  button.addEventListener("click", () => open(row.kind, row.id));
  return button;
}

function table(kind, rows) {
  const columns = COLUMNS[kind];
  const whole = make("table");
  const head = whole.createTHead().insertRow();
  columns.forEach(([, name]) => head.append(make("th", name, { scope: "col" })));
  const body = whole.createTBody();
  rows.forEach((row) => {
    const line = body.insertRow();
    columns.forEach(([key]) => {
      const cell = line.insertCell();
      if (SHORT.has(key)) cell.className = "short";
      if (key === "title") cell.append(opener(row)); else cell.textContent = words(row, key);
    });
  });
  return rows.length ? whole : make("p", "Nothing here yet.", { className: "quiet" });
}

function board(data) {
  const whole = make("div", null, { className: "board" });
  data.stages.forEach((stage) => {
    const column = make("section", null, { className: "stage" });
    column.append(make("h2", stage.name), make("p", stage.count + (stage.count === 1 ? " deal" : " deals") + (stage.count ? ", " + money(stage.value, stage.currency) : ""), { className: "quiet" }));
    stage.deals.forEach((deal) => {
      const card = make("div", null, { className: "card" });
      card.append(opener(deal), make("p", [deal.person, deal.organization].filter(Boolean).join(", ")), make("p", words(deal, "value")));
      if (deal.status !== "open") card.append(make("span", deal.status === "won" ? "Won" : "Lost", { className: "tag" }));
      column.append(card);
    });
    if (stage.count > stage.deals.length) column.append(make("p", "and " + (stage.count - stage.deals.length) + " more", { className: "quiet" }));
    whole.append(column);
  });
  return whole;
}

function pairs(list) {
  const whole = make("dl");
  list.filter(([, value]) => value !== "" && value !== null && value !== undefined).forEach(([name, value]) => whole.append(make("dt", name), make("dd", value)));
  return whole;
}

function detail(data) {
  const row = data.record;
  const close = make("button", "Close", { type: "button", className: "close" });
  close.addEventListener("click", () => { state.open = null; $("detail").hidden = true; });
  const parts = [close, make("h2", words(row, "title"))];
  parts.push(pairs([
    ["Phones", words(row, "phones")], ["E-mails", words(row, "emails")], ["Address", words(row, "address")],
    ["Person", row.person], ["Organization", row.organization], ["Deal", row.deal], ["Type", row.type],
    ["Due", row.kind === "activity" ? words(row, "due") : ""], ["Status", row.kind === "activity" ? (row.done ? "done" : "to do") : row.status],
    ["Value", words(row, "value")], ["Lost because", row.lost_reason], ["Note", row.note ? words(row, "note") : ""],
    ["Owner", row.owner], ["On file since", words(row, "add_time")],
  ]));
  if (Object.keys(data.fields).length) parts.push(make("h3", "Custom fields"), pairs(Object.entries(data.fields)));
  Object.entries(data.hanging).filter(([, rows]) => rows.length).forEach(([kind, rows]) => {
    const list = make("ul");
    rows.forEach((child) => {
      const item = make("li");
      const more = kind === "activity" ? words(child, "due") + (child.done ? ", done" : "") : kind === "deal" ? words(child, "value") : words(child, "add_time");
      item.append(opener(child), make("div", more, { className: "quiet" }));
      list.append(item);
    });
    parts.push(make("h3", WORDS[kind] + (rows.length >= 50 ? ", the newest 50" : "")), list);
  });
  $("detail").replaceChildren(...parts);
  $("detail").hidden = false;
}

async function open(kind, id) {
  state.open = [kind, id];
  await guarded(async () => detail(await read("record", { kind, id })));
}

async function show() {
  const tab = state.tab;
  const searchable = !["board", "field", "users"].includes(tab);
  $("search-label").hidden = !searchable;
  $("pager").hidden = !searchable;
  $("pipeline-label").hidden = tab !== "board";
  let made, total = "";
  if (tab === "board") {
    const data = await read("board", state.pipeline ? { pipeline: state.pipeline } : {});
    $("pipeline").replaceChildren(...data.pipelines.map((one) => make("option", one.name, { value: one.id, selected: one.id === data.chosen })));
    made = board(data);
  } else if (tab === "field") {
    made = table("field", await read("fields"));
  } else if (tab === "users") {
    const { users } = await read("summary");
    made = table("users", users.map((user) => ({ ...user, role: (user.is_admin ? "Admin" : "User") + (user.active ? "" : ", deactivated") })));
  } else {
    const data = await read("records", { kind: tab, start: state.start, text: state.text });
    made = table(tab, data.rows);
    total = data.rows.length ? (data.start + 1) + " to " + (data.start + data.rows.length) + " of " + data.total.toLocaleString("en-US") : "";
    $("newer").disabled = data.start === 0;
    $("older").disabled = !data.more;
  }
  // The reader may have gone on to another tab meanwhile.
  if (tab !== state.tab) return;
  $("total").textContent = total;
  $("view").replaceChildren(made);
  $("view").dataset.tab = tab;
}

async function meters() {
  const data = await read("summary");
  $("company").textContent = data.company;
  document.title = data.company + " (sandbox)";
  $("tokens").textContent = data.tokens.left.toLocaleString("en-US") + " of " + data.tokens.limit.toLocaleString("en-US");
  $("tokens-bar").value = data.tokens.left / data.tokens.limit;
  $("rate").textContent = data.requests.per_second.toLocaleString("en-US", { maximumFractionDigits: 1 });
  $("requests").textContent = data.requests.total.toLocaleString("en-US");
  $("clock").textContent = data.now.slice(0, 16).replace("T", " ") + " UTC";
  TABS.forEach(([kind]) => {
    const count = data.counts[kind === "board" ? "deal" : kind];
    const shown = $("count-" + kind);
    if (shown) shown.textContent = count === undefined ? "" : " " + count.toLocaleString("en-US");
  });
  return data.changes;
}

async function guarded(action) {
  try {
    await action();
    $("trouble").hidden = true;
  } catch (error) {
    $("trouble").textContent = error instanceof TypeError ? "The sandbox does not answer. Is it still running?" : error.message;
    $("trouble").hidden = false;
  }
}

function choose(tab) {
  Object.assign(state, { tab, start: 0, text: "", open: null });
  $("search").value = "";
  $("detail").hidden = true;
  document.querySelectorAll("#tabs button").forEach((button) => button.setAttribute("aria-current", button.dataset.tab === tab));
  return guarded(show);
}

TABS.forEach(([kind, name]) => {
  const button = make("button", name, { type: "button" });
  button.dataset.tab = kind;
  button.append(make("span", "", { id: "count-" + kind }));
  button.addEventListener("click", () => choose(kind));
  $("tabs").append(button);
});
$("search").addEventListener("input", () => { state.text = $("search").value; state.start = 0; guarded(show); });
$("pipeline").addEventListener("change", () => { state.pipeline = $("pipeline").value; guarded(show); });
$("newer").addEventListener("click", () => { state.start = Math.max(0, state.start - 50); guarded(show); });
$("older").addEventListener("click", () => { state.start += 50; guarded(show); });

async function tick() {
  await guarded(async () => {
    const changes = await meters();
    if (changes !== state.seen) {
      state.seen = changes;
      await show();
      if (state.open) await read("record", { kind: state.open[0], id: state.open[1] }).then(detail, () => { $("detail").hidden = true; });
    }
  });
  setTimeout(tick, 2000);
}
choose("person").then(tick);
