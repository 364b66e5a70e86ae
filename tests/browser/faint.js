() => {
  // WCAG 2.1: 4.5 : 1 for text, 3 : 1 for large text and for signs without a letter or digit.
  const parse = (colour) => {
    const parts = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    const scale = colour.startsWith("color(") ? 255 : 1;
    return [parts[0] * scale, parts[1] * scale, parts[2] * scale, parts[3] ?? 1];
  };
  const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
  const luminance = (colour) => {
    const linear = [0, 1, 2].map((i) => {
      const part = colour[i] / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const parent = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  const chain = (node) => { const all = []; for (let one = node; one; one = parent(one)) all.push(one); return all; };
  const behind = (node) => {
    let paper = [255, 255, 255, 1];
    const layers = chain(node).map((one) => parse(getComputedStyle(one).backgroundColor)).filter((one) => one[3] > 0);
    const solid = layers.findIndex((one) => one[3] === 1);
    for (const layer of layers.slice(0, solid < 0 ? undefined : solid + 1).reverse()) paper = over(layer, paper);
    return paper;
  };
  const faint = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const said = texts.currentNode.textContent.trim(), node = texts.currentNode.parentElement;
    const box = node.getBoundingClientRect(), style = getComputedStyle(node);
    const hidden = !said || !box.width || !box.height || style.visibility === "hidden"
      || ["SCRIPT", "STYLE", "TITLE", "DESC"].includes(node.tagName.toUpperCase());
    // What is switched off, read by machines alone, or on a cell of a heatmap or within a bar.
    if (hidden || node.closest("[disabled], [aria-disabled=true], .katex-mathml, .hm, .heatmaplayer, .bartext-inside")) {
      continue;
    }
    const opacity = chain(node).reduce((product, one) => product * Number(getComputedStyle(one).opacity), 1);
    if (opacity < 0.05) continue;
    const drawn = node instanceof SVGElement;
    const ink = parse(drawn ? style.fill : style.color);
    ink[3] *= opacity * (drawn ? Number(style.fillOpacity) : 1);
    const paper = behind(node), seen = over(ink, paper);
    const [low, high] = [luminance(seen), luminance(paper)].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize), sign = !/[\p{L}\p{N}]/u.test(said);
    const icon = node.dataset.testid === "stIconMaterial";
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (high + 0.05) / (low + 0.05);
    // A slider's value is a child of its thumb, of one colour with it, and stands above it.
    if (ratio > 1.005 && ratio < (large || sign || icon ? 3 : 4.5) - 0.005) {
      faint.add(`${ratio.toFixed(2)} ${node.tagName}.${node.className.baseVal ?? node.className} ${said.slice(0, 30)}`);
    }
  }
  return [...faint];
}
