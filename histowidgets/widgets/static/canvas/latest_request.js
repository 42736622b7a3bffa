// Has at most one request without an answer. Of those made meanwhile only the last is sent, once the answer has come.
export class LatestRequest {
  // `send` gets the content of a request and its number.
  constructor(send) {
    this.send = send;
    this.sent = 0; // requests until now
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

  // The answer to the request of this number has come; one to an earlier request changes nothing.
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
