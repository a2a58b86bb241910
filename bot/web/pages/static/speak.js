// A text to speak, where the bot has a voice: it becomes the order's audio file.

import { narrate } from "./calls.js";
import { announce, byId, pressing } from "./dom.js";
import { say, settings } from "./words.js";

export class Speaker {
  #spoken; // called with the file
  #hold; // keeps the form as it is while that runs which it is called with
  #url = "";

  constructor({ spoken, hold, errorId }) {
    this.#spoken = spoken;
    this.#hold = hold;
    byId("speak").hidden = !settings.speaking;
    byId("text").addEventListener("input", () => this.#count());
    byId("listen").addEventListener("click", (event) =>
      pressing(event.target, errorId, async () => {
        await this.#hold(() => this.speak());
        byId("audition").focus();
        // Where the browser plays nothing unasked, the player is there.
        await byId("audition").play().catch(() => null);
      }),
    );
    this.#count();
  }

  get isWanted() {
    return Boolean(byId("text").value.trim());
  }

  async speak() {
    const text = byId("text");
    if (!this.isWanted) {
      text.focus();
      throw new Error(say("speech.empty"));
    }
    const button = byId("listen");
    button.textContent = say("page.speaking");
    announce(say("page.speaking"));
    try {
      const sound = await narrate(text.value);
      this.#spoken(new File([sound], "narration.mp3", { type: "audio/mpeg" }));
      this.#url = URL.createObjectURL(sound);
      byId("audition").src = this.#url;
      byId("audition").hidden = false;
    } finally {
      button.textContent = say("page.listen");
    }
  }

  // Makes room for a file, or takes it back when there is none.
  yield(taken) {
    byId("speak").hidden = taken || !settings.speaking;
    if (!this.#url) return;
    const player = byId("audition");
    player.pause();
    player.hidden = true;
    player.removeAttribute("src");
    URL.revokeObjectURL(this.#url);
    this.#url = "";
  }

  clear() {
    byId("text").value = "";
    this.#count();
  }

  #count() {
    const number = new Intl.NumberFormat(settings.language);
    byId("text-count").textContent = say("page.count", {
      count: number.format(byId("text").value.length),
      limit: number.format(settings.maxText),
    });
  }
}
