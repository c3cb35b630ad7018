// A figure of kronos_dashboard.charts in a browser: draws it in place, keeps the reader's view when the candles move,
// puts date labels and the price range on what is in view, and repaints when the theme changes. Needs a global Plotly.
// No imports, so that an exported page can carry it whole.

const DAY = 86400;
const WITHIN_A_DAY = [43200, 21600, 10800, 3600, 1800, 900, 300, 60, 15, 1];
const YEAR = 3, MONTH = 5, DATE = 9; // the last levels that are counted in years, in months, in days
const ARRAYS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u4: Uint32Array, i2: Int16Array, u2: Uint16Array, i1: Int8Array, u1: Uint8Array };
const CONFIG = { displayModeBar: false, scrollZoom: true, doubleClick: false, responsive: false, showSendToCloud: false };

// ------------------------------------------------------------------------------------------------ reading a figure

function array(type, text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new ARRAYS[type](bytes.buffer);
}

// The figure behind a JSON text; flat arrays come decoded, so that they can be looked through before anything is drawn.
function read(text) {
  return JSON.parse(text, (_, value) => (value && value.bdata && !value.shape ? array(value.dtype, value.bdata) : value));
}

// The same text in the colours of another theme.
function repaint(text, from, to) {
  const table = new Map();
  for (const part of Object.keys(from)) {
    table.set(from[part], to[part]);
    table.set(triple(from[part]), triple(to[part]));
  }
  return text.replace(/#[0-9a-f]{6}\b|rgba\(\d+,\d+,\d+,/g, (colour) => table.get(colour) ?? colour);
}

function triple(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgba(${red},${green},${blue},`;
}

// A figure with the traces of a patch in the place of their namesakes, or over the rest.
function patched(figure, patch) {
  if (!patch) return figure;
  const fresh = new Map(patch.data.map((trace) => [trace.meta, trace]));
  const data = figure.data.map((trace) => {
    const found = fresh.get(trace.meta);
    fresh.delete(trace.meta);
    return found ?? trace;
  });
  return { data: [...fresh.values(), ...data], layout: figure.layout };
}

// ------------------------------------------------------------------------------------------------ dates on the axis

function keys(seconds) {
  const time = new Date(seconds * 1000);
  const year = time.getUTCFullYear(), month = year * 12 + time.getUTCMonth(), day = time.getUTCDate() - 1;
  return [
    ...[10, 5, 2, 1].map((step) => Math.floor(year / step)),
    ...[3, 1].map((step) => Math.floor(month / step)),
    month * 2 + (day >= 14 ? 1 : 0),
    month * 4 + Math.min(Math.floor(day / 7), 3),
    month * 16 + Math.min(Math.floor(day / 2), 14),
    Math.floor(seconds / DAY),
    ...WITHIN_A_DAY.map((step) => Math.floor(seconds / step)),
  ];
}

// For each bar the coarsest unit that begins with it; the first bar begins nothing that can be known.
function levels(clock) {
  if (clock.levels) return clock.levels;
  const found = new Uint8Array(clock.seconds.length).fill(WITHIN_A_DAY.length + DATE);
  let before = keys(clock.seconds[0]);
  for (let at = 1; at < found.length; at += 1) {
    const now = keys(clock.seconds[at]);
    const level = now.findIndex((key, unit) => key !== before[unit]);
    if (level >= 0) found[at] = level;
    before = now;
  }
  clock.levels = found;
  return found;
}

// Positions and labels for the bars between first and last, at most about `target` of them.
function ticks(clock, first, last, target) {
  const position = (row) => (clock.positions ? clock.positions[row] : row);
  const found = levels(clock), gap = (0.6 * (last - first)) / Math.max(1, target);
  const rows = [];
  for (let row = 1; row < found.length; row += 1) {
    if (position(row) >= first && position(row) <= last) rows.push(row);
  }
  let chosen = [];
  for (let level = 0; level <= DATE + WITHIN_A_DAY.length; level += 1) {
    const here = rows.filter((row) => found[row] === level);
    let fits = [];
    for (const row of here) {
      if ([...chosen, ...fits.slice(-1)].every((other) => Math.abs(position(row) - position(other)) >= gap)) fits.push(row);
    }
    const tooMany = chosen.length + fits.length > 1.25 * target, patchy = fits.length < 0.4 * here.length;
    if (chosen.length >= 3 && (tooMany || patchy)) break;
    if (tooMany) {
      const step = Math.ceil(fits.length / target);
      fits = fits.filter((_, at) => at % step === 0);
    }
    chosen = [...chosen, ...fits].sort((one, other) => one - other);
  }
  return {
    tickvals: chosen.map(position),
    ticktext: chosen.map((row, at) => label(clock, row, found[row], at === 0)),
  };
}

function label(clock, row, level, first) {
  const time = new Date(clock.seconds[row] * 1000), year = time.getUTCFullYear();
  const month = clock.months[time.getUTCMonth()];
  if (level <= YEAR) return `<b>${year}</b>`;
  if (level <= MONTH) return first ? `${month}<br>${year}` : `<b>${month}</b>`;
  const day = clock.day.replace("{day}", time.getUTCDate()).replace("{month}", month);
  if (level <= DATE) return first ? `${day}<br>${year}` : day;
  const hour = time.toISOString().slice(11, time.getUTCSeconds() ? 19 : 16);
  return first ? `${hour}<br>${day} ${year}` : hour;
}

// ------------------------------------------------------------------------------------------------ prices in view

// The range of prices [low, high] of what is drawn between two positions; in powers of ten on a logarithmic axis.
function fit(data, first, last, log) {
  let low = Infinity, high = -Infinity;
  for (const trace of data) {
    if ((trace.yaxis && trace.yaxis !== "y") || trace.visible === "legendonly" || !trace.x) continue;
    const below = trace.low ?? trace.y, above = trace.high ?? trace.y;
    for (let at = 0; at < trace.x.length; at += 1) {
      if (trace.x[at] < first - 1 || trace.x[at] > last + 1) continue;
      if (below[at] < low) low = below[at];
      if (above[at] > high) high = above[at];
    }
  }
  if (!(low <= high)) return null;
  if (log && low > 0) [low, high] = [Math.log10(low), Math.log10(high)];
  const room = (high - low || Math.abs(high) * 0.01 || 1) * 0.06;
  return [low - room, high + room];
}

// As many decimals as tell neighbouring labels apart, the same for all of them.
function digits([low, high]) {
  const step = (high - low) / 8;
  return `,.${Math.min(12, Math.max(0, Math.ceil(-Math.log10(step))))}f`;
}

// ------------------------------------------------------------------------------------------------ one chart

class Chart {
  // `element` is emptied and drawn into; `listen` is told of what the reader does: view, drawn.
  constructor(element, listen = {}) {
    this.element = element;
    this.listen = listen;
    this.view = null; // [first, last], or null while all is shown
    this.stretch = 1; // of the price axis
    this.log = null; // the reader's choice of axis, or null for the figure's own
    this.hidden = new Set();
    this.numbers = new Map();
    this.grown = null; // the price range while a fan grows: it may widen, not jump
    this.frames = 0;
    this.drawing = Promise.resolve();
  }

  // Show a figure that was painted for `painted`, "light" or "dark". The view is kept when the figure says that it shows
  // the same thing; a patch is kept when it belongs to the same `base` and the figure has nothing newer.
  show(text, { themes, painted, dark, base } = {}) {
    [this.text, this.themes, this.painted, this.dark] = [text, themes, painted ?? "light", dark ?? this.dark];
    this.prepare();
    const newer = this.over && this.figure.data.some((trace) => this.over.data.some((other) => other.meta === trace.meta));
    if (newer || base !== this.base) this.lay(null);
    this.base = base;
    return this.redraw();
  }

  // Lay traces over the figure until the next one is shown; null takes them away.
  grow(text) {
    this.lay(text);
    return this.redraw();
  }

  lay(text) {
    this.patch = text;
    this.over = text && read(this.coloured(text));
    if (!text) this.grown = null;
  }

  theme(dark) {
    if (dark === this.dark) return this.drawing;
    this.dark = dark;
    this.prepare();
    return this.redraw();
  }

  prepare() {
    const figure = read(this.coloured(this.text));
    const view = figure.layout.meta?.view;
    if (view !== this.shown) [this.view, this.stretch, this.shown] = [null, 1, view];
    this.figure = figure;
    this.home = figure.layout.xaxis?.range;
    this.over = this.patch && read(this.coloured(this.patch));
  }

  coloured(text) {
    if (!this.themes) return text;
    const wanted = this.dark ? "dark" : "light";
    return wanted === this.painted ? text : repaint(text, this.themes[this.painted], this.themes[wanted]);
  }

  // Draw what there is now; calls that come while it is being drawn are done as one.
  redraw() {
    if (!this.waiting) {
      this.waiting = true;
      const paint = () => {
        this.waiting = false;
        return this.paint();
      };
      this.drawing = this.drawing.then(paint, paint); // one that failed does not hold up the next
    }
    return this.drawing;
  }

  async paint() {
    if (this.gone || !this.figure || !this.element.clientWidth) return;
    const { data, layout } = patched(this.figure, this.over);
    for (const trace of data) {
      trace.uid = this.number(trace.meta);
      if (this.hidden.has(trace.legendgroup ?? trace.meta)) trace.visible = "legendonly";
      else if (trace.visible === "legendonly") delete trace.visible;
    }
    this.data = data;
    const dressed = { ...layout, ...this.sizes(layout), xaxis: { ...layout.xaxis }, yaxis: { ...layout.yaxis } };
    if (layout.meta?.clock) this.place(dressed);
    await Plotly.react(this.element, data, dressed, CONFIG);
    if (!this.bound) this.bind();
    this.frames += 1;
    this.element.dataset.frames = String(this.frames);
    this.listen.drawn?.(this);
  }

  // Plotly looks traces up by classes made of their uid, so a name with a dot or a blank would not do.
  number(name) {
    if (!this.numbers.has(name)) this.numbers.set(name, `trace${this.numbers.size}`);
    return this.numbers.get(name);
  }

  sizes(layout) {
    const width = this.element.clientWidth, narrow = width < 560;
    const margin = { ...layout.margin, ...(this.headed ? { t: 6 } : {}) };
    return { width, height: this.height ?? layout.height, margin, autosize: false, showlegend: !this.headed, hoverlabel: { ...layout.hoverlabel, font: { ...layout.hoverlabel?.font, size: narrow ? 10 : 12 } } };
  }

  // Ranges and labels for the view.
  place(layout) {
    const [first, last] = this.view ?? this.home, { xaxis, yaxis } = layout;
    xaxis.range = [first, last];
    Object.assign(xaxis, ticks(layout.meta.clock, first, last, Math.max(2, Math.round(this.element.clientWidth / 90))));
    if (this.log !== null && this.log !== (yaxis.type === "log")) this.flip(layout);
    const range = this.prices(first, last, yaxis.type === "log");
    if (range) Object.assign(yaxis, { range, autorange: false }, yaxis.type === "log" ? {} : { tickformat: digits(range) });
  }

  // The other kind of price axis; annotations on a logarithmic one count in powers of ten.
  flip(layout) {
    layout.yaxis.type = this.log ? "log" : "linear";
    layout.annotations = layout.annotations?.map((note) => (note.yref === "y" ? { ...note, y: this.log ? Math.log10(note.y) : 10 ** note.y } : note));
  }

  prices(first, last, log) {
    let range = fit(this.data, first, last, log);
    if (!range) return null;
    if (this.patch) {
      if (this.grown) range = [Math.min(range[0], this.grown[0]), Math.max(range[1], this.grown[1])];
      this.grown = range;
    }
    const middle = (range[0] + range[1]) / 2, half = ((range[1] - range[0]) / 2) * this.stretch;
    return [middle - half, middle + half];
  }

  bind() {
    this.bound = true;
    const { element } = this;
    element.on("plotly_relayout", (change) => this.moved(change));
    element.on("plotly_doubleclick", () => this.reset());
    element.addEventListener("wheel", (event) => this.scale(event), { capture: true, passive: false });
  }

  // The reader has dragged or zoomed: labels and prices follow.
  moved(change) {
    const first = change["xaxis.range[0]"] ?? change["xaxis.range"]?.[0];
    const last = change["xaxis.range[1]"] ?? change["xaxis.range"]?.[1];
    if (first === undefined || last === undefined || !this.figure.layout.meta?.clock) return;
    this.view = [first, last];
    this.grown = null;
    this.redraw();
    this.listen.view?.(this.view);
  }

  // The wheel over the prices stretches them.
  scale(event) {
    const box = this.element.getBoundingClientRect(), { l, w } = this.element._fullLayout._size;
    if (event.clientX - box.left < l + w || !this.figure.layout.meta?.clock) return;
    event.preventDefault();
    event.stopPropagation();
    this.stretch = Math.min(20, Math.max(0.1, this.stretch * Math.exp(event.deltaY / 600)));
    this.redraw();
  }

  reset() {
    [this.view, this.stretch, this.grown] = [null, 1, null];
    this.listen.view?.(this.home);
    return this.redraw();
  }

  toggle(group) {
    if (!this.hidden.delete(group)) this.hidden.add(group);
    return this.redraw();
  }

  logarithmic(on) {
    this.log = on;
    return this.redraw();
  }

  get isLog() {
    return this.log ?? this.figure.layout.yaxis?.type === "log";
  }

  // The chart as a file, on the ground of its theme.
  async save(format, name, ground) {
    const { data, layout } = this.element;
    const title = { text: this.figure.layout.meta?.title ?? "", font: { size: 14 }, x: 0.01, xanchor: "left", y: 0.985, yanchor: "top" };
    const whole = { ...layout, paper_bgcolor: ground, plot_bgcolor: ground, showlegend: true, title, margin: { ...layout.margin, t: 64 }, legend: { orientation: "h", x: 0, y: 1.0, yanchor: "bottom" } };
    const size = { width: Math.max(900, this.element.clientWidth), height: Math.max(520, this.element.clientHeight) };
    const picture = await Plotly.toImage({ data, layout: { ...whole, ...size } }, { format, ...size, scale: format === "png" ? 2 : 1 });
    const link = Object.assign(document.createElement("a"), { href: picture, download: `${name.replace(/[^\p{L}\p{N}.-]+/gu, "_")}.${format}` });
    link.click();
  }

  destroy() {
    this.gone = true;
    if (this.bound) Plotly.purge(this.element);
  }
}

export { Chart, fit, read, repaint, ticks };
