// Draws a figure of kronos_dashboard.charts in place: keeps the reader's view when the candles change, fits date labels and
// the price range to the view, and changes the colors with the theme. Needs a global Plotly. Without imports, so that an
// exported page can contain it (kronos_dashboard/charts/html_page.py).

const DAY_S = 86400;
const STEPS_S = [43200, 21600, 10800, 3600, 1800, 900, 300, 60, 15, 1];
const LAST_YEAR_LEVEL = 3, LAST_MONTH_LEVEL = 5, LAST_DAY_LEVEL = 9; // the finest levels that count years, months, days
const ARRAYS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u4: Uint32Array, i2: Int16Array, u2: Uint16Array, i1: Int8Array, u1: Uint8Array };
const CONFIG = { displayModeBar: false, scrollZoom: true, doubleClick: false, responsive: false, showSendToCloud: false };

// ------------------------------------------------------------------------------------------------ reading a figure

function decodeArray(type, text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new ARRAYS[type](bytes.buffer);
}

// The figure of a JSON text. Flat arrays are decoded, since `fitPrices` reads them before Plotly does.
function parseFigure(text) {
  return JSON.parse(text, (_, value) => (value && value.bdata && !value.shape ? decodeArray(value.dtype, value.bdata) : value));
}

// The JSON text of a figure with the colors of one theme replaced by those of another.
function repaint(text, from, to) {
  const table = new Map();
  for (const role of Object.keys(from)) {
    table.set(from[role], to[role]);
    table.set(rgbPrefix(from[role]), rgbPrefix(to[role]));
  }
  return text.replace(/#[0-9a-f]{6}\b|rgba\(\d+,\d+,\d+,/g, (color) => table.get(color) ?? color);
}

function rgbPrefix(color) {
  const [red, green, blue] = [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));
  return `rgba(${red},${green},${blue},`;
}

// A figure with the traces of a patch: they replace the traces of the same identifier; new ones come first.
function applyPatch(figure, patch) {
  if (!patch) return figure;
  const updates = new Map(patch.data.map((trace) => [trace.meta, trace]));
  const data = figure.data.map((trace) => {
    const update = updates.get(trace.meta);
    updates.delete(trace.meta);
    return update ?? trace;
  });
  return { data: [...updates.values(), ...data], layout: figure.layout };
}

// ------------------------------------------------------------------------------------------------ dates on the axis

// The algorithm of kronos_dashboard/charts/axis.py; a test compares them.

// The number of each unit at a local time, from decades to seconds.
function unitKeys(seconds) {
  const time = new Date(seconds * 1000);
  const year = time.getUTCFullYear(), month = year * 12 + time.getUTCMonth(), day = time.getUTCDate() - 1;
  return [
    ...[10, 5, 2, 1].map((step) => Math.floor(year / step)),
    ...[3, 1].map((step) => Math.floor(month / step)),
    month * 2 + (day >= 14 ? 1 : 0),
    month * 4 + Math.min(Math.floor(day / 7), 3),
    month * 16 + Math.min(Math.floor(day / 2), 14),
    Math.floor(seconds / DAY_S),
    ...STEPS_S.map((step) => Math.floor(seconds / step)),
  ];
}

// The coarsest unit that starts at each bar; unknown for the first one.
function startingUnits(clock) {
  if (clock.levels) return clock.levels;
  const units = new Uint8Array(clock.seconds.length).fill(STEPS_S.length + LAST_DAY_LEVEL);
  let previous = unitKeys(clock.seconds[0]);
  for (let bar = 1; bar < units.length; bar += 1) {
    const current = unitKeys(clock.seconds[bar]);
    const level = current.findIndex((key, unit) => key !== previous[unit]);
    if (level >= 0) units[bar] = level;
    previous = current;
  }
  clock.levels = units;
  return units;
}

