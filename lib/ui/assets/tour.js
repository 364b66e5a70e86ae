// The tour's card: it shows one step, rings what the step speaks of, and remembers in the browser that it was seen.
const SEEN = "embedscope.tour";
const STEP = "embedscope.tour.step";
const RING = "3px solid";
const OPEN = '[data-testid="stPopoverBody"], [data-baseweb="popover"], [role="listbox"], [aria-modal="true"]';

// Of this page load, however often the card is drawn anew: which press of "Take the tour" runs, and whether it ended.
const run = (globalThis.embedscopeTour ??= { begun: 0, ended: false });

// A browser may refuse to keep anything; then the tour is shown once a page load.
function kept(store, name, value) {
  try {
    if (value === null) store.removeItem(name);
    else if (value !== undefined) store.setItem(name, value);
    return store.getItem(name);
  } catch {
    return null;
  }
}

function onScreen(element) {
  const box = element.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && box.right > 0 && box.left < innerWidth;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const { steps, asked } = data;
  const find = (name) => parentElement.querySelector(`.${name}`);
  const card = find("card"), back = find("back"), next = find("next"), skip = find("skip");
  let ringed = null, before = "", place = Number(kept(sessionStorage, STEP)) || 0;
  if (asked !== run.begun) {
    run.begun = asked;
    run.ended = false;
    place = 0;
  }
  place = Math.min(place, steps.length - 1);

  const escaped = (event) => {
    if (event.key !== "Escape" || card.hidden || !card.isConnected) return;
    if (!document.querySelector(OPEN)) over(); // what is open over the page goes first
  };
  const listen = (to) => { // one listener, however often the card is drawn anew
    if (run.escaped) removeEventListener("keydown", run.escaped, true);
    run.escaped = to;
    if (to) addEventListener("keydown", to, true); // before what is open hears it
  };
  const unring = () => { if (ringed) ringed.style.outline = before; ringed = null; };
  const over = () => {
    unring();
    listen(null);
    run.ended = true;
    card.hidden = true;
    kept(localStorage, SEEN, "seen");
    kept(sessionStorage, STEP, null);
    setTriggerValue("over", true);
  };
  const ring = (selectors) => {
    unring();
    for (const selector of selectors) {
      const found = [...document.querySelectorAll(selector)].find(onScreen);
      if (!found) continue;
      ringed = found;
      before = found.style.outline;
      found.style.outline = `${RING} ${getComputedStyle(card).borderTopColor}`;
      found.style.outlineOffset = "2px";
      found.scrollIntoView({ block: "nearest" });
      return;
    }
  };
  const show = (focus) => {
    const step = steps[place];
    kept(sessionStorage, STEP, String(place));
    find("place").textContent = `Step ${place + 1} of ${steps.length}`;
    find("title").textContent = step.title;
    find("text").textContent = step.text;
    back.hidden = place === 0;
    next.textContent = place === steps.length - 1 ? "Done" : "Next";
    skip.hidden = place === steps.length - 1;
    card.hidden = false;
    ring(step.at);
    if (focus) next.focus();
  };

  if (run.ended || (!asked && kept(localStorage, SEEN))) {
    card.hidden = true;
    listen(null);
    return unring;
  }
  next.onclick = () => { if (place === steps.length - 1) over(); else { place += 1; show(true); } };
  back.onclick = () => { place -= 1; show(true); };
  skip.onclick = over;
  listen(escaped);
  show(asked > 0); // by itself it takes no focus away; asked for, it does
  return unring;
}
