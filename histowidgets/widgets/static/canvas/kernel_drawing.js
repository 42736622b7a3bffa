import * as messages from "./messages.js";
import { decodeWithoutUrls } from "./picture_decoding.js";

const FRAME_MS = 250; // without ipycanvas' manager, assume a drawing is on the screen after a frame or this time
const STUCK_MS = 10_000; // a drawing that takes longer waits for something that never comes

// Follows what ipycanvas draws for the kernel.
export class KernelDrawing {
  constructor(model, send) {
    this.model = model;
    this.send = send;
    this.manager = null; // of ipycanvas
    this.layer = null; // ipycanvas' top layer
    this.order = Promise.resolve();
    this.isDead = false; // whether the page was made from a stored state, as exported HTML is
    this.connected = this._connect();
    this.connected.then(() => this._tellLoaded());
  }

  async _connect() {
    const { model } = this;
    try {
      const widgets = model.widget_manager;
      await decodeWithoutUrls(widgets, model.get("canvas_ids"), model.get("picture_ids"));
      this.manager = await widgets.get_model(model.get("manager_id"));
      this.layer = await widgets.get_model(model.get("layer_id"));
      this.isDead = this.manager.comm_live === false;
    } catch {
      this.manager = null; // a drawing then waits for a frame
    }
  }

  // A reloaded page asks the kernel for all widgets; messages to a widget that the page has not created yet are lost.
  // The lengths of the pictures tell the kernel whether they are the latest.
  async _tellLoaded() {
    const { model } = this;
    try {
      const pictures = await Promise.all(model.get("picture_ids").map((id) => model.widget_manager.get_model(id)));
      this.send(messages.loaded(pictures.map((picture) => picture.get("value").byteLength)));
    } catch (error) {
      console.warn("the pictures cannot be read:", error.message);
    }
  }

  // Calls `act` once ipycanvas has painted everything that the kernel has sent so far, in the order of the calls.
  afterPainting(act) {
    const painted = this._painted();
    this.order = this.order
      .then(() => painted)
      .then(act)
      .catch((error) => console.error("a drawing of the kernel could not be followed:", error)); // the next one can
  }

  // ipycanvas runs its commands as one chain of promises. One that fails or never ends, as when a picture cannot be
  // decoded, would block all later drawing, so the chain is replaced once, and the kernel redraws.
  async _painted() {
    const { manager } = this;
    const work = manager?.currentProcessing;
    if (!work) {
      await this._nextFrame();
      return;
    }
    const { hwChains = 0 } = manager; // how many have been replaced so far
    try {
      await within(STUCK_MS, work);
    } catch {
      if ((manager.hwChains ?? 0) === hwChains) {
        manager.hwChains = hwChains + 1;
        manager.currentProcessing = Promise.resolve();
        this.send(messages.redraw());
      }
    }
    await Promise.resolve(); // let ipycanvas finish its own steps first
  }

  _nextFrame() {
    return new Promise((resolve) => {
      this.layer?.once("new-frame", () => queueMicrotask(resolve));
      setTimeout(resolve, FRAME_MS);
    });
  }
}

// The result of a promise, or an error if that takes longer.
function within(milliseconds, promise) {
  let timer = 0;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