// Positions and labels for the bars between first and last, at most about `target` of them.
function ticks(clock, first, last, target) {
  const position = (row) => (clock.positions ? clock.positions[row] : row);
  const units = startingUnits(clock), minGap = (0.6 * (last - first)) / Math.max(1, target);
  const rows = [];
  for (let row = 1; row < units.length; row += 1) {
    if (position(row) >= first && position(row) <= last) rows.push(row);
  }
  let selected = [];
  for (let level = 0; level <= LAST_DAY_LEVEL + STEPS_S.length; level += 1) {
    const candidates = rows.filter((row) => units[row] === level);
    let fits = [];
    for (const row of candidates) {
      if ([...selected, ...fits.slice(-1)].every((other) => Math.abs(position(row) - position(other)) >= minGap)) fits.push(row);
    }
    const isCrowded = selected.length + fits.length > 1.25 * target, isIncomplete = fits.length < 0.4 * candidates.length;
    if (selected.length >= 3 && (isCrowded || isIncomplete)) break;
    if (isCrowded) {
      const step = Math.ceil(fits.length / target);
      fits = fits.filter((_, index) => index % step === 0);
    }
    selected = [...selected, ...fits].sort((one, other) => one - other);
  }
  return {
    tickvals: selected.map(position),
    ticktext: selected.map((row, index) => label(clock, row, units[row], index === 0)),
  };
}

function label(clock, row, level, isFirst) {
  const time = new Date(clock.seconds[row] * 1000), year = time.getUTCFullYear();
  const month = clock.months[time.getUTCMonth()];
  if (level <= LAST_YEAR_LEVEL) return `<b>${year}</b>`;
  if (level <= LAST_MONTH_LEVEL) return isFirst ? `${month}<br>${year}` : `<b>${month}</b>`;
  const day = clock.day.replace("{day}", time.getUTCDate()).replace("{month}", month);
  if (level <= LAST_DAY_LEVEL) return isFirst ? `${day}<br>${year}` : day;
  const hour = time.toISOString().slice(11, time.getUTCSeconds() ? 19 : 16);
  return isFirst ? `${hour}<br>${day} ${year}` : hour;
}

// ------------------------------------------------------------------------------------------------ prices in view

// The price range [low, high] of the visible traces between two positions; as powers of ten on a logarithmic axis.
function fitPrices(data, first, last, log) {
  let low = Infinity, high = -Infinity;
  for (const trace of data) {
    if ((trace.yaxis && trace.yaxis !== "y") || trace.visible === "legendonly" || !trace.x) continue;
    const lows = trace.low ?? trace.y, highs = trace.high ?? trace.y;
    for (let index = 0; index < trace.x.length; index += 1) {
      if (trace.x[index] < first - 1 || trace.x[index] > last + 1) continue;
      if (lows[index] < low) low = lows[index];
      if (highs[index] > high) high = highs[index];
    }
  }
  if (!(low <= high)) return null; // nothing in view
  if (log && low > 0) [low, high] = [Math.log10(low), Math.log10(high)];
  const margin = (high - low || Math.abs(high) * 0.01 || 1) * 0.06; // prices may all be equal, or zero
  return [low - margin, high + margin];
}

// The d3 format of price labels: as many decimals as distinguish adjacent ones, the same for all.
function tickFormat([low, high]) {
  const step = (high - low) / 8;
  return `,.${Math.min(12, Math.max(0, Math.ceil(-Math.log10(step))))}f`;
}

// ------------------------------------------------------------------------------------------------ one chart

class Chart {
  // `element`: container, whose content is replaced. `callbacks`: view(range) after the reader has moved the view, draw()
  // after each drawing.
  constructor(element, callbacks = {}) {
    this.element = element;
    this.callbacks = callbacks;
    this.view = null; // [first, last], or null for the full range
    this.priceZoom = 1; // of the price axis: above 1 it shows a wider range
    this.log = null; // the reader's choice, or null for that of the figure
    this.hidden = new Set(); // legend groups
    this.traceIds = new Map(); // identifier of a trace -> uid of Plotly
    this.previewRange = null; // the price range while a preview grows: it may widen, but not jump
    this.frames = 0; // drawings so far
    this.pendingDraw = Promise.resolve();
  }

