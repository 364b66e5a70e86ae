() => {
  // What reaches beyond its place: the page sideways, an element beyond the right edge, a number's ellipsis.
  const main = document.querySelector('[data-testid="stMain"]'), width = document.documentElement.clientWidth;
  const over = [...main.querySelectorAll('[data-testid="stElementContainer"], button, h1, h2, h3')].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 1 && box.right > width + 1 && !one.closest('[data-baseweb="tab-list"], [role="tablist"]');
  });
  const short = [...main.querySelectorAll('[data-testid="stMetric"] *')].filter((one) => one.clientWidth
    && one.scrollWidth > one.clientWidth && getComputedStyle(one).textOverflow === "ellipsis");
  const wide = [document.documentElement, main].filter((one) => one.scrollWidth > one.clientWidth + 1);
  return [...wide, ...over, ...short].map((one) => one.outerHTML.slice(0, 200));
}
