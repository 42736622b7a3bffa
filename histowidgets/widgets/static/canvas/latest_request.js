// Keeps at most one request unanswered. Of those made in the meantime, only the last is sent after the answer.
export class LatestRequest {
  // `send` is called with the content of a request and its number.
  constructor(send) {
    this.send = send;
    this.sent = 0; // number of requests so far
    this.unanswered = 0; // number of the request without an answer; 0 if there is none
    this.waiting = null;
  }

  get pending() {
    return this.unanswered > 0 || this.waiting !== null;
  }

  make(content) {
    this.waiting = content;
    this._sendNext();
  }

  dropWaiting() {
    this.waiting = null;
  }

  // Handle the answer to the request of this number; answers to earlier requests are ignored.
  answered(number) {
    if (number < this.unanswered) return;
    this.unanswered = 0;
    this._sendNext();
  }

  _sendNext() {
    if (this.unanswered || this.waiting === null) return;
    const content = this.waiting;
    this.waiting = null;
    this.sent += 1;
    this.unanswered = this.sent;
    this.send(content, this.sent);
  }
}
