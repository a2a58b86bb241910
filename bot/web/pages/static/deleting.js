// Deletes a job that has ended, after asking once more.

import { byId, runAction } from "./dom.js";

export class Deleting {
  #jobId = "";

  constructor({ onConfirmed, errorId }) {
    byId("delete").addEventListener("click", () => {
      if (byId("deleting").hidden) this.#open();
      else this.close();
    });
    byId("keep").addEventListener("click", () => {
      this.close();
      byId("delete").focus();
    });
    byId("delete-sure").addEventListener("click", () =>
      runAction(byId("deleting"), errorId, () => onConfirmed(this.#jobId)),
    );
  }

  setJob(jobId) {
    if (jobId !== this.#jobId) this.close();
    this.#jobId = jobId;
  }

  close() {
    byId("deleting").hidden = true;
    byId("delete").setAttribute("aria-expanded", "false");
  }

  #open() {
    byId("deleting").hidden = false;
    byId("delete").setAttribute("aria-expanded", "true");
    byId("keep").focus();
  }
}
