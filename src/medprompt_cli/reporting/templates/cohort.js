"use strict";
/* Ratings, and points that lead to subjects. Nothing leaves the browser. */
(() => {
  const $ = (id) => document.getElementById(id);
  const { title, cases } = JSON.parse($("index").textContent);
  const rows = [...$("cases").tBodies[0].rows];
  const store = `medprompt ratings: ${title}`;
  const RATINGS = ["pass", "fail"];
  let ratings = {};
  try {
    ratings = JSON.parse(localStorage.getItem(store)) || {};
  } catch {
    /* a browser may keep nothing for pages from disk: ratings last until the page is left */
  }

  function keep() {
    try {
      localStorage.setItem(store, JSON.stringify(ratings));
    } catch {
      /* as above */
    }
    const count = cases.filter(([name]) => ratings[name] && ratings[name].rating).length;
    $("rated").textContent = `${count} of ${cases.length} rated`;
  }

  function rate(name, change) {
    ratings[name] = { rating: "", comment: "", ...ratings[name], ...change };
    keep();
  }

  /* Buttons and a field in the last two cells of a row. */
  rows.forEach((row, n) => {
    const [name] = cases[n];
    const [buttons, comment] = [...row.cells].slice(-2);
    const mark = () => {
      const { rating } = ratings[name] || {};
      for (const button of buttons.children)
        button.setAttribute("aria-pressed", String(button.value === rating));
    };
    for (const value of RATINGS) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", value, textContent: value, className: value });
      button.onclick = () => {
        const again = ratings[name] && ratings[name].rating === value;
        rate(name, { rating: again ? "" : value });
        mark();
      };
      buttons.append(button);
    }
    const field = document.createElement("input");
    field.value = (ratings[name] && ratings[name].comment) || "";
    field.ariaLabel = `comment on ${name}`;
    field.onchange = () => rate(name, { comment: field.value });
    comment.append(field);
    mark();
  });

  function choose() {
    const wanted = $("find").value.trim().toLowerCase();
    rows.forEach((row, n) => {
      const [name] = cases[n];
      const rated = ratings[name] && ratings[name].rating;
      row.hidden = !name.toLowerCase().includes(wanted) || ($("unrated").checked && rated);
    });
  }

  function table() {
    const clean = (text) => text.replace(/\s+/g, " ").trim() || "n/a";
    const part = (name, key) => (name.match(new RegExp(`${key}-[0-9A-Za-z]+`)) || ["n/a"])[0];
    const lines = cases
      .filter(([name]) => ratings[name] && (ratings[name].rating || ratings[name].comment))
      .map(([name]) => [
        part(name, "sub"), part(name, "ses"), clean(name),
        ratings[name].rating || "n/a", clean(ratings[name].comment),
      ]);
    const head = ["participant_id", "session_id", "case", "rating", "comment"];
    return [head, ...lines].map((cells) => `${cells.join("\t")}\n`).join("");
  }

  $("save").onclick = () => {
    const url = URL.createObjectURL(new Blob([table()], { type: "text/tab-separated-values" }));
    const link = Object.assign(document.createElement("a"), { href: url, download: "ratings.tsv" });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
  $("find").oninput = choose;
  $("unrated").onchange = choose;
  keep();

  /* Sort by a column, numbers as numbers; again for the other way round. */
  const heads = [...$("cases").tHead.rows[0].cells].slice(0, -2);
  heads.forEach((head, column) => {
    head.onclick = () => {
      const down = head.ariaSort === "ascending";
      heads.forEach((other) => { other.ariaSort = "none"; });
      head.ariaSort = down ? "descending" : "ascending";
      const text = (row) => row.cells[column].textContent;
      const order = [...rows].sort((a, b) => text(a).localeCompare(text(b), "en", { numeric: true }));
      $("cases").tBodies[0].append(...(down ? order.reverse() : order));
    };
  });

  /* The scan whose point is nearest to the pointer. */
  const NEAR = 8;
  const read = new WeakMap();

  function pointsOf(plot) {
    if (read.has(plot)) return read.get(plot);
    const indices = plot.dataset.cases.split(" ").flatMap((range) => {
      const [first, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, n) => first + n);
    });
    const values = plot.dataset.values.split(" ");
    const moves = plot.querySelector("path").getAttribute("d").slice(1).split("M");
    const points = moves.map((move, n) => {
      const [x, y] = move.replace("h0", "").split(" ").map(Number);
      return { x, y, value: values[n], name: cases[indices[n]][0], page: cases[indices[n]][1] };
    });
    read.set(plot, points);
    return points;
  }

  function nearest(event) {
    const plot = event.target.closest("svg.strip");
    if (!plot) return null;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
    let best = null;
    let apart = NEAR ** 2;
    for (const point of pointsOf(plot)) {
      const distance = (point.x - at.x) ** 2 + (point.y - at.y) ** 2;
      if (distance <= apart) [best, apart] = [point, distance];
    }
    return best;
  }

  const strips = document.querySelector(".strips");
  strips.addEventListener("pointermove", (event) => {
    const point = nearest(event);
    $("point").textContent = point ? `${point.name}: ${point.value}` : "\u00a0";
    strips.style.cursor = point && point.page ? "pointer" : "";
  });
  strips.addEventListener("click", (event) => {
    if (event.target.closest("a")) return;
    const point = nearest(event);
    if (point && point.page) location.href = point.page;
  });
})();
