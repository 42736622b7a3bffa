import * as messages from "./messages.js";
import { decodeWithoutUrls } from "./picture_decoding.js";

const FRAME_MS = 250; // without ipycanvas' manager, assume a drawing is on the screen after a frame or this time

// Follows what ipycanvas draws for the kernel.
export class KernelDrawing {
  constructor(model, send) {
    this.model = model;
    this.send = send;
    this.manager = null; // of ipycanvas
    this.layer = null; // ipycanvas' top layer
    this.order = Promise.resolve();
    this._connect().then(() => this._tellLoaded());
  }

  async _connect() {
    const { model } = this;
    try {
      const widgets = model.widget_manager;
      await decodeWithoutUrls(widgets, model.get("canvas_ids"), model.get("picture_ids"));
      this.manager = await widgets.get_model(model.get("manager_id"));
      this.layer = await widgets.get_model(model.get("layer_id"));
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
    this.order = this.order.then(() => painted).then(act);
  }

  // ipycanvas runs its commands as one chain of promises. A failed one would block all later drawing, so the chain is
  // replaced, and the kernel redraws.
  async _painted() {
    const work = this.manager?.currentProcessing;
    if (!work) {
      await this._nextFrame();
      return;
    }
    try {
      await work;
    } catch {
      if (this.manager.currentProcessing === work) this.manager.currentProcessing = Promise.resolve();
      this.send(messages.redraw());
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
