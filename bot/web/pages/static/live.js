// Follows jobs: over the WebSocket while there is one, and by asking where there is none.

import { Failure, status } from "./calls.js";

const ENDS = new Set(["completed", "failed"]);
const ASK_MS = 3000;
const ASK_BESIDE_MS = 30000; // a socket may be dead without knowing
const MOST_PAUSE_MS = 30000;

export class Live {
  #told; // called with (jobId, reading)
  #following = new Set();
  #socket = null;
  #pause = 1000;
  #asking = 0;
  #opening = 0;

  constructor(told) {
    this.#told = told;
  }

  follow(jobId) {
    if (this.#following.has(jobId)) return;
    this.#following.add(jobId);
    if (this.#isOpen()) this.#send("subscribe", jobId);
    else this.#open();
    this.#askLater();
  }

  stop() {
    this.#following.clear();
    clearTimeout(this.#asking);
    clearTimeout(this.#opening);
    this.#asking = this.#opening = 0;
    this.#socket?.close();
    this.#socket = null;
  }

  #isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #open() {
    if (this.#socket || this.#opening) return;
    const address = new URL("ws", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    let socket;
    try {
      socket = new WebSocket(address);
    } catch {
      return; // the page still asks
    }
    this.#socket = socket;
    socket.onopen = () => {
      this.#pause = 1000;
      for (const jobId of this.#following) this.#send("subscribe", jobId);
    };
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "progress") this.#tell(message.jobId, message);
      else if (message.jobId) this.#ask(message.jobId);
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (!this.#following.size) return;
      this.#opening = setTimeout(() => {
        this.#opening = 0;
        this.#open();
      }, this.#pause);
      this.#pause = Math.min(this.#pause * 2, MOST_PAUSE_MS);
    };
  }

  #send(action, jobId) {
    this.#socket.send(JSON.stringify({ action, jobId }));
  }

  #tell(jobId, reading) {
    if (!this.#following.has(jobId)) return;
    if (ENDS.has(reading.status)) this.#following.delete(jobId);
    this.#told(jobId, reading);
    if (!this.#following.size) this.stop();
  }

  async #ask(jobId) {
    try {
      this.#tell(jobId, await status(jobId));
    } catch (error) {
      if (error instanceof Failure && error.status === 404) this.#following.delete(jobId);
    }
  }

  #askLater() {
    if (this.#asking || !this.#following.size) return;
    const pause = this.#isOpen() ? ASK_BESIDE_MS : ASK_MS;
    this.#asking = setTimeout(async () => {
      for (const jobId of [...this.#following]) await this.#ask(jobId);
      this.#asking = 0;
      this.#askLater();
    }, pause);
  }
}
