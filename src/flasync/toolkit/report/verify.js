// Filters, and waterfalls that can be zoomed, moved and asked for details.
"use strict";
(() => {
  const FULL = 1000;              // the width of a drawing in its own units
  const DEEPEST = FULL / 2000;    // the narrowest part of it that is shown
  const LABELS = 4;               // calls that are named in a drawing
  const LABEL_PX = 120;           // the narrowest bar that has room for the beginning of a name
  const LETTER_PX = 7;            // the width of a name's letter, at most
  const TICK_PX = 55;             // the width of a time on the axis
  const BAR_PX = 8;               // the narrowest bar whose call is named beside it
  const ROW_PX = 9;               // the lowest row that has room for a name
  const data = JSON.parse(document.getElementById("data").textContent);

  const format = (ms) => ms >= 1000 ? `${(ms / 1000).toFixed(2)} s`
    : `${ms.toFixed(ms >= 10 ? 0 : 1)} ms`;
  const make = (name, text = "", parent = null) => {
    const element = document.createElement(name);
    element.textContent = text;
    parent?.append(element);
    return element;
  };
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const pickStep = (span) => {
    const rough = span / 6;
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  };

  class Waterfall {
    constructor(figure) {
      const route = data.routes[figure.dataset.route];
      this.figure = figure;
      this.unitMs = route.span / FULL;
      this.box = figure.querySelector(".panels");
      this.tip = figure.querySelector(".tip");
      this.panels = [...figure.querySelectorAll(".panel")].map((element, index) => ({
        element, ...route.panels[index],
        plot: element.querySelector(".plot"), svg: element.querySelector(".plot svg"),
        grid: element.querySelector(".grid"), axis: element.querySelector(".axis"),
        labels: element.querySelector(".labels"), marker: element.querySelector(".marker"),
      }));
      this.home = FULL;
      this.view = { from: 0, width: FULL };
      this.chosen = null;
      figure.querySelector(".tools").hidden = false;
      this.box.tabIndex = 0;
      this.box.setAttribute("role", "application");
      this.listen();
      new ResizeObserver(() => this.draw()).observe(this.box);
    }

    get shown() { return this.panels.filter(({ element }) => !element.classList.contains("hidden")); }

    listen() {
      for (const button of this.figure.querySelectorAll(".zoom button")) {
        button.addEventListener("click", () => this.command(button.value));
      }
      for (const input of this.figure.querySelectorAll(".views input")) {
        input.addEventListener("change", () => this.show(input.value));
      }
      this.box.addEventListener("keydown", (event) => this.press(event));
      this.box.addEventListener("wheel", (event) => this.turn(event), { passive: false });
      this.box.addEventListener("pointerdown", (event) => this.grab(event));
      this.box.addEventListener("pointermove", (event) => this.point(event));
      this.box.addEventListener("pointerleave", () => this.forget());
      this.box.addEventListener("blur", () => this.forget());
      addEventListener("beforeprint", () => this.set(0, this.home));
    }

    show(which) {
      this.panels.forEach(({ element }, index) =>
        element.classList.toggle("hidden", which !== "all" && Number(which) !== index));
      this.forget();
      const alone = this.panels[which];
      this.home = alone ? Math.min(FULL, alone.end / this.unitMs * 1.015) : FULL;
      this.set(0, this.home);
    }

    set(from, width) {
      this.view.width = clamp(width, DEEPEST, FULL);
      this.view.from = clamp(from, 0, FULL - this.view.width);
      this.draw();
    }

    zoom(factor, share = 0.5) {
      const { from, width } = this.view;
      const next = clamp(width / factor, DEEPEST, FULL);
      this.set(from + (width - next) * share, next);
    }

    move(share) { this.set(this.view.from + this.view.width * share, this.view.width); }

    command(name) {
      if (name === "in") this.zoom(2);
      else if (name === "out") this.zoom(0.5);
      else this.set(0, this.home);
    }

    draw() {
      const { from, width } = this.view;
      for (const panel of this.shown) {
        const pixels = panel.svg.clientWidth;
        if (!pixels) continue;
        panel.svg.setAttribute("viewBox", `${from} 0 ${width} ${panel.svg.getAttribute("height")}`);
        // Patterns keep their shape, however the drawing is stretched.
        for (const pattern of panel.svg.querySelectorAll("pattern")) {
          pattern.setAttribute("patternTransform", `scale(${width / pixels} 1)`);
        }
        this.drawAxis(panel);
        this.drawLabels(panel, pixels);
      }
      this.figure.dataset.zoom = (FULL / width).toFixed(2);
    }

    drawAxis(panel) {
      const { from, width } = this.view;
      const endMs = (from + width) * this.unitMs;
      const step = pickStep(width * this.unitMs);
      const [unit, unitName] = endMs >= 2000 ? [1000, "s"] : [1, "ms"];
      const digits = Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9));
      let path = "";
      panel.axis.replaceChildren();
      for (let n = Math.ceil(from * this.unitMs / step); n * step <= endMs; n++) {
        const at = n * step / this.unitMs;
        const tick = make("span", `${(n * step / unit).toFixed(digits)} ${unitName}`, panel.axis);
        const share = (at - from) / width;
        tick.style.left = `${share * 100}%`;
        tick.hidden = share > 0.5 && (1 - share) * panel.axis.clientWidth < TICK_PX;
        path += `M${at} 0v${panel.svg.getAttribute("height")}`;
      }
      panel.grid.setAttribute("d", path);
    }

    drawLabels(panel, pixels) {
      panel.labels.replaceChildren();
      if (panel.rowHeight < ROW_PX) return;
      const named = new Set();
      panel.rows.forEach((row, index) => {
        for (const mark of row.marks) {
          const name = data.texts[mark[3]];
          const spot = name && !named.has(name) && this.findSpot(row, mark, name, pixels);
          if (!spot || named.size === LABELS) continue;
          named.add(name);
          const label = make("span", name, panel.labels);
          label.style.left = `${spot.left}px`;
          label.style.top = `${panel.rowsTop + (index + 0.5) * panel.rowHeight}px`;
          label.style.maxWidth = `${spot.room - 8}px`;
          return;  // one name a row
        }
      });
    }

    // In the bar where a name fits, else behind the request's end, else its beginning in the bar.
    findSpot({ marks }, mark, name, pixels) {
      const toPixels = (ms) => (ms / this.unitMs - this.view.from) / this.view.width * pixels;
      const left = Math.max(toPixels(mark[1]), 0);
      const room = Math.min(toPixels(mark[2]), pixels) - left;
      const wanted = name.length * LETTER_PX + 12;
      if (room >= wanted) return { left, room };
      const end = toPixels(marks.at(-1)[2]) + 4;
      if (room >= BAR_PX && end >= 0 && pixels - end >= wanted) return { left: end, room: wanted };
      return room >= LABEL_PX ? { left, room } : null;
    }

    press(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const actions = {
        "+": () => this.zoom(2), "=": () => this.zoom(2), "-": () => this.zoom(0.5),
        0: () => this.set(0, this.home),
        ArrowLeft: () => this.move(-0.2), ArrowRight: () => this.move(0.2),
        ArrowUp: () => this.step(-1), ArrowDown: () => this.step(1),
        Home: () => this.step(-Infinity), End: () => this.step(Infinity),
        Escape: () => this.forget(),
      };
      if (!Object.hasOwn(actions, event.key)) return;
      event.preventDefault();
      actions[event.key]();
    }

    turn(event) {
      if (event.ctrlKey || event.metaKey) {
        const bounds = this.shown[0].plot.getBoundingClientRect();
        this.zoom(1.0015 ** -event.deltaY, clamp((event.clientX - bounds.left) / bounds.width, 0, 1));
      } else if (event.shiftKey) {
        this.move((event.deltaY || event.deltaX) / 1000);
      } else {
        return;  // the page scrolls
      }
      event.preventDefault();
    }

    grab(event) {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      const from = this.view.from;
      const drag = (moved) => {
        const share = (event.clientX - moved.clientX) / this.shown[0].plot.clientWidth;
        this.set(from + share * this.view.width, this.view.width);
      };
      this.figure.classList.add("dragging");
      addEventListener("pointermove", drag);
      addEventListener("pointerup", () => {
        removeEventListener("pointermove", drag);
        this.figure.classList.remove("dragging");
      }, { once: true });
    }

    point(event) {
      for (const panel of this.shown) {
        const bounds = panel.plot.getBoundingClientRect();
        const y = event.clientY - bounds.top;
        if (y < 0 || y >= bounds.height) continue;
        const row = Math.floor((y - panel.rowsTop) / panel.rowHeight);
        if (y < panel.rowsTop) return this.pointPing(panel, event, bounds);
        if (row < panel.rows.length) return this.choose(panel, row, event.clientX);
      }
      this.forget();
    }

    pointPing(panel, event, bounds) {
      const { from, width } = this.view;
      const ms = (from + (event.clientX - bounds.left) / bounds.width * width) * this.unitMs;
      const reach = 4 / bounds.width * width * this.unitMs;
      const ping = panel.pings.find(([start, end]) => start - reach <= ms && ms <= end + reach);
      if (!ping) return this.forget();
      this.forget();
      make("b", `Ping of the bystander${ping[2] ? ", failed" : ""}`, this.tip);
      this.list([["sent at", ping[0]], ["answered after", ping[1] - ping[0]]]);
      this.place(event.clientX, bounds.top + panel.rowsTop);
    }

    step(by) {
      const all = this.shown.flatMap((panel) => panel.rows.map((_, row) => ({ panel, row })));
      const now = all.findIndex(({ panel, row }) =>
        this.chosen && panel === this.chosen.panel && row === this.chosen.row);
      const next = now < 0 ? Math.max(0, by - 1) : now + by;  // the first key chooses the first
      const { panel, row } = all[clamp(next, 0, all.length - 1)];
      const bounds = panel.plot.getBoundingClientRect();
      this.choose(panel, row, bounds.left + bounds.width / 2);
      panel.marker.scrollIntoView({ block: "nearest" });
    }

    choose(panel, row, x) {
      if (this.chosen?.panel !== panel || this.chosen.row !== row) {
        this.forget();
        this.chosen = { panel, row };
        this.tell(panel.rows[row]);
      }
      panel.marker.hidden = false;
      panel.marker.style.top = `${panel.rowsTop + row * panel.rowHeight}px`;
      panel.marker.style.height = `${panel.rowHeight}px`;
      this.place(x, panel.marker.getBoundingClientRect().bottom);
    }

    tell({ number, answer, took, times, marks }) {
      make("b", `Request ${number}: ${data.texts[answer]}, ${format(took)}`, this.tip);
      this.list(times);
      const sums = new Map();
      for (const [phase, start, end, name] of marks) {
        const text = [data.texts[phase], data.texts[name]].filter(Boolean).join(": ");
        sums.set(text, (sums.get(text) ?? 0) + end - start);
      }
      const longest = [...sums].sort((one, other) => other[1] - one[1]);
      if (longest.length) make("div", "On the server", this.tip).className = "quiet";
      this.list(longest.slice(0, 6));
      if (longest.length > 6) make("div", `and ${longest.length - 6} more`, this.tip);
    }

    list(pairs) {
      const list = make("dl", "", this.tip);
      for (const [name, ms] of pairs) {
        make("dt", name, list);
        make("dd", format(ms), list);
      }
    }

    place(x, y) {
      this.tip.hidden = false;
      const bounds = this.figure.getBoundingClientRect();
      const left = clamp(x - bounds.left + 14, 0, bounds.width - this.tip.offsetWidth);
      const below = y + 8 + this.tip.offsetHeight < innerHeight;
      this.tip.style.left = `${left}px`;
      this.tip.style.top = `${y - bounds.top + (below ? 8 : -this.tip.offsetHeight - 28)}px`;
    }

    forget() {
      this.chosen = null;
      this.tip.hidden = true;
      this.tip.replaceChildren();
      this.panels.forEach(({ marker }) => { marker.hidden = true; });
    }
  }

  document.querySelectorAll(".waterfall").forEach((figure) => new Waterfall(figure));

  const form = document.querySelector(".filters");
  const filter = () => {
    const wanted = form.text.value.trim().toLowerCase();
    const outcomes = new Set([...form.querySelectorAll("[name=outcome]:checked")].map((box) => box.value));
    const rows = [...document.querySelectorAll("tr.route")];
    let number = 0;
    for (const row of rows) {
      const section = document.getElementById(row.dataset.section);
      const facts = [...section.querySelectorAll(".facts-of")];
      const text = [row, ...facts].map((element) => element.textContent).join(" ");
      const visible = outcomes.has(row.dataset.outcome)
        && (!form.unlike?.checked || "unlike" in row.dataset)
        && text.toLowerCase().includes(wanted);
      row.classList.toggle("hidden", !visible);
      section.classList.toggle("hidden", !visible);
      number += visible;
    }
    form.shown.value = number === rows.length ? "" : `${number} of ${rows.length} routes`;
  };
  if (form) {
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    filter();  // a reloaded page keeps what was typed
  }

  const openTarget = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) {
      target.classList.remove("hidden");
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", openTarget);
  openTarget();
})();
