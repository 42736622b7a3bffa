import { drawWithoutTrace } from "./canvas_pictures.js";

// The line to the kernel: edits are numbered, kept until they are answered, and sent again if no answer comes;
// at most one request for a view, and one for what is under the pen, is on its way.
const RESEND_MS = 10000;
const SILENCE_MS = 4000; // an edit without answer for this long is worth a word

export class Link {
  // `onSilence` is called with how many edits wait for an answer that is overdue, and for how many seconds; 0 when
  // the answers have come.
  constructor(model, onSilence) {
    this.model = model;
    this.onSilence = onSilence;
    this.client = Math.random().toString(36).slice(2, 10);
    this.edits = 0;
    this.unanswered = new Map(); // edit number -> [content, buffers, when it was made]
    this.views = 0;
    this.viewOnWay = 0;
    this.viewWaiting = null;
    this.choices = 0; // of tool, class, width or overlay on their way
    this.hoverOnWay = false;
    this.hoverWaiting = null;
    this.manager = null;
    this.findManager().then(() => this._tellLoaded());
    this.resend = setInterval(() => this._sendOldestAgain(), RESEND_MS);
    this.watch = setInterval(() => this._watchSilence(), 1000);
  }

  async findManager() {
    try {
      const [manager, model] = [this.model.widget_manager, this.model];
      await drawWithoutTrace(manager, model.get("canvas_ids"), model.get("picture_ids"));
      this.manager = await manager.get_model(model.get("manager_id"));
      this.layer = await manager.get_model(model.get("layer_id"));
    } catch (error) {
      this.manager = null; // drawn() then waits for a frame, or a moment
    }
  }

  // A page that is loaded anew asks the kernel for all widgets; what the kernel sends to one of them before the
  // page has made it is lost. How long the pictures are tells the kernel whether they are the latest.
  async _tellLoaded() {
    try {
      const manager = this.model.widget_manager;
      const pictures = await Promise.all(this.model.get("picture_ids").map((id) => manager.get_model(id)));
      this.send({ kind: "loaded", pictures: pictures.map((picture) => picture.get("value").byteLength) });
    } catch (error) {
      console.warn("the pictures cannot be looked at:", error.message);
    }
  }

  send(content, buffers = []) {
    try {
      this.model.send({ ...content, client: this.client }, undefined, buffers);
    } catch (error) {
      // The kernel is gone. An edit stays among the unanswered, and what is missing is said; the hand goes on.
      console.warn("not sent:", error.message);
    }
  }

  choose(content) {
    this.choices += 1;
    this.send(content);
  }

  edit(content, buffers = []) {
    const number = ++this.edits;
    this.unanswered.set(number, [{ ...content, number }, buffers, performance.now()]);
    this.send({ ...content, number }, buffers);
    return number;
  }

  // The edits of this page among those answered.
  answered(edits) {
    const mine = edits.filter(([client]) => client === this.client).map(([, number]) => number);
    for (const number of mine) this.unanswered.delete(number);
    if (mine.length && this.silent) this._watchSilence();
    return mine;
  }

  view(view) {
    this.viewWaiting = view;
    this._sendView();
  }

  viewAnswered(client, number) {
    if (client === this.client && number >= this.viewOnWay) this.viewOnWay = 0;
    if (this.viewWaiting && !this.viewOnWay) this._sendView();
  }

  get viewPending() {
    return Boolean(this.viewWaiting || this.viewOnWay);
  }

  // The next one goes out when this one is answered, so a long pan asks for as many pictures as the kernel can draw.
  _sendView() {
    if (this.viewOnWay || !this.viewWaiting) return;
    this.viewOnWay = ++this.views;
    this.send({ kind: "view", number: this.viewOnWay, ...this.viewWaiting });
    this.viewWaiting = null;
  }

  hover(point) {
    if (this.hoverOnWay) {
      this.hoverWaiting = point;
      return;
    }
    this.hoverOnWay = true;
    this.send(point ? { kind: "hover", x: point[0], y: point[1] } : { kind: "leave" });
  }

  hoverAnswered() {
    this.hoverOnWay = false;
    if (this.hoverWaiting === null) return;
    const point = this.hoverWaiting;
    this.hoverWaiting = null;
    this.hover(point);
  }

  // Resolves once ipycanvas has really painted all that the kernel sent until now. ipycanvas works through its
  // commands as one chain of promises; one that failed would keep every later drawing from the page, so
  // it is mended here and the kernel asked to draw again.
  async drawn() {
    const work = this.manager?.currentProcessing;
    if (!work) return this._nextFrame();
    try {
      await work;
    } catch (error) {
      if (this.manager.currentProcessing === work) this.manager.currentProcessing = Promise.resolve();
      this.send({ kind: "redraw" });
    }
    await Promise.resolve();
  }

  _nextFrame(most = 250) {
    return new Promise((resolve) => {
      this.layer?.once("new-frame", () => queueMicrotask(resolve));
      setTimeout(resolve, most);
    });
  }

  _sendOldestAgain() {
    const [oldest] = this.unanswered.values();
    if (oldest) this.send(oldest[0], oldest[1]);
  }

  _watchSilence() {
    const [oldest] = this.unanswered.values();
    const waited = oldest ? performance.now() - oldest[2] : 0;
    const silent = waited > SILENCE_MS;
    if (silent || this.silent) this.onSilence(silent ? this.unanswered.size : 0, waited / 1000);
    this.silent = silent;
  }

  close() {
    clearInterval(this.resend);
    clearInterval(this.watch);
  }
}
