// The button that copies the address of what is on the screen, and says what that address cannot carry.
const INNER = "/~/+/"; // Community Cloud shows the app in a frame at this path; the address to pass on has none of it
const HERE = ["localhost", "127.0.0.1", "[::1]"];
const SHOWN = 3_000; // milliseconds for which the button says "Copied"

function address() {
  const url = new URL(globalThis.location.href);
  url.hash = "";
  url.pathname = url.pathname.startsWith(INNER) ? `/${url.pathname.slice(INNER.length)}` : url.pathname;
  for (const name of [...url.searchParams.keys()]) if (name.startsWith("embed")) url.searchParams.delete(name);
  return url;
}

let told = false; // that the machine is the visitor's own: once a visit is enough

// What of the address, or of the session, the reader of the link will not find.
function left(url, { kinds, notes, longest }) {
  const found = kinds.filter(({ name, values }) => values.includes(url.searchParams.get(name)));
  const said = [...found.map(({ note }) => note), ...notes];
  if (HERE.includes(url.hostname) && !told) {
    told = true;
    said.push("This is an address of your own machine: it opens for nobody else. Elsewhere, put the name of a server "
      + "that others reach in its place.");
  }
  const long = url.href.length;
  if (long > longest) {
    said.push(`The address has ${long.toLocaleString("en").replaceAll(",", "\u202f")} characters: mail and chat `
      + `programs may cut it off beyond ${longest.toLocaleString("en").replaceAll(",", "\u202f")}.`);
  }
  return [...new Set(said)];
}

async function copy(text, field) {
  try {
    await navigator.clipboard.writeText(text); // only where the page is secure: https or localhost
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand("copy"); // everywhere else
  }
}

// Keep what is said within the page beside the sidebar, wherever in its row the button stands.
function fit(said, host) {
  said.style.transform = "";
  const page = host?.closest('[data-testid="stMain"]')?.getBoundingClientRect();
  const box = said.getBoundingClientRect();
  const over = Math.max(0, (page ? page.left : 0) + 8 - box.left);
  if (over) said.style.transform = `translateX(${over}px)`;
}

export default function ({ data, parentElement }) {
  const find = (name) => parentElement.querySelector(`.${name}`);
  const button = find("copy"), word = find("word"), said = find("said"), field = find("address"), list = find("left");
  let timer;
  const shut = () => { said.hidden = true; button.setAttribute("aria-expanded", "false"); };
  button.onclick = async () => {
    const url = address();
    const sentences = left(url, data);
    field.value = url.href;
    field.hidden = said.hidden = false;
    const done = await copy(url.href, field);
    field.hidden = done;
    button.focus();
    word.textContent = done ? "Copied" : "Copy link";
    find("how").textContent = done ? "" : "This browser does not let a page copy: mark the address and copy it.";
    list.replaceChildren(...sentences.map((sentence) => {
      const line = document.createElement("li");
      line.textContent = sentence;
      return line;
    }));
    said.hidden = done && !sentences.length;
    button.setAttribute("aria-expanded", String(!said.hidden));
    if (!said.hidden) fit(said, parentElement.host ?? parentElement);
    find("status").textContent = done ? ["The link is copied.", ...sentences].join(" ") : find("how").textContent;
    clearTimeout(timer);
    timer = setTimeout(() => { word.textContent = "Copy link"; }, SHOWN);
    if (!done) { field.focus(); field.select(); }
  };
  find("shut").onclick = () => { shut(); button.focus(); };
  find("root").onkeydown = (event) => { if (event.key === "Escape" && !said.hidden) { shut(); button.focus(); } };
  return () => clearTimeout(timer);
}
