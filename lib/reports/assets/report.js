"use strict";
(() => {
  const PAPER = {
    light: { ink: "#22252B", grid: "#E6E1D6", second: "#F5F2EB" },
    dark: { ink: "#E9E6DF", grid: "#33363D", second: "#202228" },
  };
  const COLOURS = ["#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#7A5C3E"];
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function template(mode) {
    const of = PAPER[mode];
    const axis = { gridcolor: of.grid, linecolor: of.grid, zerolinecolor: of.grid, automargin: true };
    return {
      layout: {
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", colorway: COLOURS,
        font: { color: of.ink, family: "Source Sans 3, Source Sans Pro, system-ui, Segoe UI, sans-serif", size: 13 },
        xaxis: axis, yaxis: axis, hoverlabel: { bgcolor: of.second, font: { color: of.ink } },
        modebar: { color: of.ink, activecolor: of.ink, bgcolor: "rgba(0,0,0,0)" },
      },
    };
  }

  const drawn = [];

  function draw(place) {
    const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    const name = place.dataset.name;
    const config = {
      displaylogo: false, responsive: true, showSendToCloud: false, plotlyServerURL: "",
      toImageButtonOptions: { format: "svg", filename: name },
      modeBarButtonsToRemove: ["sendDataToCloud", "editInChartStudio"],
    };
    figure.layout.template = template(dark.matches ? "dark" : "light");
    Plotly.newPlot(place, figure.data, figure.layout, config);
    drawn.push(place);
  }

  function dress(mode) {
    for (const place of drawn) Plotly.relayout(place, { template: template(mode) });
  }

  const waiting = [...document.querySelectorAll("[data-figure]")];
  if ("IntersectionObserver" in window) {
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
      }
    }, { rootMargin: "400px" });
    waiting.forEach((place) => seen.observe(place));
    window.addEventListener("beforeprint", () => {
      for (const place of waiting) if (!drawn.includes(place)) { seen.unobserve(place); draw(place); }
      dress("light");
    });
  } else {
    waiting.forEach(draw);
    window.addEventListener("beforeprint", () => dress("light"));
  }
  const turned = () => dress(dark.matches ? "dark" : "light");
  window.addEventListener("afterprint", turned);
  dark.addEventListener("change", turned);

  function value(row, column) {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return cell.textContent;
  }

  function compare(a, b) {
    const numbers = [typeof a === "number", typeof b === "number"];
    if (numbers[0] && numbers[1]) return a - b;
    if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
    return a.localeCompare(b);
  }

  for (const button of document.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const head = button.parentElement;
      const table = head.closest("table");
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => (down ? -1 : 1) * compare(value(a, head.cellIndex), value(b, head.cellIndex)));
      table.tBodies[0].append(...rows);
    });
  }
})();
