"use strict";
// Zoom and pan, the legend's switches, the card of a store. No library, no network.
(() => {
  const by = id => document.getElementById(id);
  const [map, view, stores, card, picked, find] = ["map", "view", "stores", "card", "picked", "find"].map(by);
  const all = [...stores.querySelectorAll("path")];
  const companies = [...stores.querySelectorAll(".company")];
  const switches = [...document.querySelectorAll("#companies button")];
  const least = 0.4, most = 400;
  const kmPerUnit = Number(map.dataset.kmPerUnit), bar = by("scale");
  let scale = 1, x = 0, y = 0, moved = 0, waiting = false, untouched = true;

  // One frame draws all that happened since the last.
  const draw = () => {
    waiting = false;
    view.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
    const dot = Math.min(16, (all.length > 2000 ? 4.5 : 7) * Math.max(1, scale) ** 0.35);
    map.style.setProperty("--dot", `${dot.toFixed(1)}px`);
    const pixel = kmPerUnit / scale / map.getScreenCTM().a, power = 10 ** Math.floor(Math.log10(pixel * 120));
    const km = power * [5, 2, 1].find(step => step * power <= pixel * 120);
    bar.style.width = `${km / pixel}px`;
    bar.textContent = km < 1 ? `${km * 1000} m` : `${km} km`;
  };
  const later = () => { if (!waiting) { waiting = true; requestAnimationFrame(draw); } };
  const place = event => new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  const zoomAt = (point, factor) => {
    const next = Math.min(most, Math.max(least, scale * factor));
    x = point.x - (point.x - x) * next / scale;
    y = point.y - (point.y - y) * next / scale;
    scale = next;
    untouched = false;
    later();
  };
  const middle = { x: 600, y: 450 };
  // The whole picture, in what the legend leaves free.
  const showAll = () => {
    const unit = map.getScreenCTM(), legend = by("legend").getBoundingClientRect();
    const beside = legend.width < innerWidth / 2;
    const width = (beside ? legend.left : innerWidth) / unit.a;
    const height = (beside ? innerHeight : legend.top) / unit.a;
    scale = Math.min(width / 1200, height / 900);
    x = -unit.e / unit.a + (width - 1200 * scale) / 2;
    y = -unit.f / unit.a + (height - 900 * scale) / 2;
    untouched = true;
    later();
  };

  map.addEventListener("wheel", event => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 30 : 1;
    zoomAt(place(event), Math.exp(-Math.max(-300, Math.min(300, event.deltaY * lines)) / 400));
  }, { passive: false });

  // One pointer moves the map; two move and zoom it.
  const pointers = new Map();
  const centre = () => {
    const points = [...pointers.values()];
    const mean = key => points.reduce((sum, point) => sum + point[key], 0) / points.length;
    const spread = points.length < 2 ? 0 : Math.hypot(points[0].x - points[1].x, points[0].y - points[1].y);
    return { x: mean("x"), y: mean("y"), spread };
  };
  map.addEventListener("pointerdown", event => {
    if (event.button > 0) return;
    if (!pointers.size) moved = 0;
    pointers.set(event.pointerId, place(event));
  });
  addEventListener("pointermove", event => {
    if (!pointers.has(event.pointerId)) return;
    const before = centre();
    pointers.set(event.pointerId, place(event));
    const after = centre();
    moved += Math.hypot(event.movementX, event.movementY);
    if (moved > 4) map.classList.add("dragged");
    x += after.x - before.x;
    y += after.y - before.y;
    untouched = false;
    if (before.spread > 0 && after.spread > 0) zoomAt(after, after.spread / before.spread);
    later();
  });
  const release = event => {
    pointers.delete(event.pointerId);
    if (!pointers.size) map.classList.remove("dragged");
  };
  addEventListener("pointerup", release);
  addEventListener("pointercancel", release);
  map.addEventListener("dblclick", event => zoomAt(place(event), 2));

  by("zoom").addEventListener("click", event => {
    const how = event.target.dataset.zoom;
    if (how === "all") showAll();
    else if (how) zoomAt(middle, how === "in" ? 1.6 : 1 / 1.6);
  });
  addEventListener("keydown", event => {
    if (event.target === find || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 60, moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key === "+" || event.key === "=") zoomAt(middle, 1.6);
    else if (event.key === "-") zoomAt(middle, 1 / 1.6);
    else if (event.key === "0") showAll();
    else if (event.key === "Escape") unpick();
    else if (moves[event.key]) { x += moves[event.key][0]; y += moves[event.key][1]; untouched = false; later(); }
  });

  // The card. Texts are set as text, never as markup.
  const groupOf = store => all.filter(other => other.dataset.group === store.dataset.group);
  const pick = store => {
    const company = store.parentNode.dataset.company;
    const colour = getComputedStyle(store).stroke;
    card.querySelector("h2").textContent = store.querySelector("title").textContent;
    card.querySelector(".of").textContent = `${company}, store ${store.dataset.id}`;
    const group = store.dataset.group ? groupOf(store) : [store];
    const [together, alone] = map.dataset.groups === "price"
      ? ["stores that price alike", "Prices like no other store of its company"]
      : ["close stores", "Close to no group of its company's stores"];
    card.querySelector(".group").textContent = group.length > 1
      ? `One of a group of ${group.length} ${together}` : alone;
    all.forEach(other => other.classList.remove("same"));
    group.forEach(other => other.classList.add("same"));
    stores.classList.toggle("picking", group.length > 1);
    card.style.setProperty("--colour", colour);
    picked.querySelectorAll("path").forEach(path => path.setAttribute("d", store.getAttribute("d")));
    picked.querySelector(".core").style.stroke = colour;
    card.hidden = false;
    picked.removeAttribute("hidden");
  };
  const unpick = () => {
    card.hidden = true;
    picked.setAttribute("hidden", "");
    stores.classList.remove("picking");
  };
  map.addEventListener("click", event => {
    if (moved > 4) return;
    const store = event.target.closest("#stores path");
    if (store) pick(store); else unpick();
  });
  by("close").addEventListener("click", unpick);

  // A click switches a company; with Shift, or twice, it alone is left.
  const show = (button, on) => {
    button.setAttribute("aria-pressed", on);
    companies.find(company => company.dataset.number === button.dataset.number).classList.toggle("off", !on);
  };
  const isOn = button => button.getAttribute("aria-pressed") === "true";
  const alone = chosen => {
    const already = isOn(chosen) && switches.every(button => button === chosen || !isOn(button));
    switches.forEach(button => show(button, already || button === chosen));
  };
  switches.forEach(button => button.addEventListener("click", event => {
    if (event.shiftKey) alone(button); else show(button, !isOn(button));
    unpick();
  }));

  // Finding: what is typed is looked for in the names; Enter goes on to the next.
  let found = [], at = 0;
  const goTo = store => {
    const [, left, top] = store.getAttribute("d").match(/^M(-?[\d.]+) (-?[\d.]+)/).map(Number);
    scale = Math.max(scale, 12);
    untouched = false;
    x = middle.x - left * scale;
    y = middle.y - top * scale;
    pick(store);
    later();
  };
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    found = wanted ? all.filter(store => store.querySelector("title").textContent.toLowerCase().includes(wanted)) : [];
    at = 0;
    find.classList.toggle("none", wanted !== "" && !found.length);
  });
  find.addEventListener("keydown", event => {
    if (event.key === "Escape") { find.value = ""; unpick(); }
    if (event.key !== "Enter" || !found.length) return;
    const store = found[at++ % found.length];
    show(switches.find(button => button.dataset.number === store.parentNode.dataset.number), true);
    goTo(store);
  });

  addEventListener("resize", () => { if (untouched) showAll(); else later(); });
  showAll();
})();
