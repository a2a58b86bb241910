// A link to a video, for others, and its end.

import { share, withdraw } from "./calls.js";
import { announce, byId, pressing, tell } from "./dom.js";
import { day, say, settings } from "./words.js";

const ERROR = "stage-error";

export class Sharing {
  #jobId = "";

  constructor() {
    const button = byId("share");
    button.hidden = !settings.sharing;
    button.addEventListener("click", () => {
      if (byId("shared").hidden) pressing(button, ERROR, () => this.#open());
      else this.close();
    });
    byId("copy").addEventListener("click", copy);
    byId("link").addEventListener("focus", (event) => event.target.select());
    byId("withdraw").addEventListener("click", (event) =>
      pressing(event.target, ERROR, () => this.#withdraw()),
    );
  }

  of(jobId) {
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
    byId("share-until").textContent = say("page.share_until", { date: day(expiresAt) });
    byId("shared").hidden = false;
    byId("share").setAttribute("aria-expanded", "true");
    byId("link").focus();
  }

  async #withdraw() {
    await withdraw(this.#jobId);
    this.close();
    byId("share").focus();
    tell("note", say("page.withdrawn"));
    announce(say("page.withdrawn"));
  }
}

async function copy() {
  const link = byId("link");
  try {
    await navigator.clipboard.writeText(link.value);
    byId("share-until").textContent = say("page.copied");
    announce(say("page.copied"));
  } catch {
    // Not everywhere may a page do that by itself.
    link.focus();
    link.select();
    byId("share-until").textContent = say("page.copy_by_hand");
    announce(say("page.copy_by_hand"));
  }
}
