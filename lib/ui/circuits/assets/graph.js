// The circuit graph: its columns scroll under their rows' names, can be clicked, and are saved as a picture.
const SCALE = 2; // pixels of a PNG for one of the graph
const MOST = 8192; // pixels that every browser's canvas takes in a direction

function handOver(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function savePng(file, name) {
  const image = new Image();
  image.onload = () => {
    const scale = Math.min(SCALE, MOST / image.width, MOST / image.height);
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [Math.round(image.width * scale), Math.round(image.height * scale)];
    sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
    sheet.toBlob((blob) => handOver(blob, `${name}.png`), "image/png");
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(file)}`;
}

function listen(column, setTriggerValue) {
  const open = () => setTriggerValue("column", column.dataset.column);
  column.onclick = open;
  column.onkeydown = (event) => {
    const step = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(); }
    else if (step && column[step]?.dataset?.column) { event.preventDefault(); column[step].focus(); }
  };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const find = (name) => parentElement.querySelector(`.${name}`);
  const scroll = find("scroll"), how = find("how");
  find("rows").innerHTML = data.rows;
  find("legend").innerHTML = data.legend;
  const focused = parentElement.activeElement?.dataset?.column;
  scroll.innerHTML = data.columns;
  for (const column of scroll.querySelectorAll("[data-column]")) {
    listen(column, setTriggerValue);
    if (column.dataset.column === focused) column.focus({ preventScroll: true });
  }
  find("png").onclick = () => savePng(data.file, data.name);
  find("svg").onclick = () => handOver(new Blob([data.file], { type: "image/svg+xml" }), `${data.name}.svg`);
  const tell = () => {
    const scrolls = scroll.scrollWidth > scroll.clientWidth + 1;
    how.textContent = `${scrolls ? "scroll the graph · " : ""}click a column to inspect it`;
  };
  tell();
  if (scroll.dataset.text !== data.about) {
    scroll.dataset.text = data.about;
    const chosen = scroll.querySelector(".chosen .box");
    if (chosen) scroll.scrollLeft = chosen.x.baseVal.value + chosen.width.baseVal.value / 2 - scroll.clientWidth / 2;
  }
  const watch = new ResizeObserver(tell);
  watch.observe(scroll);
  return () => watch.disconnect();
}
