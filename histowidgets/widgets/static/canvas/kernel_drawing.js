import * as messages from "./messages.js";
import { decodeWithoutUrls } from "./picture_decoding.js";

const FRAME_MS = 250; // without ipycanvas' manager, a drawing is on the screen after a frame, or this time

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

  // A page that is reloaded asks the kernel for all widgets; what the kernel sends to a widget before the page has made
  // it is lost. The lengths of the pictures tell the kernel whether they are the latest.
  async _tellLoaded() {
    const { model } = this;
    try {
      const pictures = await Promise.all(model.get("picture_ids").map((id) => model.widget_manager.get_model(id)));
      this.send(messages.loaded(pictures.map((picture) => picture.get("value").byteLength)));
    } catch (error) {
      console.warn("the pictures cannot be read:", error.message);
    }
  }

  // Calls `act` once ipycanvas has painted all that the kernel has sent until now; in the order of the calls.
  afterPainting(act) {
    const painted = this._painted();
    this.order = this.order.then(() => painted).then(act);
  }

  // ipycanvas works through its commands as one chain of promises. One that failed would keep every later drawing from
  // the page, so the chain is replaced, and the kernel draws again.
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
    await Promise.resolve(); // what ipycanvas itself does after its work comes first
  }

  _nextFrame() {
    return new Promise((resolve) => {
      this.layer?.once("new-frame", () => queueMicrotask(resolve));
      setTimeout(resolve, FRAME_MS);
    });
  }
}
