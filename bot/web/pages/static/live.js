// Follows jobs over the WebSocket, and by polling while there is none.

import { RequestError, status } from "./calls.js";

const FINAL_STATUSES = new Set(["completed", "failed"]);
const POLL_MS = 3000;
const POLL_WITH_SOCKET_MS = 30000; // a broken connection may go unnoticed
const MAX_RECONNECT_MS = 30000;

export class LiveUpdates {
  #onStatus; // called with (jobId, jobStatus)
  #following = new Set();
  #socket = null;
  #reconnectMs = 1000;
  #pollTimer = 0;
  #reconnectTimer = 0;

  constructor(onStatus) {
    this.#onStatus = onStatus;
  }

  follow(jobId) {
    if (this.#following.has(jobId)) return;
    this.#following.add(jobId);
    if (this.#isOpen()) this.#send("subscribe", jobId);
    else this.#open();
    this.#schedulePoll();
  }

  stop() {
    this.#following.clear();
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#reconnectTimer);
    this.#pollTimer = this.#reconnectTimer = 0;
    this.#socket?.close();
    this.#socket = null;
  }

  #isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #open() {
    if (this.#socket || this.#reconnectTimer) return;
    const address = new URL("ws", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    let socket;
    try {
      socket = new WebSocket(address);
    } catch {
      return; // polling continues
    }
    this.#socket = socket;
    socket.onopen = () => {
      this.#reconnectMs = 1000;
      for (const jobId of this.#following) this.#send("subscribe", jobId);
    };
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "progress") this.#handleStatus(message.jobId, message);
      else if (message.jobId) this.#poll(message.jobId);
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (!this.#following.size) return;
      this.#reconnectTimer = setTimeout(() => {
        this.#reconnectTimer = 0;
        this.#open();
      }, this.#reconnectMs);
      this.#reconnectMs = Math.min(this.#reconnectMs * 2, MAX_RECONNECT_MS);
    };
  }

  #send(action, jobId) {
    this.#socket.send(JSON.stringify({ action, jobId }));
  }

  #handleStatus(jobId, jobStatus) {
    if (!this.#following.has(jobId)) return;
    if (FINAL_STATUSES.has(jobStatus.status)) this.#following.delete(jobId);
    this.#onStatus(jobId, jobStatus);
    if (!this.#following.size) this.stop();
  }

  async #poll(jobId) {
    try {
      this.#handleStatus(jobId, await status(jobId));
    } catch (error) {
      if (error instanceof RequestError && error.status === 404) this.#following.delete(jobId);
    }
  }

  #schedulePoll() {
    if (this.#pollTimer || !this.#following.size) return;
    const pause = this.#isOpen() ? POLL_WITH_SOCKET_MS : POLL_MS;
    this.#pollTimer = setTimeout(async () => {
      for (const jobId of [...this.#following]) await this.#poll(jobId);
      this.#pollTimer = 0;
      this.#schedulePoll();
    }, pause);
  }
}
