// Saves what plotly has drawn elsewhere on the page, by the button that plotly itself has for it: no second library,
// and nothing is fetched.
const LEAST = 2000; // pixels of a PNG's width, at least
const FONT = "Arial, Helvetica, sans-serif"; // a picture cannot bring the page's own, and room is made for what it has
const CLEAR = /^(transparent|rgba\(.*,\s*0(\.0+)?\))$/;

function pressed(chart, format, file) {
  const button = (chart?._fullLayout?._modeBar?.buttons ?? []).flat().find((one) => one.name === "toImage");
  if (!button) return false;
  const { layout, _fullLayout: drawn, _context: context } = chart;
  const kept = { options: context.toImageButtonOptions, paper: layout.paper_bgcolor, font: layout.font };
  const scale = format === "png" ? Math.max(2, LEAST / drawn.width) : 1;
  context.toImageButtonOptions = { format, filename: file, scale };
  layout.font = { ...kept.font, family: FONT };
  if (CLEAR.test(drawn.paper_bgcolor ?? "transparent")) { // on the paper of the page
    layout.paper_bgcolor = getComputedStyle(chart).getPropertyValue("--st-background-color") || "#ffffff";
  }
  try {
    button.click(chart); // takes its copy of the figure at once
  } finally {
    context.toImageButtonOptions = kept.options;
    layout.paper_bgcolor = kept.paper;
    layout.font = kept.font;
  }
  return true;
}

export default function ({ data, parentElement }) {
  parentElement.querySelector(".embedscope-save").setAttribute("aria-label", `Save the picture: ${data.about}`);
  const told = parentElement.querySelector(".told");
  for (const button of parentElement.querySelectorAll("button[data-format]")) {
    const { format } = button.dataset;
    button.title = `Save the picture as it is seen, as ${format.toUpperCase()}`;
    button.setAttribute("aria-label", button.title);
    button.onclick = () => {
      const chart = document.querySelector(`${data.where} .js-plotly-plot`);
      told.textContent = pressed(chart, format, data.file) ? "" : "The picture is not drawn yet.";
    };
  }
}
