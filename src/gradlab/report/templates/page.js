(() => {
"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
const main = document.querySelector("main");

// Values on hover: the texts that a browser without script shows by itself, at once and beside the mark.
const tip = document.body.appendChild(make("div", { id: "tip", hidden: true }));
for (const title of all(".hot title, .heat title")) {
  title.parentNode.dataset.tip = title.textContent;
  title.remove();
}
const say = (marks) => {
  tip.hidden = !marks.length;
  if (tip.hidden) return;
  tip.textContent = [...new Set(marks.map((mark) => mark.dataset.tip))].slice(0, 8).join("\n");
  const box = marks[0].getBoundingClientRect();
  const left = Math.min(box.right + 8, document.documentElement.clientWidth - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(8, left) + scrollX}px`;
  tip.style.top = `${Math.max(0, box.top - tip.offsetHeight - 6) + scrollY}px`;
};
const marksAt = (event) => {
  const under = document.elementsFromPoint(event.clientX, event.clientY).map((part) => part.closest("[data-tip]"));
  return [...new Set(under)].filter(Boolean);
};

// One series lit in all figures: while the pointer rests on it, or for good after a click on its name.
let pinned = null;
const light = (number) => {
  main.classList.toggle("lit", number !== null);
  for (const part of all("[data-s]")) part.classList.toggle("on", part.dataset.s === number);
  for (const name of all(".legend [data-s]")) name.setAttribute("aria-pressed", name.dataset.s === pinned);
};
const series = (target) => (target.closest ? target.closest("[data-s]") : null);
document.addEventListener("pointerover", (event) => {
  const part = series(event.target);
  light(part ? part.dataset.s : pinned);
  say(marksAt(event));
});
const pin = (part) => {
  pinned = pinned === part.dataset.s ? null : part.dataset.s;
  light(pinned);
};
document.addEventListener("click", (event) => {
  const part = series(event.target);
  if (part) pin(part);
});
for (const name of all(".legend [data-s]")) {
  name.tabIndex = 0;
  name.setAttribute("role", "button");
  name.setAttribute("aria-pressed", "false");
  name.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    pin(name);
  });
}

// Tables: a click on a column's name sorts by it, a field above long ones filters.
const value = (cell) => {
  if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
  const text = cell.textContent.trim().replace(/−/g, "-").replace(/(\d),(?=\d{3})/g, "$1");
  const power = text.match(/^[×]?10\^?(-?\d+\.\d+)/);
  if (power) return 10 ** Number(power[1]);
  return /^[+-]?\d/.test(text) ? parseFloat(text) : text.toLowerCase();
};
const compare = (a, b) => {
  if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
  return typeof a === "number" ? -1 : 1;
};
const sort = (table, column, head) => {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [value(row.cells[column]), row]);
  rows.sort((a, b) => (down ? -1 : 1) * compare(a[0], b[0]));
  table.tBodies[0].append(...rows.map((pair) => pair[1]));
};
for (const table of all("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const name = head.querySelector(".head");
    const button = make("button", { type: "button", className: "head", textContent: name.textContent });
    button.addEventListener("click", () => sort(table, column, head));
    name.replaceWith(button);
  });
  const rows = [...table.tBodies[0].rows];
  if (rows.length <= 15) continue;
  const field = make("input", { type: "search", className: "filter", placeholder: `Filter ${rows.length} rows` });
  field.setAttribute("aria-label", "Filter the rows of this table");
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
  table.closest(".scroll").before(field);
}

// Copy buttons for commands and the citation.
const copy = async (pre) => {
  try {
    await navigator.clipboard.writeText(pre.textContent);
  } catch {
    getSelection().selectAllChildren(pre);
    document.execCommand("copy");
  }
};
for (const pre of all("pre")) {
  const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
  button.addEventListener("click", async () => {
    await copy(pre);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  const box = make("div", { className: "copied" });
  pre.replaceWith(box);
  box.append(pre, button);
}

// Folds: all claims at once, and whatever a link points into.
const claims = all("details.claim");
if (claims.length > 1) {
  const button = make("button", { type: "button", className: "all", textContent: "Open all" });
  button.addEventListener("click", () => {
    const open = claims.some((claim) => !claim.open);
    for (const claim of claims) claim.open = open;
    button.textContent = open ? "Close all" : "Open all";
  });
  document.querySelector(".claims").before(button);
}
const unfold = () => {
  let part = document.getElementById(location.hash.slice(1));
  if (!part) return;
  for (let fold = part; fold; fold = fold.parentElement) if (fold.tagName === "DETAILS") fold.open = true;
  part.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
})();
