// The order form: a script, with an optional audio file or text to speak.

import { checkUpload, generate } from "./calls.js";
import { byId, runAction, setDisabled, showMessage } from "./dom.js";
import { NarrationText } from "./narration.js";
import { formatSize, settings, translate } from "./texts.js";

const ERROR = "compose-error";
const FIELDS = ["script", "text"];
const BUTTONS = ["audio", "file-remove", "listen", "generate", "again"];

export class OrderForm {
  #onOrdered; // called with (jobId, script, narrated)
  #file = null;
  #isLocked = false;
  #narrationText;
  // The idempotency key of this order, so that sending it again after a lost answer is safe.
  #key = "";

  constructor(onOrdered) {
    this.#onOrdered = onOrdered;
    this.#narrationText = new NarrationText({
      onRecorded: (file) => this.#setFile(file, translate("page.spoken")),
      lockForm: (action) => this.#lock(action),
      errorId: ERROR,
    });
    const drop = byId("drop");
    byId("compose").addEventListener("submit", (event) => {
      event.preventDefault();
      runAction(byId("generate"), ERROR, () => this.#submit());
    });
    byId("script").addEventListener("input", () => this.#handleChange());
    byId("audio").addEventListener("click", (event) => {
      if (this.#isLocked) event.preventDefault();
    });
    byId("audio").addEventListener("change", (event) => this.#chooseFile(event.target.files));
    byId("file-remove").addEventListener("click", () => {
      if (this.#isLocked) return;
      this.#setFile(null);
      byId(this.#narrationText.isWanted ? "text" : "audio").focus();
    });
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      if (this.#isLocked) event.dataTransfer.dropEffect = "none";
      else drop.classList.add("over");
    });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      this.#chooseFile(event.dataTransfer.files);
    });
    // Otherwise the browser would open a file that misses the field.
    for (const kind of ["dragover", "drop"]) {
      window.addEventListener(kind, (event) => event.preventDefault());
    }
    this.#handleChange();
  }

  write(script) {
    if (this.#isLocked) return;
    byId("script").value = script;
    this.#handleChange();
    byId("script").focus();
  }

  clear() {
    byId("script").value = "";
    this.#narrationText.clear();
    this.#setFile(null);
    showMessage(ERROR, "");
  }

  #handleChange() {
    this.#key = "";
    const count = byId("script").value.length;
    const number = new Intl.NumberFormat(settings.language);
    byId("count").textContent = translate("page.count", {
      count: number.format(count),
      limit: number.format(settings.maxScript),
    });
  }

  #chooseFile(files) {
    if (this.#isLocked) byId("audio").value = "";
    if (this.#isLocked || !files.length) return;
    const [file] = files;
    showMessage(ERROR, files.length > 1 ? translate("page.one_file") : "");
    if (file.size > settings.maxAudioBytes) {
      showMessage(ERROR, translate("audio.too_large", { max_mb: settings.maxAudioMb }));
      byId("audio").value = "";
      return;
    }
    this.#setFile(file);
    byId("file-remove").focus();
    this.#warn();
  }

  // Tells at once what would keep the file from being accepted.
  async #warn() {
    try {
      await checkUpload(randomKey());
    } catch (error) {
      if (this.#file && error.name !== "AbortError") showMessage(ERROR, error.message);
    }
  }

  #setFile(file, name = file?.name ?? "") {
    this.#file = file;
    this.#narrationText.setHasFile(Boolean(file));
    byId("audio").value = "";
    byId("drop").hidden = Boolean(file);
    byId("file").hidden = !file;
    byId("file-name").textContent = name;
    if (file) {
      byId("file-size").textContent = formatSize(file.size);
      byId("file-remove").setAttribute("aria-label", translate("page.remove", { name }));
    }
    this.#handleChange();
    // The focused text field may just have been replaced by its recording.
    if (byId("narration").contains(document.activeElement?.closest("[hidden]"))) {
      byId("file-remove").focus();
    }
  }

  // Locks the form during an action, so that the order matches what the form shows.
  async #lock(action) {
    const setLocked = (isLocked) => {
      this.#isLocked = isLocked;
      byId("compose").setAttribute("aria-busy", isLocked);
      for (const id of FIELDS) byId(id).readOnly = isLocked;
      for (const id of BUTTONS) setDisabled(byId(id), isLocked);
    };
    setLocked(true);
    try {
      await action();
    } finally {
      setLocked(false);
    }
  }

  async #submit() {
    if (!byId("script").value.trim()) {
      byId("script").focus();
      throw new Error(translate("prompt.empty"));
    }
    await this.#lock(() => this.#order());
  }

  async #order() {
    const script = byId("script").value;
    const button = byId("generate");
    try {
      this.#key ||= randomKey();
      if (this.#file || this.#narrationText.isWanted) await checkUpload(this.#key);
      if (!this.#file && this.#narrationText.isWanted) {
        button.textContent = translate("page.speaking");
        await this.#narrationText.speak();
      }
      const form = new FormData();
      form.append("scriptOrQuestion", script);
      if (this.#file) form.append("audioBuffer", this.#file, this.#file.name);
      // A recording is another order.
      this.#key ||= randomKey();
      button.textContent = translate("page.sending");
      const { jobId } = await generate(form, this.#key, (part) => this.#showProgress(part));
      const narrated = Boolean(this.#file);
      this.clear();
      this.#onOrdered(jobId, script, narrated);
    } finally {
      byId("upload").hidden = true;
      button.textContent = translate("page.generate");
    }
  }

  #showProgress(part) {
    byId("upload").hidden = !this.#file;
    byId("upload").value = part;
  }
}

function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
