// As much of a canvas as the network paints on, written down as SVG; every text is escaped.

class Sheet {
  constructor(width, height) {
    [this.width, this.height, this.parts, this.kept, this.path] = [width, height, [], [], []];
    Object.assign(this, { globalAlpha: 1, lineWidth: 1, fillStyle: "#000", strokeStyle: "#000", dashes: "" });
    Object.assign(this, { font: "10px sans-serif", textAlign: "start", textBaseline: "alphabetic" });
    this.ruler = document.createElement("canvas").getContext("2d");
  }

  save() {
    const { globalAlpha, lineWidth, fillStyle, strokeStyle, dashes, font, textAlign, textBaseline } = this;
    this.kept.push({ globalAlpha, lineWidth, fillStyle, strokeStyle, dashes, font, textAlign, textBaseline });
  }

  restore() { Object.assign(this, this.kept.pop()); }

  setLineDash(lengths) { this.dashes = lengths.join(" "); }

  beginPath() { this.path = []; }

  moveTo(x, y) { this.path.push(`M${short(x)} ${short(y)}`); }

  lineTo(x, y) { this.path.push(`L${short(x)} ${short(y)}`); }

  arc(x, y, r) { // a whole circle: no other is painted
    this.path.push(`M${short(x - r)} ${short(y)}a${short(r)} ${short(r)} 0 1 0 ${short(2 * r)} 0a${short(r)} ${short(r)} 0 1 0 ${short(-2 * r)} 0Z`);
  }

  rect(x, y, width, height) { this.path.push(`M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`); }

  roundRect(x, y, width, height, r) {
    const [wide, high, corner] = [short(width - 2 * r), short(height - 2 * r), short(r)];
    const turn = (dx, dy) => `a${corner} ${corner} 0 0 1 ${short(dx * r)} ${short(dy * r)}`;
    this.path.push(`M${short(x + r)} ${short(y)}h${wide}${turn(1, 1)}v${high}${turn(-1, 1)}h${-wide}${turn(-1, -1)}v${-high}${turn(1, -1)}Z`);
  }

  fillRect(x, y, width, height) { this.beginPath(); this.rect(x, y, width, height); this.fill(); }

  fill() { this.draw("path", { d: this.path.join(""), fill: this.fillStyle }); }

  stroke() { this.draw("path", { d: this.path.join(""), fill: "none", ...this.line() }); }

  line() {
    const dashes = this.dashes ? { "stroke-dasharray": this.dashes } : {};
    return { stroke: this.strokeStyle, "stroke-width": short(this.lineWidth), "stroke-linecap": "round", "stroke-linejoin": "round", ...dashes };
  }

  measureText(text) {
    this.ruler.font = this.font;
    return this.ruler.measureText(text);
  }

  fillText(text, x, y) { this.write(text, x, y, { fill: this.fillStyle }); }

  strokeText(text, x, y) { this.write(text, x, y, { fill: "none", ...this.line() }); }

  write(text, x, y, look) {
    const size = parseFloat(/([\d.]+)px/.exec(this.font)[1]);
    const down = { top: 0.8, middle: 0.35 }[this.textBaseline] ?? 0; // not every program knows SVG's own baselines
    this.draw("text", {
      x: short(x), y: short(y + down * size), "font-size": short(size), "font-family": "Arial, Helvetica, sans-serif",
      "font-weight": this.font.startsWith("600") ? 600 : 400, "text-anchor": this.textAlign === "center" ? "middle" : "start", ...look,
    }, text);
  }

  draw(tag, look, text = "") {
    const alpha = this.globalAlpha < 1 ? { opacity: short(this.globalAlpha) } : {};
    const written = Object.entries({ ...look, ...alpha }).map(([name, value]) => `${name}="${escaped(value)}"`).join(" ");
    this.parts.push(`<${tag} ${written}>${escaped(text)}</${tag}>`);
  }

  within({ y, width, height, x: across, down, scale }, paint) { // what is painted is moved, and cut at the rim
    this.parts.push(`<svg x="0" y="${short(y)}" width="${width}" height="${height}"><g transform="translate(${short(across)} ${short(down)}) scale(${scale})">`);
    paint();
    this.parts.push("</g></svg>");
  }

  toString() {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}">${this.parts.join("\n")}</svg>`;
  }
}

function short(number) { return Math.round(number * 100) / 100; }

function escaped(text) {
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return String(text).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "").replace(/[&<>"]/g, (sign) => signs[sign]);
}