  // Show a figure. Its colors are those of `theme`, "light" or "dark", of `themes`. The view is kept if the figure has the
  // same view identifier as the one before; a patch is kept if `base`, the identifier of the content, is the same and the
  // figure does not contain the traces of the patch itself.
  show(text, { themes, theme, dark, base } = {}) {
    [this.text, this.themes, this.figureTheme, this.dark] = [text, themes, theme ?? "light", dark ?? this.dark];
    this.parse();
    const isReplaced = this.patchFigure && this.figure.data.some((trace) => this.patchFigure.data.some((other) => other.meta === trace.meta));
    if (isReplaced || base !== this.base) this.setPatch(null);
    this.base = base;
    return this.redraw();
  }

  // Draw the traces of a patch over the figure; null removes them.
  grow(text) {
    this.setPatch(text);
    return this.redraw();
  }

  setPatch(text) {
    this.patch = text;
    this.patchFigure = text && parseFigure(this.inTheme(text));
    if (!text) this.previewRange = null;
  }

  setTheme(dark) {
    if (dark === this.dark) return this.pendingDraw;
    this.dark = dark;
    this.parse();
    return this.redraw();
  }

  parse() {
    const figure = parseFigure(this.inTheme(this.text));
    const view = figure.layout.meta?.view;
    if (view !== this.viewId) [this.view, this.priceZoom, this.viewId] = [null, 1, view];
    this.figure = figure;
    this.fullRange = figure.layout.xaxis?.range;
    this.patchFigure = this.patch && parseFigure(this.inTheme(this.patch));
  }

  inTheme(text) {
    if (!this.themes) return text;
    const theme = this.dark ? "dark" : "light";
    return theme === this.figureTheme ? text : repaint(text, this.themes[this.figureTheme], this.themes[theme]);
  }

  // Draw the current state; calls during a drawing are combined into one.
  redraw() {
    if (!this.isScheduled) {
      this.isScheduled = true;
      const paint = () => {
        this.isScheduled = false;
        return this.paint();
      };
      this.pendingDraw = this.pendingDraw.then(paint, paint); // also after a drawing that failed
    }
    return this.pendingDraw;
  }

  async paint() {
    if (this.isDestroyed || !this.figure || !this.element.clientWidth) return;
    const { data, layout } = applyPatch(this.figure, this.patchFigure);
    for (const trace of data) {
      trace.uid = this.traceId(trace.meta);
      if (this.hidden.has(trace.legendgroup ?? trace.meta)) trace.visible = "legendonly";
      else if (trace.visible === "legendonly") delete trace.visible;
    }
    this.data = data;
    const viewLayout = { ...layout, ...this.sizeOptions(layout), xaxis: { ...layout.xaxis }, yaxis: { ...layout.yaxis } };
    if (layout.meta?.clock) this.applyView(viewLayout);
    await Plotly.react(this.element, data, viewLayout, CONFIG);
    if (!this.isBound) this.bind();
    this.frames += 1;
    this.element.dataset.frames = String(this.frames);
    this.callbacks.draw?.(this);
  }

  // Plotly finds traces by CSS classes made of their uid, which must not contain dots or blanks.
  traceId(name) {
    if (!this.traceIds.has(name)) this.traceIds.set(name, `trace${this.traceIds.size}`);
    return this.traceIds.get(name);
  }

  sizeOptions(layout) {
    const width = this.element.clientWidth, narrow = width < 560;
    const margin = { ...layout.margin, ...(this.hasHeader ? { t: 6 } : {}) };
    return { width, height: this.height ?? layout.height, margin, autosize: false, showlegend: !this.hasHeader, hoverlabel: { ...layout.hoverlabel, font: { ...layout.hoverlabel?.font, size: narrow ? 10 : 12 } } };
  }

  // Set ranges and labels of a layout to the view.
  applyView(layout) {
    const [first, last] = this.view ?? this.fullRange, { xaxis, yaxis } = layout;
    xaxis.range = [first, last];
    Object.assign(xaxis, ticks(layout.meta.clock, first, last, Math.max(2, Math.round(this.element.clientWidth / 90))));
    if (this.log !== null && this.log !== (yaxis.type === "log")) this.switchPriceAxis(layout);
    const range = this.priceRange(first, last, yaxis.type === "log");
    if (range) Object.assign(yaxis, { range, autorange: false }, yaxis.type === "log" ? {} : { tickformat: tickFormat(range) });
  }

