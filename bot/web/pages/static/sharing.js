// Creates and withdraws the share link of a video.

import { share, withdraw } from "./calls.js";
import { announce, byId, runAction, showMessage } from "./dom.js";
import { formatDateTime, settings, translate } from "./texts.js";

const ERROR = "job-error";

export class Sharing {
  #jobId = "";

  constructor() {
    const button = byId("share");
    button.hidden = !settings.sharing;
    button.addEventListener("click", () => {
      if (byId("shared").hidden) runAction(button, ERROR, () => this.#open());
      else this.close();
    });
    byId("copy").addEventListener("click", copy);
    byId("link").addEventListener("focus", (event) => event.target.select());
    byId("withdraw").addEventListener("click", (event) =>
      runAction(event.target, ERROR, () => this.#withdraw()),
    );
  }

  setJob(jobId) {
    if (jobId !== this.#jobId) this.close();
    this.#jobId = jobId;
  }

  close() {
    byId("shared").hidden = true;
    byId("share").setAttribute("aria-expanded", "false");
    byId("link").value = "";
  }

  async #open() {
    const jobId = this.#jobId;
    const { url, expiresAt } = await share(jobId);
    if (jobId !== this.#jobId) return;
    byId("link").value = url;
    const date = formatDateTime(expiresAt);
    byId("share-until").textContent = translate("page.share_until", { date });
    byId("shared").hidden = false;
    byId("share").setAttribute("aria-expanded", "true");
    byId("link").focus();
  }

  async #withdraw() {
    await withdraw(this.#jobId);
    this.close();
    byId("share").focus();
    showMessage("note", translate("page.withdrawn"));
    announce(translate("page.withdrawn"));
  }
}

async function copy() {
  const link = byId("link");
  try {
    await navigator.clipboard.writeText(link.value);
    byId("share-until").textContent = translate("page.copied");
    announce(translate("page.copied"));
  } catch {
    // Not every browser lets a page use the clipboard.
    link.focus();
    link.select();
    byId("share-until").textContent = translate("page.copy_by_hand");
    announce(translate("page.copy_by_hand"));
  }
}
