"use strict";
/* The viewer of a subject's page. NiiVue draws; what is done with it stands here.
   Everything it needs is in the page: nothing is fetched. */
(() => {
  const $ = (id) => document.getElementById(id);
  const box = $("viewer");
  if (!box) return;
  const settings = JSON.parse($("viewer-settings").textContent);
  const packed = (key) => $(key).textContent.trim();
  const say = (text) => { $("viewer-said").textContent = text; };
  /* Thinner, the lines of a crosshair would fall between pixels: nothing smooths them. */
  const CROSSHAIR_PIXELS = 1.5;
  const panes = [];
  const hidden = new Set();
  for (const pane of settings.panes)
    for (const layer of pane.layers)
      for (const region of layer.regions) if (!region.shown) hidden.add(region.name);
  let library = null;
  let moving = false;

  const times = (matrix, [x, y, z]) =>
    matrix.slice(0, 3).map((row) => row[0] * x + row[1] * y + row[2] * z + row[3]);

  async function unpack(base64) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  async function loadLibrary() {
    const source = await unpack(packed("niivue"));
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    try {
      return await import(url);
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  /* Colours of a layer: regions that are switched off are transparent. */
  function colors(layer) {
    const all = [{ color: [0, 0, 0], value: 0, name: "" }, ...layer.regions];
    const channel = (n) => all.map((region) => region.color[n]);
    const off = (region) => !region.value || hidden.has(region.name);
    return {
      R: channel(0), G: channel(1), B: channel(2),
      A: all.map((region) => (off(region) ? 0 : 255)),
      I: all.map((region) => region.value),
      labels: all.map((region) => region.name),
    };
  }

  class Pane {
    constructor(about) {
      this.about = about;
      this.at = about.shape.map((n) => Math.floor(n / 2));
      this.element = $("pane").content.firstElementChild.cloneNode(true);
      this.element.dataset.case = about.name;
      this.element.querySelector(".pane-name").textContent = about.name;
      this.where = this.element.querySelector(".pane-where");
      this.choice = this.element.querySelector("select");
      about.images.forEach((image, n) => this.choice.add(new Option(image.name, n)));
      this.choice.hidden = about.images.length < 2;
      this.choice.onchange = () => this.show(Number(this.choice.value));
    }

    async start() {
      const { Niivue } = library;
      this.drawer = new Niivue({
        logLevel: "error", dragAndDropEnabled: false, isRadiologicalConvention: false,
        crosshairColor: [1, 0.85, 0.2, 0.9], crosshairWidthUnit: "mm", crosshairGap: 6,
        multiplanarShowRender: 0, multiplanarPadPixels: 8, multiplanarLayout: 0, backColor: [0, 0, 0, 1],
        isCornerOrientationText: false, showAllOrientationMarkers: true, fontColor: [1, 1, 1, 1], loadingText: "",
      });
      const canvas = this.element.querySelector("canvas");
      await this.drawer.attachToCanvas(canvas, false);
      await this.show(0);
    }

    async load(key, name, extra) {
      return library.NVImage.loadFromBase64({ base64: packed(key), name, ...extra });
    }

    /* Show an image of the case, with all layers on it. */
    async show(n) {
      const { images, layers } = this.about;
      this.drawer.onLocationChange = () => {};
      while (this.drawer.volumes.length) this.drawer.removeVolume(this.drawer.volumes[0]);
      const gray = { colormap: "gray", cal_min: images[n].low, cal_max: images[n].high };
      this.drawer.addVolume(await this.load(images[n].key, `${images[n].key}.nii.gz`, gray));
      for (const layer of layers) {
        const volume = await this.load(layer.key, `${layer.key}.nii.gz`, {
          colormap: "gray", opacity: opacity(), colorbarVisible: false,
        });
        volume.setColormapLabel(colors(layer));
        this.drawer.addVolume(volume);
      }
      this.drawer.setInterpolation(false);
      this.outline();
      this.drawer.onLocationChange = (place) => this.moved(place.frac);
      this.go(this.at, { quiet: true });
    }

    /* Fill the place there is; the lines of the crosshair are made anew for it. */
    settle() {
      if (!this.drawer || !this.drawer.volumes.length) return;
      this.drawer.resizeListener();
      const { shape, toWorld } = this.about;
      const wide = shape.map((n, axis) => n * Math.hypot(...[0, 1, 2].map((row) => toWorld[row][axis])));
      const pixels = this.element.querySelector("canvas").clientWidth;
      // an axial, a coronal and a sagittal slice beside each other
      this.drawer.setCrosshairWidth((CROSSHAIR_PIXELS * (2 * wide[0] + wide[1])) / Math.max(pixels, 1));
    }

    outline() {
      this.drawer.setAtlasOutline($("viewer-outline").checked ? 1 : 0);
    }

    fade() {
      for (let n = 1; n < this.drawer.volumes.length; n += 1) this.drawer.setOpacity(n, opacity());
    }

    recolor() {
      this.about.layers.forEach((layer, n) => {
        this.drawer.volumes[n + 1].setColormapLabel(colors(layer));
      });
      this.drawer.updateGLVolume();
    }

    /* Put the crosshair on a voxel; it may lie between voxels. */
    go(voxel, { quiet = false } = {}) {
      const { shape } = this.about;
      const inside = voxel.map((x, n) => Math.min(Math.max(x, 0), shape[n] - 1));
      moving = quiet || moving;
      this.drawer.scene.crosshairPos = inside.map((x, n) => (x + 0.5) / shape[n]);
      this.drawer.drawScene();
      this.tell(inside);
      if (quiet) moving = false;
    }

    moved(frac) {
      const { shape, frame, toFrame } = this.about;
      const voxel = [...frac].slice(0, 3).map((x, n) => x * shape[n] - 0.5);
      this.tell(voxel);
      if (moving || !$("viewer-link").checked) return;
      moving = true;
      follow(this, frame, times(toFrame, voxel));
      moving = false;
    }

    tell(voxel) {
      this.at = voxel;
      const whole = voxel.map(Math.round);
      const [r, a, s] = times(this.about.toWorld, voxel);
      const part = (x, ends) => `${ends[Number(x >= 0)]} ${Math.abs(x).toFixed(1)}`;
      const names = this.about.layers.flatMap((layer, n) => {
        const value = this.drawer.volumes[n + 1].getValue(...whole);
        return layer.regions.filter((region) => region.value === value).map((region) => region.name);
      });
      this.element.dataset.voxel = whole.join(",");
      this.element.dataset.regions = names.join(" ");
      this.where.textContent =
        `${part(r, "LR")}, ${part(a, "PA")}, ${part(s, "IS")} mm` +
        (names.length ? ` · ${names.join(", ")}` : "");
    }
  }

  const opacity = () => Number($("viewer-opacity").value) / 100;

  function follow(from, frame, place) {
    for (const pane of panes)
      if (pane !== from && pane.about.frame === frame) pane.go(times(pane.about.fromFrame, place));
  }

  async function open(name) {
    const about = settings.panes.find((pane) => pane.name === name);
    if (!about || panes.some((pane) => pane.about === about)) return;
    const pane = new Pane(about);
    panes.push(pane);
    panes.sort((a, b) => settings.panes.indexOf(a.about) - settings.panes.indexOf(b.about));
    $("viewer-panes").replaceChildren(...panes.map((one) => one.element));
    tick();
    await pane.start();
    const near = panes.find((one) => one !== pane && one.about.frame === about.frame);
    if (near) pane.go(times(about.fromFrame, times(near.about.toFrame, near.at)), { quiet: true });
    panes.forEach((one) => one.settle());
  }

  function close(name) {
    const at = panes.findIndex((pane) => pane.about.name === name);
    if (at < 0 || panes.length < 2) return tick();
    const [pane] = panes.splice(at, 1);
    pane.element.remove();
    const context = pane.drawer.gl.getExtension("WEBGL_lose_context");
    if (context) context.loseContext();
    tick();
    panes.forEach((one) => one.settle());
  }

  /* Which scans are open, as the boxes above the viewer say. */
  function tick() {
    const names = panes.map((pane) => pane.about.name);
    for (const input of $("viewer-scans").querySelectorAll("input"))
      input.checked = names.includes(input.value);
  }

  /* Jump to a place of a case, and to the same place of the other scans that are open. A piece
     has its own number on every scan; a region, and a lesion that was followed, do not. */
  async function jump(name, key) {
    const about = settings.panes.find((pane) => pane.name === name);
    if (!about || !about.places[key]) return false;
    if (!panes.some((pane) => pane.about === about)) await open(name);
    const source = panes.find((pane) => pane.about === about);
    const shared = times(about.toFrame, about.places[key]);
    moving = true;
    for (const pane of panes) {
      const own = pane === source || !key.includes("#") ? pane.about.places[key] : null;
      if (own) pane.go(own);
      else if (pane.about.frame === about.frame) pane.go(times(pane.about.fromFrame, shared));
    }
    moving = false;
    say(`${key.replace("#", " ").replace("@", " ")}: ${source.where.textContent}`);
    return true;
  }

  async function onRow(event) {
    if (event.target.closest("a, button, summary, input")) return;
    if (event.type === "keydown" && event.key !== "Enter") return;
    const row = event.target.closest("[data-place]");
    if (!row || !library || getSelection().toString()) return;
    if (!(await jump(row.dataset.case, row.dataset.place))) return;
    document.querySelectorAll(".here").forEach((old) => old.classList.remove("here"));
    row.classList.add("here");
    box.open = true;
  }

  async function start() {
    try {
      library = await loadLibrary();
      for (const pane of settings.panes.filter((one) => one.open)) await open(pane.name);
      box.dataset.state = "ready";
      say("");
    } catch (error) {
      box.dataset.state = "failed";
      say(`${box.dataset.failed} (${error.message || error})`);
    }
  }

  /* Rows that lead nowhere do not look as if they did. */
  for (const row of document.querySelectorAll("[data-place]")) {
    const about = settings.panes.find((pane) => pane.name === row.dataset.case);
    if (!about || !about.places[row.dataset.place]) delete row.dataset.place;
    else row.tabIndex = 0;
  }
  document.addEventListener("click", onRow);
  document.addEventListener("keydown", onRow);
  $("viewer-opacity").oninput = () => panes.forEach((pane) => pane.fade());
  $("viewer-outline").onchange = () => panes.forEach((pane) => pane.outline());
  $("viewer-scans").onchange = ({ target }) =>
    target.checked ? open(target.value) : close(target.value);
  for (const input of document.querySelectorAll("#viewer-regions input")) {
    input.checked = !hidden.has(input.value);
    input.onchange = () => {
      if (input.checked) hidden.delete(input.value);
      else hidden.add(input.value);
      panes.forEach((pane) => pane.recolor());
    };
  }
  for (const button of document.querySelectorAll("#viewer-regions button"))
    button.onclick = () => {
      for (const input of document.querySelectorAll("#viewer-regions input")) {
        input.checked = button.value === "all";
        if (input.checked) hidden.delete(input.value);
        else hidden.add(input.value);
      }
      panes.forEach((pane) => pane.recolor());
    };
  box.addEventListener("toggle", () => {
    if (box.open) panes.forEach((pane) => pane.settle());
  });
  start();
})();