  // Switch between a linear and a logarithmic price axis, on which positions of annotations are powers of ten.
  switchPriceAxis(layout) {
    layout.yaxis.type = this.log ? "log" : "linear";
    layout.annotations = layout.annotations?.map((note) => (note.yref === "y" ? { ...note, y: this.log ? Math.log10(note.y) : 10 ** note.y } : note));
  }

  priceRange(first, last, log) {
    let range = fitPrices(this.data, first, last, log);
    if (!range) return null;
    if (this.patch) {
      if (this.previewRange) range = [Math.min(range[0], this.previewRange[0]), Math.max(range[1], this.previewRange[1])];
      this.previewRange = range;
    }
    const middle = (range[0] + range[1]) / 2, half = ((range[1] - range[0]) / 2) * this.priceZoom;
    return [middle - half, middle + half];
  }

  bind() {
    this.isBound = true;
    const { element } = this;
    element.on("plotly_relayout", (change) => this.onRelayout(change));
    element.on("plotly_doubleclick", () => this.reset());
    element.addEventListener("wheel", (event) => this.onWheel(event), { capture: true, passive: false });
  }

  // Follow the reader's dragging and zooming with labels and prices.
  onRelayout(change) {
    const first = change["xaxis.range[0]"] ?? change["xaxis.range"]?.[0];
    const last = change["xaxis.range[1]"] ?? change["xaxis.range"]?.[1];
    if (first === undefined || last === undefined || !this.figure.layout.meta?.clock) return;
    this.view = [first, last];
    this.previewRange = null;
    this.redraw();
    this.callbacks.view?.(this.view);
  }

  // The wheel over the price axis scales it.
  onWheel(event) {
    const box = this.element.getBoundingClientRect(), { l, w } = this.element._fullLayout._size;
    if (event.clientX - box.left < l + w || !this.figure.layout.meta?.clock) return;
    event.preventDefault();
    event.stopPropagation();
    this.priceZoom = Math.min(20, Math.max(0.1, this.priceZoom * Math.exp(event.deltaY / 600)));
    this.redraw();
  }

  reset() {
    [this.view, this.priceZoom, this.previewRange] = [null, 1, null];
    this.callbacks.view?.(this.fullRange);
    return this.redraw();
  }

  toggle(group) {
    if (!this.hidden.delete(group)) this.hidden.add(group);
    return this.redraw();
  }

  setLogScale(isLog) {
    this.log = isLog;
    return this.redraw();
  }

  get isLog() {
    return this.log ?? this.figure.layout.yaxis?.type === "log";
  }

  // Download the chart as an image with a background color.
  async save(format, name, background) {
    const { data, layout } = this.element;
    const title = { text: this.figure.layout.meta?.title ?? "", font: { size: 14 }, x: 0.01, xanchor: "left", y: 0.985, yanchor: "top" };
    const imageLayout = { ...layout, paper_bgcolor: background, plot_bgcolor: background, showlegend: true, title, margin: { ...layout.margin, t: 64 }, legend: { orientation: "h", x: 0, y: 1.0, yanchor: "bottom" } };
    const size = { width: Math.max(900, this.element.clientWidth), height: Math.max(520, this.element.clientHeight) };
    const image = await Plotly.toImage({ data, layout: { ...imageLayout, ...size } }, { format, ...size, scale: format === "png" ? 2 : 1 });
    const link = Object.assign(document.createElement("a"), { href: image, download: `${name.replace(/[^\p{L}\p{N}.-]+/gu, "_")}.${format}` });
    link.click();
  }

  destroy() {
    this.isDestroyed = true;
    if (this.isBound) Plotly.purge(this.element);
  }
}

export { Chart, fitPrices, parseFigure, repaint, ticks };
