"use strict";
// Adds search, sorting, the timeline's cursor and the theme's switch to a page that is whole without.
(() => {
  const byId = (id) => document.getElementById(id);
  const tables = [...document.querySelectorAll(".box table")].map((table) => {
    const body = table.tBodies[0];
    const note = document.createElement("p");
    note.className = "match";
    note.hidden = true;
    table.closest(".box").before(note);
    return { table, body, note, rows: [...body.rows], texts: null };
  });

  // Search: every word must stand in a row.
  const search = byId("search");
  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const one of tables) {
      one.texts ??= new Map(one.rows.map((row) => [row, row.textContent.toLowerCase()]));
      let shown = 0;
      for (const row of one.rows) {
        const text = one.texts.get(row);
        row.hidden = !words.every((word) => text.includes(word));
        shown += row.hidden ? 0 : 1;
      }
      one.note.hidden = words.length === 0;
      one.note.textContent = `${shown} of ${one.rows.length} rows match`;
    }
  }
  function searched() {
    const match = /^#search=(.*)$/.exec(location.hash);
    if (!match) return;
    try {
      search.value = decodeURIComponent(match[1]);
    } catch {
      search.value = match[1];
    }
    filter();
  }
  let waiting = 0;
  search.hidden = false;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      filter();
      const hash = search.value ? `#search=${encodeURIComponent(search.value)}` : location.pathname;
      try {
        history.replaceState(null, "", hash);
      } catch {
        // A page without an address of its own has none to change.
      }
    }, 120);
  });
  addEventListener("hashchange", searched);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      search.focus();
    }
  });
  searched();

  // Sorting: by a cell's number where it has one, else by its text; what has none stands last.
  const order = new Intl.Collator(undefined, { numeric: true });
  function value(row, column) {
    const cell = row.cells[column];
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const text = cell.textContent.trim();
    if (text === "–" || text === "") return null;
    return cell.classList.contains("n") && /^[\d,]+$/.test(text) ? Number(text.replaceAll(",", "")) : text;
  }
  function compare(one, other) {
    if (typeof one === "number" && typeof other === "number") return one - other;
    return order.compare(one, other);
  }
  for (const one of tables) {
    const heads = [...one.table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const isNumber = head.classList.contains("n");
        const was = head.getAttribute("aria-sort");
        const falls = was === null ? isNumber : was === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", falls ? "descending" : "ascending");
        const keyed = one.rows.map((row) => [value(row, column), row]);
        keyed.sort(([a], [b]) => {
          if (a === null || b === null) return (a === null) - (b === null);
          return falls ? compare(b, a) : compare(a, b);
        });
        one.body.append(...keyed.map(([, row]) => row));
      });
    });
  }

  // The timeline's cursor.
  const moments = JSON.parse(byId("moments").textContent);
  const axis = document.querySelector(".axis");
  const picture = axis.querySelector("svg.timeline");
  const cursor = byId("cursor");
  const readout = byId("readout");
  let at = null;
  readout.textContent = "Point at the timeline, or move through it with the arrow keys.";
  function clock(ms) {
    const after = `+${(ms / 1000).toFixed(ms < 100000 ? 2 : 0)} s`;
    if (moments.wall_ms === null) return after;
    return `${new Date(moments.wall_ms + ms).toISOString().slice(11, 23)} UTC (${after})`;
  }
  function show(ms) {
    at = Math.min(Math.max(ms, 0), moments.span_ms);
    const place = `${(at * 100) / Math.max(moments.span_ms, 1)}%`;
    cursor.setAttribute("x1", place);
    cursor.setAttribute("x2", place);
    cursor.removeAttribute("hidden");
    const sample = moments.samples.findLast(([time]) => time <= at);
    const near = moments.span_ms / 200;
    const deletes = moments.deletes.filter(([time]) => Math.abs(time - at) <= near);
    const count = deletes.reduce((sum, [, count]) => sum + count, 0);
    const gap = moments.gaps.find(([from, until]) => from - near <= at && at <= until + near);
    const told = [clock(at)];
    told.push(sample ? `${sample[1]} threads, ${sample[2]} handles` : "not counted");
    if (count > 0) told.push(`deletes ended around here: ${count}`);
    if (gap) told.push(`events lost around here: ${gap[2]}`);
    readout.textContent = told.join(" · ");
  }
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    show(((event.clientX - box.left) / box.width) * moments.span_ms);
  });
  axis.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    show((at ?? 0) + (step * moments.span_ms) / (event.shiftKey ? 20 : 200));
  });

  // The theme: what the reader's system prefers, until it is switched.
  const theme = byId("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const prefersDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = root.dataset.theme ?? (prefersDark ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });
})();
