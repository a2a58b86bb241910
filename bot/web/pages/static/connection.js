// Shows whether the bot can be reached, and tries again until it can.

import { announce, showMessage } from "./dom.js";
import { translate } from "./texts.js";

const RETRY_MS = 3000;

export class Connection {
  #probe; // sends a request, whose outcome is reported to `setReachable`
  #onRestored;
  #isLost = false;
  #timer = 0;

  constructor({ probe, onRestored }) {
    this.#probe = probe;
    this.#onRestored = onRestored;
    // Without a network, a bot on the same machine can still be reached.
    for (const kind of ["offline", "online"]) window.addEventListener(kind, () => this.check());
  }

  setReachable(isReachable) {
    if (this.#isLost !== isReachable) return;
    this.#isLost = !isReachable;
    showMessage("connection", isReachable ? "" : translate("page.lost"));
    announce(isReachable ? translate("page.restored") : "");
    if (isReachable) this.#onRestored();
    else this.#schedule();
  }

  async check() {
    await this.#probe().catch(() => null);
  }

  #schedule() {
    if (this.#timer) return;
    this.#timer = setTimeout(async () => {
      await this.check();
      this.#timer = 0;
      if (this.#isLost) this.#schedule();
    }, RETRY_MS);
  }
}
