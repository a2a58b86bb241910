// The text to speak, if the bot has a voice. Its recording becomes the order's audio file.

import { narrate } from "./calls.js";
import { announce, byId, runAction } from "./dom.js";
import { settings, translate } from "./texts.js";

export class NarrationText {
  #onRecorded; // called with the file
  #lockForm; // runs an action while the form is locked
  #url = "";

  constructor({ onRecorded, lockForm, errorId }) {
    this.#onRecorded = onRecorded;
    this.#lockForm = lockForm;
    byId("speak").hidden = !settings.speaking;
    byId("text").addEventListener("input", () => this.#count());
    byId("listen").addEventListener("click", (event) =>
      runAction(event.target, errorId, async () => {
        await this.#lockForm(() => this.speak());
        byId("recording").focus();
        // If the browser blocks autoplay, the user presses play.
        await byId("recording").play().catch(() => null);
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
      throw new Error(translate("speech.empty"));
    }
    const button = byId("listen");
    button.textContent = translate("page.speaking");
    announce(translate("page.speaking"));
    try {
      const recording = await narrate(text.value);
      this.#onRecorded(new File([recording], "narration.mp3", { type: "audio/mpeg" }));
      this.#url = URL.createObjectURL(recording);
      byId("recording").src = this.#url;
      byId("recording").hidden = false;
    } finally {
      button.textContent = translate("page.listen");
    }
  }

  // Hides the text while the order has a file, and discards the recording.
  setHasFile(hasFile) {
    byId("speak").hidden = hasFile || !settings.speaking;
    if (!this.#url) return;
    const player = byId("recording");
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
    byId("text-count").textContent = translate("page.count", {
      count: number.format(byId("text").value.length),
      limit: number.format(settings.maxText),
    });
  }
}
