import { LatestRequest } from "./latest_request.js";
import * as messages from "./messages.js";

const RESEND_MS = 10_000;
const WATCH_MS = 1000;
const SILENCE_MS = 4000; // an edit without an answer for this long is reported

// The connection to the kernel. Edits are numbered, kept until they are answered, and resent if no answer comes. At
// most one request for a view, and one for what is under the pen, is unanswered at a time.
export class Link {
  // `onSilence` is called with the number of edits whose answer is overdue and the seconds since the oldest was made,
  // and with 0 edits once the answers have come. `now` returns milliseconds.
  constructor(model, onSilence, now = () => performance.now()) {
    this.model = model;
    this.onSilence = onSilence;
    this.now = now;
    this.client = Math.random().toString(36).slice(2, 10);
    this.edits = 0;
    this.unanswered = new Map(); // number of an edit -> {content, buffers, made}
    this.openChoices = 0; // number of unanswered choices of tool, class, width, …
    this.isSilent = false;
    this.views = new LatestRequest((view, number) => this.send(messages.view(number, view)));
    this.hovers = new LatestRequest((content) => this.send(content));
    this.resend = setInterval(() => this._resendOldest(), RESEND_MS);
    this.watch = setInterval(() => this._watchSilence(), WATCH_MS);
  }

  send(content, buffers = []) {
    try {
      this.model.send({ ...content, client: this.client }, undefined, buffers);
    } catch (error) {
      // The kernel is gone. An edit is kept, and reported as unanswered; drawing continues.
      console.warn("not sent:", error.message);
    }
  }

  choose(content) {
    this.openChoices += 1;
    this.send(content);
  }

  choiceAnswered() {
    this.openChoices -= 1;
  }

  edit(content, buffers = []) {
    this.edits += 1;
    const number = this.edits;
    const numbered = { ...content, number };
    this.unanswered.set(number, { content: numbered, buffers, made: this.now() });
    this.send(numbered, buffers);
    return number;
  }

  // Records answered edits, as [client, number]; returns the numbers of those that this page sent.
  editsAnswered(edits) {
    const mine = edits.filter(([client]) => client === this.client).map(([, number]) => number);
    for (const number of mine) this.unanswered.delete(number);
    if (mine.length && this.isSilent) this._watchSilence();
    return mine;
  }

  requestView(view) {
    this.views.make(view);
  }

  viewAnswered(client, number) {
    if (client === this.client) this.views.answered(number);
  }

  // Tell the kernel what image point the pen is over, or null when it has left.
  hover(point) {
    this.hovers.make(point ? messages.hover(point) : messages.leave());
  }

  hoverAnswered() {
    this.hovers.answered(this.hovers.unanswered);
  }

  get _oldest() {
    const [oldest] = this.unanswered.values();
    return oldest;
  }

  _resendOldest() {
    const oldest = this._oldest;
    if (oldest) this.send(oldest.content, oldest.buffers);
  }

  _watchSilence() {
    const oldest = this._oldest;
    const waited = oldest ? this.now() - oldest.made : 0;
    const wasSilent = this.isSilent;
    this.isSilent = waited > SILENCE_MS;
    if (this.isSilent || wasSilent) this.onSilence(this.isSilent ? this.unanswered.size : 0, waited / 1000);
  }

  close() {
    clearInterval(this.resend);
    clearInterval(this.watch);
  }
}
