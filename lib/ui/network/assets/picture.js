// The co-activation network, on vis-network: it holds the nodes, the view, dragging and zooming; lines and labels are
// painted here, in a few strokes a frame, so that thousands of them move smoothly. Every text is set as text.

const HELD = (globalThis.embedscopeNetwork ??= { dragged: new Map(), view: new Map() });
const NEAR = 7; // pixels from a line at which the pointer is on it
const MOST_WORDS = 60; // labels at once
const EDGE = 50; // about the outermost nodes
const SIGNS = { dot: 15, line: 31, dashes: 31, square: 17, "": 0 }; // pixels of a sign of the legend
const CALM = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".network");
  root.send = (clicked) => setTriggerValue("clicked", { ...clicked, at: Date.now() });
  root.wanted = data;
  ready().then(() => {
    if (!root.isConnected) return;
    root.picture ??= new Picture(root);
    root.picture.show(root.wanted);
  });
  return () => setTimeout(() => {
    if (!root.isConnected && root.picture) { root.picture.end(); root.picture = undefined; }
  }, 0);
}

function ready() {
  if (globalThis.vis?.Network) return Promise.resolve();
  return new Promise((done) => globalThis.addEventListener("embedscope-vis", done, { once: true }));
}

function make(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

class Picture {
  constructor(root) {
    this.root = root;
    this.head = root.querySelector(".head");
    this.foot = root.querySelector(".foot");
    this.stage = root.querySelector(".stage");
    this.tip = root.querySelector(".tip");
    this.chosen = this.other = this.over = this.line = null;
    this.nodes = new vis.DataSet();
    this.byId = new Map();
    this.edges = [];
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { capture: true, passive: true });
    this.stage.addEventListener("pointerdown", () => this.net?.canvas.frame.focus({ preventScroll: true }));
    this.stage.addEventListener("pointermove", (event) => this.move(event));
    this.stage.addEventListener("pointerleave", () => this.leave());
    this.stage.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { this.over = null; this.explain(); this.click(null, null); }
      else if (!event.ctrlKey && !event.metaKey && "np".includes(event.key)) this.step(event.key === "n" ? 1 : -1);
    });
  }

  show(data) {
    const fresh = !this.net;
    const same = this.key === data.key;
    this.data = data;
    if (!same) {
      this.key = data.key;
      this.take(data, fresh);
      this.write(data);
    }
    this.choose(data.chosen, data.other);
    if (fresh) this.watch();
    this.root.dataset.drawn = data.key; // for whoever waits until it is drawn
  }

  take(data, fresh) {
    const dragged = HELD.dragged.get(data.layout) ?? new Map();
    const [wide, high] = this.stretch(data.nodes);
    const from = new Map([...this.byId].map(([id, node]) => [id, this.where(node)]));
    const relaid = this.layout !== data.layout;
    this.layout = data.layout;
    const byId = new Map(data.nodes.map((node) => [node.id, node]));
    const goal = (node) => dragged.get(node.id) ?? [node.x * wide, node.y * high];
    this.nodes.remove(this.nodes.getIds().filter((id) => !byId.has(id)));
    this.nodes.update(data.nodes.map((node) => {
      const [x, y] = CALM ? goal(node) : from.get(node.id) ?? goal(node);
      return { id: node.id, x, y, shape: "custom", size: node.r, ctxRenderer: (drawn) => this.node(drawn) };
    }));
    if (!this.net) this.begin();
    data.nodes.forEach((node) => { node.at = this.net.body.nodes[node.id]; node.goal = goal(node); });
    this.byId = byId; // only now: vis-network may have painted in between
    this.edges = data.edges.map(([a, b, width, chance, tip]) => ({
      a: data.nodes[a], b: data.nodes[b], width, chance, tip,
    }));
    this.around = new Map(data.nodes.map((node) => [node.id, new Set([node.id])]));
    this.edges.forEach(({ a, b }) => { this.around.get(a.id).add(b.id); this.around.get(b.id).add(a.id); });
    this.ranked = [...data.nodes].sort((one, two) => two.r - one.r);
    this.over = this.line = null;
    if (fresh) this.frame(false);
    else if (relaid) this.glide();
    else this.net.redraw();
  }

  stretch(nodes) { // to the shape of the stage, one way alone, so that no two nodes come closer
    const span = (axis) => 2 * EDGE + Math.max(...nodes.map((node) => node[axis])) - Math.min(...nodes.map((node) => node[axis]));
    const shape = this.stage.clientWidth / this.stage.clientHeight / (span("x") / span("y"));
    return shape > 1 ? [Math.min(1.8, shape), 1] : [1, Math.min(2.2, 1 / shape)];
  }

  begin() {
    this.net = new vis.Network(this.root.querySelector(".plane"), { nodes: this.nodes, edges: [] }, {
      physics: false,
      layout: { randomSeed: 1 },
      interaction: {
        hover: true, multiselect: false, selectConnectedEdges: false, hoverConnectedEdges: false, zoomSpeed: 0.6,
        keyboard: { enabled: true, bindToWindow: false, speed: { x: 8, y: 8, zoom: 0.02 } },
      },
    });
    this.net.canvas.frame.setAttribute("role", "img");
    this.net.on("beforeDrawing", (context) => this.lines(context));
    this.net.on("afterDrawing", (context) => this.words(context));
  }

  watch() {
    this.net.on("click", ({ nodes, pointer }) => {
      if (nodes.length) this.click(nodes[0], null);
      else {
        const line = this.near(pointer.canvas);
        this.click(line ? line.a.id : null, line ? line.b.id : null);
      }
    });
    this.net.on("hoverNode", ({ node }) => { this.over = this.byId.get(node) ?? null; this.line = null; this.explain(); });
    this.net.on("blurNode", () => { this.over = null; this.explain(); });
    this.net.on("dragStart", () => { this.busy = true; this.stage.classList.add("held"); this.explain(); });
    this.net.on("dragEnd", ({ nodes }) => {
      this.busy = false;
      this.stage.classList.remove("held");
      if (!HELD.dragged.has(this.layout)) HELD.dragged.set(this.layout, new Map());
      nodes.forEach((id) => HELD.dragged.get(this.layout).set(id, this.where(this.byId.get(id))));
    });
    this.net.on("zoom", ({ scale }) => {
      if (scale < 0.08 || scale > 6) this.net.moveTo({ scale: Math.min(6, Math.max(0.08, scale)) });
    });
  }

  click(feature, other) {
    if (feature === this.chosen && other === this.other) return;
    this.choose(feature, other);
    this.root.send({ feature, other });
  }

  step(by) { // by keyboard from node to node, the largest first
    const at = this.ranked.findIndex((node) => node.id === this.chosen);
    const { length } = this.ranked;
    const node = this.ranked[at < 0 ? (by > 0 ? 0 : length - 1) : (at + by + length) % length];
    if (!node) return;
    const place = this.net.canvasToDOM(node.at);
    this.pointer = [place.x, place.y];
    this.over = node;
    this.explain(); // is read out
    this.click(node.id, null);
  }

  choose(feature, other) {
    this.chosen = this.byId.has(feature) ? feature : null;
    this.other = this.byId.has(other) ? other : null;
    this.lit = this.chosen === null ? null : this.around.get(this.chosen);
    this.net.redraw();
  }

  // ---- painting -----------------------------------------------------------------------------------------------

  inks() {
    const style = getComputedStyle(this.root);
    const value = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
    return {
      text: value("--st-text-color", "#22252B"), paper: value("--st-background-color", "#FFFDF9"),
      accent: value("--st-primary-color", "#4A3FA8"), font: value("--st-font", "sans-serif"),
    };
  }

  lines(context) {
    this.ink = this.inks();
    const quiet = new Map();
    const lit = [];
    for (const edge of this.edges) {
      if (this.lit && (edge.a.id === this.chosen || edge.b.id === this.chosen)) lit.push(edge);
      else {
        const kind = `${Math.round(edge.width * 2) / 2}|${edge.chance}`;
        const held = quiet.get(kind);
        if (held) held.push(edge); else quiet.set(kind, [edge]);
      }
    }
    const crowded = Math.min(1, Math.max(0.35, Math.sqrt(250 / Math.max(1, this.edges.length))));
    context.lineCap = "round";
    for (const [kind, edges] of [...quiet].sort(([one], [two]) => parseFloat(one) - parseFloat(two))) {
      const [width, chance] = kind.split("|").map(Number);
      const alpha = this.lit ? 0.06 : (0.3 + 0.06 * width) * crowded;
      this.stroke(context, edges, { width, colour: this.ink.text, alpha, dashed: chance });
    }
    for (const edge of lit) {
      const paired = this.other !== null && (edge.a.id === this.other || edge.b.id === this.other);
      this.stroke(context, [edge], {
        width: edge.width + (paired ? 1.5 : 0), colour: paired ? this.ink.accent : this.ink.text,
        alpha: paired ? 1 : 0.6, dashed: edge.chance,
      });
    }
    if (this.line) {
      this.stroke(context, [this.line], {
        width: this.line.width + 1.5, colour: this.ink.accent, alpha: 0.9, dashed: this.line.chance,
      });
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  stroke(context, edges, { width, colour, alpha, dashed }) {
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.setLineDash(dashed ? [7, 6] : []);
    context.beginPath();
    for (const { a, b } of edges) { context.moveTo(a.at.x, a.at.y); context.lineTo(b.at.x, b.at.y); }
    context.stroke();
  }

  node({ ctx, id, x, y }) {
    const node = this.byId.get(id);
    const r = node?.r ?? 10;
    return {
      nodeDimensions: { width: 2 * r, height: 2 * r },
      drawNode: () => {
        if (!node) return;
        const scale = this.net.getScale();
        const faint = this.lit && !this.lit.has(id);
        const marked = id === this.chosen || id === this.other;
        ctx.save();
        ctx.setLineDash([]);
        this.outline(ctx, node, x, y, r);
        ctx.fillStyle = this.ink.paper; // what is faint must not show the lines behind it
        ctx.fill();
        ctx.globalAlpha = faint ? 0.22 : 1;
        ctx.fillStyle = node.fill;
        ctx.fill();
        ctx.strokeStyle = marked ? this.ink.accent : this.ink.text;
        ctx.globalAlpha = marked ? 1 : faint ? 0.15 : node === this.over ? 0.9 : 0.4;
        ctx.lineWidth = marked ? 3.5 : node === this.over ? 2.2 : 1;
        ctx.stroke();
        if (id === this.chosen) {
          this.outline(ctx, node, x, y, r + 5);
          ctx.lineWidth = 1.5;
          ctx.stroke();
        }
        const number = String(id);
        const size = Math.min(13, (3.1 * r) / Math.max(3, number.length));
        if (size * scale >= 6.5 && !faint) {
          ctx.globalAlpha = 1;
          ctx.font = `600 ${size}px ${this.ink.font}`;
          ctx.textAlign = "center";
          ctx.textBaseline = "middle";
          ctx.fillStyle = dark(node.fill) ? "#FFFFFF" : "#22252B";
          ctx.fillText(number, x, y + size * 0.04);
        }
        ctx.restore();
      },
    };
  }

  outline(context, node, x, y, r) {
    context.beginPath();
    if (node.square) context.roundRect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8, r * 0.3);
    else context.arc(x, y, r, 0, 2 * Math.PI);
  }

  // Labels: the chosen one and its neighbours first, then the largest nodes, where there is room on the screen.
  words(context) {
    const scale = this.net.getScale();
    const taken = [];
    const size = 12 / scale;
    this.shut = this.discs();
    context.save();
    context.textAlign = "center";
    context.textBaseline = "top";
    context.lineJoin = "round";
    this.titles(context, scale, taken); // the legend has them all, these are where there is room
    const first = [];
    if (this.over) first.push(this.over);
    if (this.chosen !== null) first.push(this.byId.get(this.chosen));
    const always = [...first]; // even where there is no room
    if (this.other !== null) first.push(this.byId.get(this.other));
    const others = this.lit ? this.ranked.filter((node) => this.lit.has(node.id)) : this.ranked;
    const seen = this.seen();
    context.font = `${size}px ${this.ink.font}`;
    let drawn = 0;
    for (const node of new Set([...first, ...others])) {
      if (drawn >= MOST_WORDS) break;
      const text = this.label(node, scale);
      if (!text || !meet(seen, [node.at.x, node.at.y, 0, 0])) continue;
      const wide = (node.letters?.[text] ?? this.measure(context, node, text)) * size;
      const [left, , room] = seen;
      const inside = (x) => Math.max(left, Math.min(x, left + room - wide)); // whole, also at the rim
      const { x, y } = node.at;
      const away = node.r + 2 / scale;
      const places = [[inside(x - wide / 2), y + away], [inside(x - wide / 2), y - away - size]];
      if (this.lit) { // few are named: beside them as well
        places.push(...[x + away, x - away - wide].filter((at) => at === inside(at)).map((at) => [at, y - size * 0.6]));
      }
      const boxes = places.map((place) => [...place, wide, size * 1.15]);
      const box = boxes.find((one) => !taken.some((other) => meet(one, other)) && !this.covers(one, node))
        ?? (always.includes(node) ? boxes[0] : null);
      if (!box) continue;
      const [at, high] = box;
      taken.push([at - size / 2, high, wide + size, size * 1.15]); // a little apart from the next
      context.strokeStyle = this.ink.paper;
      context.lineWidth = 3.5 / scale;
      context.globalAlpha = 0.85;
      context.strokeText(text, at + wide / 2, high);
      context.globalAlpha = 1;
      context.fillStyle = this.ink.text;
      context.fillText(text, at + wide / 2, high);
      drawn += 1;
    }
    context.restore();
  }

  seen() { // what of the plane is on the screen, [left, top, width, height]
    const [one, other] = [[4, 4], [this.stage.clientWidth - 4, this.stage.clientHeight - 4]]
      .map(([x, y]) => this.net.DOMtoCanvas({ x, y }));
    return [one.x, one.y, other.x - one.x, other.y - one.y];
  }

  label(node, scale) {
    const [number, ...rest] = node.name.split(" · ");
    const inside = Math.min(13, (3.1 * node.r) / Math.max(3, String(node.id).length)) * scale >= 6.5;
    const words = rest.join(" · ");
    const cut = words.length > 30 ? `${words.slice(0, 29).trimEnd()}…` : words;
    if (!words) return inside ? "" : String(node.id);
    return inside ? cut : `${number} · ${cut}`;
  }

  measure(context, node, text) {
    node.letters ??= {};
    const size = parseFloat(context.font);
    node.letters[text] = context.measureText(text).width / size;
    return node.letters[text];
  }

  discs() { // what names must not cover
    return this.ranked.filter((node) => !this.lit || this.lit.has(node.id)).map((node) => {
      const { x, y } = node.at;
      const r = 0.9 * node.r;
      return { node, left: x - r, right: x + r, top: y - r, bottom: y + r };
    });
  }

  covers([x, y, wide, high], own) {
    for (const disc of this.shut) {
      if (disc.node !== own && x < disc.right && disc.left < x + wide && y < disc.bottom && disc.top < y + high) return true;
    }
    return false;
  }

  titles(context, scale, taken) {
    if (this.lit) return;
    const size = 15 / scale;
    context.font = `600 ${size}px ${this.ink.font}`;
    (this.data.groups ?? []).forEach((whole, group) => {
      const name = whole.split(" · ")[0];
      const inside = this.ranked.filter((node) => node.group === group);
      if (inside.length < 2) return;
      const middle = inside.reduce((sum, node) => sum + node.at.x, 0) / inside.length;
      const wide = context.measureText(name).width;
      const [left, top, room] = this.seen();
      const x = Math.max(left + wide / 2, Math.min(middle, left + room - wide / 2));
      const y = Math.max(top, Math.min(...inside.map((node) => node.at.y - node.r)) - size * 1.5);
      const box = [x - wide / 2, y, wide, size * 1.2];
      if (taken.some((other) => meet(box, other)) || this.covers(box, null)) return;
      taken.push(box);
      context.lineWidth = 4 / scale;
      context.strokeStyle = this.ink.paper;
      context.strokeText(name, x, y);
      context.fillStyle = this.ink.text;
      context.fillText(name, x, y);
    });
  }

  // ---- moving -------------------------------------------------------------------------------------------------

  where(node) { return node.at ? [node.at.x, node.at.y] : node.goal ?? [node.x, node.y]; }

  place(node, [x, y]) { node.at.x = x; node.at.y = y; }

  glide() { // from the old layout to the new one
    cancelAnimationFrame(this.gliding);
    const nodes = this.data.nodes;
    const from = nodes.map((node) => this.where(node));
    const began = performance.now();
    const step = (now) => {
      const share = CALM ? 1 : Math.min(1, (now - began) / 450);
      const eased = 1 - (1 - share) ** 3;
      nodes.forEach((node, at) => this.place(node, [
        from[at][0] + eased * (node.goal[0] - from[at][0]), from[at][1] + eased * (node.goal[1] - from[at][1]),
      ]));
      this.net.redraw();
      if (share < 1) this.gliding = requestAnimationFrame(step);
      else this.frame(true);
    };
    this.gliding = requestAnimationFrame(step);
  }

  frame(moving) {
    if (!this.ranked.length) return;
    const span = (at) => {
      const values = this.ranked.map((node) => [node.at.x, node.at.y][at]);
      return [Math.min(...values) - EDGE, Math.max(...values) + EDGE];
    };
    const [[left, right], [top, bottom]] = [span(0), span(1)];
    const { clientWidth, clientHeight } = this.stage;
    const scale = Math.min(1.6, clientWidth / (right - left), clientHeight / (bottom - top));
    const position = { x: (left + right) / 2, y: (top + bottom) / 2 };
    this.net.moveTo({ position, scale, animation: moving && !CALM ? { duration: 300, easingFunction: "easeInOutQuad" } : false });
  }

  zoom(by) {
    this.net.moveTo({
      scale: Math.min(6, Math.max(0.08, this.net.getScale() * by)),
      animation: CALM ? false : { duration: 160, easingFunction: "easeInOutQuad" },
    });
  }

  wheel(event) { // the page scrolls on; who clicked into the picture, or holds Ctrl, zooms
    const active = this.stage.getRootNode().activeElement;
    if (!event.ctrlKey && !event.metaKey && !this.stage.contains(active)) event.stopPropagation();
  }

  // ---- pointing -----------------------------------------------------------------------------------------------

  move(event) {
    const rect = this.stage.getBoundingClientRect();
    this.pointer = [event.clientX - rect.left, event.clientY - rect.top];
    if (!this.net || this.busy) return;
    const line = this.over ? null : this.near(this.net.DOMtoCanvas({ x: this.pointer[0], y: this.pointer[1] }));
    if (line !== this.line) { this.line = line; this.net.redraw(); }
    this.explain();
  }

  leave() {
    if (this.line || this.over) { this.line = this.over = null; this.net?.redraw(); }
    this.explain();
  }

  near({ x, y }) {
    const reach = NEAR / this.net.getScale();
    let best = null;
    let least = reach * reach;
    for (const edge of this.edges) {
      if (this.lit && edge.a.id !== this.chosen && edge.b.id !== this.chosen) continue;
      const { x: ax, y: ay } = edge.a.at;
      const dx = edge.b.at.x - ax;
      const dy = edge.b.at.y - ay;
      const along = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
      const far = (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2;
      if (far < least) { least = far; best = edge; }
    }
    return best;
  }

  explain() {
    const shown = this.busy ? null : this.over ?? this.line;
    this.stage.classList.toggle("over", Boolean(shown));
    this.tip.classList.toggle("on", Boolean(shown));
    if (!shown || !this.pointer) return;
    const title = shown.name ?? `${shown.a.name}  –  ${shown.b.name}`;
    this.tip.replaceChildren(make("b", "", title), make("span", "", shown.tip));
    const [x, y] = this.pointer;
    const { clientWidth, clientHeight } = this.stage;
    this.tip.style.left = `${Math.max(4, Math.min(x + 16, clientWidth - this.tip.offsetWidth - 6))}px`;
    this.tip.style.top = `${y + 18 + this.tip.offsetHeight > clientHeight ? y - this.tip.offsetHeight - 12 : y + 18}px`;
  }

  // ---- header, legend, tools ----------------------------------------------------------------------------------

  write({ header, legend }) {
    const tools = make("span", "tools");
    const tool = (sign, meaning, act) => {
      const button = make("button", "", sign);
      button.title = meaning;
      button.setAttribute("aria-label", meaning);
      button.addEventListener("click", act);
      tools.append(button);
    };
    tool("−", "Zoom out", () => this.zoom(1 / 1.4));
    tool("+", "Zoom in", () => this.zoom(1.4));
    tool("Fit", "Show the whole network", () => this.frame(true));
    tool("Reset", "Put every node back to where it was laid", () => this.reset());
    tool("PNG", "Save the picture as it is seen", () => this.save());
    tool("SVG", "Save the picture as a drawing that can be edited", () => this.saveSvg());
    if (this.root.requestFullscreen) tool("Full screen", "Fill the screen, or leave it", () => this.fill());
    this.head.replaceChildren(...header.map((text) => make("span", "", text)), make("span", "grow"), tools);
    this.net.canvas.frame.setAttribute("aria-label", `Co-activation network: ${header.join(", ")}. Press n or p for the next or previous feature, Escape to let go. A choice of the feature and a list of all edges stand below.`);
    this.foot.replaceChildren(...this.entries(legend));
  }

  entries(legend) {
    const entry = (sign, text) => {
      const made = make("span", "entry");
      made.append(sign, make("span", "", text));
      return made;
    };
    const made = [];
    if (legend.ramp) {
      const ramp = make("span", "ramp");
      ramp.style.background = `linear-gradient(90deg, ${legend.ramp.colours.join(",")})`;
      const both = make("span", "entry");
      both.append(make("span", "", legend.ramp.low), ramp, make("span", "", legend.ramp.high));
      made.push(both);
    }
    (legend.categories ?? []).forEach(({ colour, text }) => {
      const dot = make("span", "dot");
      dot.style.background = colour;
      made.push(entry(dot, text));
    });
    legend.lines.forEach(({ text, dashed }) => made.push(entry(make("span", dashed ? "line dashed" : "line"), text)));
    const sizes = make("span", "sizes");
    [0.4, 0.62, 0.85].forEach((size) => {
      const dot = make("i");
      dot.style.width = dot.style.height = `${size}rem`;
      sizes.append(dot);
    });
    made.push(entry(sizes, legend.size));
    if (legend.square) made.push(entry(make("span", "box"), legend.square));
    made.push(make("span", "hint", "click a node or a line · drag to move · click inside, then scroll to zoom, n and p for the next feature"));
    return made;
  }

  reset() {
    HELD.dragged.delete(this.layout);
    const [wide, high] = this.stretch(this.data.nodes);
    this.data.nodes.forEach((node) => { node.goal = [node.x * wide, node.y * high]; });
    this.glide();
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen();
  }

  save() { // the canvas between its header and its legend, on paper
    const canvas = this.net.canvas.frame.canvas;
    const scale = canvas.width / this.stage.clientWidth;
    const sheet = make("canvas");
    this.compose(sheet, sheet.getContext("2d"), { width: canvas.width, height: canvas.height, scale, paint: (context, band) => {
      context.drawImage(canvas, 0, band);
    } });
    sheet.toBlob((blob) => this.handOver(blob, "png"));
  }

  saveSvg() { // the same, painted anew as a drawing
    const { clientWidth: width, clientHeight: height } = this.stage;
    const sheet = new Sheet(width, height);
    const { translation, scale } = this.net.body.view;
    this.compose(sheet, sheet, { width, height, scale: 1, paint: (context, band) => {
      sheet.within({ x: translation.x, down: translation.y, y: band, width, height, scale }, () => {
        this.lines(sheet);
        [...this.ranked].reverse().forEach(({ id, at }) => this.node({ ctx: sheet, id, x: at.x, y: at.y }).drawNode());
        this.words(sheet);
      });
    } });
    this.handOver(new Blob([String(sheet)], { type: "image/svg+xml" }), "svg");
  }

  compose(sheet, context, { width, height, scale, paint }) {
    const band = 34 * scale;
    const font = `${13 * scale}px ${this.ink.font}`;
    sheet.width = width;
    context.font = font;
    const rows = this.rows(context, width / scale - 24, scale);
    sheet.height = height + band * (1 + 0.75 * rows.length + 0.25); // which empties a canvas, and its font
    context.fillStyle = this.ink.paper;
    context.fillRect(0, 0, sheet.width, sheet.height);
    paint(context, band);
    context.font = font;
    context.fillStyle = this.ink.text;
    context.textBaseline = "middle";
    context.textAlign = "start";
    context.fillText(this.data.header.join("  ·  "), 12 * scale, band / 2);
    rows.forEach((row, at) => this.stamp(context, row, { y: height + band * (1.5 + 0.75 * at), scale }));
  }

  handOver(blob, suffix) {
    const link = make("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${this.data.file}.${suffix}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  rows(context, room, scale) { // entries of the legend, each [kind, colour, text], as many a row as there is room for
    const { legend } = this.data;
    const entries = [
      ...(legend.ramp ? [["dot", legend.ramp.colours[0], legend.ramp.low], ["dot", legend.ramp.colours[2], legend.ramp.high]] : []),
      ...(legend.categories ?? []).map(({ colour, text }) => ["dot", colour, text]),
      ...legend.lines.map(({ text, dashed }) => [dashed ? "dashes" : "line", "", text]),
      ...(legend.square ? [["square", "", legend.square]] : []),
      ["", "", legend.size],
    ];
    const rows = [[]];
    let left = room;
    for (const entry of entries) {
      const wide = SIGNS[entry[0]] + context.measureText(entry[2]).width / scale + 16;
      if (wide > left && rows.at(-1).length) { rows.push([]); left = room; }
      rows.at(-1).push(entry);
      left -= wide;
    }
    return rows;
  }

  stamp(context, row, { y, scale }) { // a row of the legend
    let x = 12 * scale;
    for (const [kind, colour, text] of row) {
      context.strokeStyle = this.ink.text;
      context.lineWidth = 2 * scale;
      context.setLineDash(kind === "dashes" ? [5 * scale, 4 * scale] : []);
      context.beginPath();
      if (kind === "dot") context.arc(x + 5 * scale, y, 5 * scale, 0, 7);
      else if (kind === "square") context.rect(x, y - 5 * scale, 10 * scale, 10 * scale);
      else if (kind) { context.moveTo(x, y); context.lineTo(x + 24 * scale, y); }
      if (kind === "dot") { context.fillStyle = colour; context.fill(); } else if (kind) context.stroke();
      x += SIGNS[kind] * scale;
      context.fillStyle = this.ink.text;
      context.fillText(text, x, y);
      x += context.measureText(text).width + 16 * scale;
    }
  }

  end() {
    cancelAnimationFrame(this.gliding);
    this.net?.destroy();
  }
}

function meet([ax, ay, aw, ah], [bx, by, bw, bh]) {
  return ax < bx + bw && bx < ax + aw && ay < by + bh && by < ay + ah;
}

function dark(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 140;
}
