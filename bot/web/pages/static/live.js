// Follows jobs and their list over the WebSocket, and by polling while there is none.

import { RequestError, status } from "./calls.js";

const FINAL_STATUSES = new Set(["completed", "failed"]);
const POLL_MS = 3000;
const POLL_WITH_SOCKET_MS = 30000; // a broken connection may go unnoticed
const POLL_LIST_MS = 15000;
const MAX_RECONNECT_MS = 30000;

export class LiveUpdates {
  #onStatus; // called with (jobId, jobStatus)
  #onList; // called when jobs may have been added or deleted
  #onDeleted; // called with a jobId
  #onClosed; // called when the WebSocket could not be opened, or was closed
  #isStarted = false;
  #following = new Set();
  #socket = null;
  #reconnectMs = 1000;
  #pollTimer = 0;
  #reconnectTimer = 0;
  #listReadAt = 0;

  constructor({ onStatus, onList, onDeleted, onClosed }) {
    this.#onStatus = onStatus;
    this.#onList = onList;
    this.#onDeleted = onDeleted;
    this.#onClosed = onClosed;
  }

  start() {
    this.#isStarted = true;
    this.#listReadAt = Date.now();
    this.#open();
    this.#schedulePoll();
  }

  follow(jobId) {
    if (this.#following.has(jobId)) return;
    this.#following.add(jobId);
    if (this.#isOpen()) this.#send({ action: "subscribe", jobId });
    // The next poll may still be far away, although the WebSocket has been closed since.
    clearTimeout(this.#pollTimer);
    this.#pollTimer = 0;
    this.#schedulePoll();
  }

  // Opens the WebSocket now, without waiting for the next attempt.
  reconnect() {
    clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = 0;
    this.#open();
  }

  stop() {
    this.#isStarted = false;
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
    if (!this.#isStarted || this.#socket || this.#reconnectTimer) return;
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
      this.#send({ action: "subscribe_list" });
      for (const jobId of this.#following) this.#send({ action: "subscribe", jobId });
      this.#onList(); // what has changed before it was followed
    };
    socket.onmessage = (event) => this.#handleMessage(JSON.parse(event.data));
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#onClosed();
      this.#reconnectTimer = setTimeout(() => this.reconnect(), this.#reconnectMs);
      this.#reconnectMs = Math.min(this.#reconnectMs * 2, MAX_RECONNECT_MS);
    };
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #handleMessage(message) {
    if (message.type === "progress") this.#handleStatus(message.jobId, message);
    else if (message.type === "created") this.#onList();
    else if (message.type === "deleted") this.#onDeleted(message.jobId);
    else if (message.jobId) this.#poll(message.jobId);
  }

  #handleStatus(jobId, jobStatus) {
    if (!this.#following.has(jobId)) return;
    if (FINAL_STATUSES.has(jobStatus.status)) this.#following.delete(jobId);
    this.#onStatus(jobId, jobStatus);
  }

  async #poll(jobId) {
    try {
      this.#handleStatus(jobId, await status(jobId));
    } catch (error) {
      if (error instanceof RequestError && error.status === 404) this.#following.delete(jobId);
    }
  }

  #schedulePoll() {
    if (this.#pollTimer || !this.#isStarted) return;
    const pause = this.#isOpen() ? POLL_WITH_SOCKET_MS : POLL_MS;
    this.#pollTimer = setTimeout(async () => {
      for (const jobId of [...this.#following]) await this.#poll(jobId);
      this.#readList();
      this.#pollTimer = 0;
      this.#schedulePoll();
    }, pause);
  }

  #readList() {
    if (this.#isOpen() || document.hidden || Date.now() - this.#listReadAt < POLL_LIST_MS) return;
    this.#listReadAt = Date.now();
    this.#onList();
  }
}
