// The form: a script, and an audio file or a text to speak if one is wanted.

import { generate } from "./calls.js";
import { byId, pressing, still, tell } from "./dom.js";
import { Speaker } from "./speak.js";
import { megabytes, say, settings } from "./words.js";

const ERROR = "compose-error";
const WRITTEN = ["script", "text"];
const PRESSED = ["audio", "file-remove", "listen", "generate", "again"];

export class Composer {
  #ordered; // called with (jobId, script)
  #file = null;
  #isHeld = false;
  #speaker;
  // The same for the same order: sent again after a lost answer, it is not made twice.
  #key = "";

  constructor(ordered) {
    this.#ordered = ordered;
    this.#speaker = new Speaker({
      spoken: (file) => this.#put(file, say("page.spoken")),
      hold: (work) => this.#hold(work),
      errorId: ERROR,
    });
    const drop = byId("drop");
    byId("compose").addEventListener("submit", (event) => {
      event.preventDefault();
      pressing(byId("generate"), ERROR, () => this.#submit());
    });
    byId("script").addEventListener("input", () => this.#changed());
    byId("audio").addEventListener("click", (event) => {
      if (this.#isHeld) event.preventDefault();
    });
    byId("audio").addEventListener("change", (event) => this.#take(event.target.files));
    byId("file-remove").addEventListener("click", () => {
      if (this.#isHeld) return;
      this.#put(null);
      byId(this.#speaker.isWanted ? "text" : "audio").focus();
    });
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      if (this.#isHeld) event.dataTransfer.dropEffect = "none";
      else drop.classList.add("over");
    });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      this.#take(event.dataTransfer.files);
    });
    // A file that misses the field must not take the page's place.
    for (const kind of ["dragover", "drop"]) {
      window.addEventListener(kind, (event) => event.preventDefault());
    }
    this.#changed();
  }

  write(script) {
    if (this.#isHeld) return;
    byId("script").value = script;
    this.#changed();
    byId("script").focus();
  }

  clear() {
    byId("script").value = "";
    this.#speaker.clear();
    this.#put(null);
    tell(ERROR, "");
  }

  #changed() {
    this.#key = "";
    const count = byId("script").value.length;
    const number = new Intl.NumberFormat(settings.language);
    byId("count").textContent = say("page.count", {
      count: number.format(count),
      limit: number.format(settings.maxScript),
    });
  }

  #take(files) {
    if (this.#isHeld) byId("audio").value = "";
    if (this.#isHeld || !files.length) return;
    const [file] = files;
    tell(ERROR, files.length > 1 ? say("page.one_file") : "");
    if (file.size > settings.maxAudioBytes) {
      tell(ERROR, say("audio.too_large", { max_mb: settings.maxAudioMb }));
      byId("audio").value = "";
      return;
    }
    this.#put(file);
    byId("file-remove").focus();
  }

  #put(file, name = file?.name ?? "") {
    this.#file = file;
    this.#speaker.yield(Boolean(file));
    byId("audio").value = "";
    byId("drop").hidden = Boolean(file);
    byId("file").hidden = !file;
    byId("file-name").textContent = name;
    if (file) {
      byId("file-size").textContent = megabytes(file.size);
      byId("file-remove").setAttribute("aria-label", say("page.remove", { name }));
    }
    this.#changed();
    // Where a text was written there may be its recording now.
    if (byId("narration").contains(document.activeElement?.closest("[hidden]"))) {
      byId("file-remove").focus();
    }
  }

  // Keeps the form as it is while it is spoken or sent: what is sent is what stands there.
  async #hold(work) {
    const keep = (isHeld) => {
      this.#isHeld = isHeld;
      byId("compose").setAttribute("aria-busy", isHeld);
      for (const id of WRITTEN) byId(id).readOnly = isHeld;
      for (const id of PRESSED) still(byId(id), isHeld);
    };
    keep(true);
    try {
      await work();
    } finally {
      keep(false);
    }
  }

  async #submit() {
    if (!byId("script").value.trim()) {
      byId("script").focus();
      throw new Error(say("prompt.empty"));
    }
    await this.#hold(() => this.#order());
  }

  async #order() {
    const script = byId("script").value;
    const button = byId("generate");
    try {
      if (!this.#file && this.#speaker.isWanted) {
        button.textContent = say("page.speaking");
        await this.#speaker.speak();
      }
      const form = new FormData();
      form.append("scriptOrQuestion", script);
      if (this.#file) form.append("audioBuffer", this.#file, this.#file.name);
      this.#key ||= freshKey();
      button.textContent = say("page.sending");
      const { jobId } = await generate(form, this.#key);
      const narrated = Boolean(this.#file);
      this.clear();
      this.#ordered(jobId, script, narrated);
    } finally {
      button.textContent = say("page.generate");
    }
  }
}

function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
