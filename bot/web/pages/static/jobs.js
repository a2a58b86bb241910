// The list of one's videos, the newest first.

import { cancel, jobs } from "./calls.js";
import { byId, make, pressing, tell } from "./dom.js";
import { megabytes, say, when } from "./words.js";

const PAGE = 20;
const ERROR = "shelf-error";
const OPEN = new Set(["queued", "in_progress"]);

export const isOpen = (job) => OPEN.has(job.status);

export class Shelf {
  #jobs = new Map();
  #entries = new Map();
  #chosen; // called with a job
  #changed; // called with (jobId, reading)
  #shown = "";

  constructor({ chosen, changed }) {
    this.#chosen = chosen;
    this.#changed = changed;
    byId("more").addEventListener("click", (event) =>
      pressing(event.target, ERROR, () => this.#more()),
    );
  }

  async load() {
    this.clear();
    try {
      this.#append((await jobs()).jobs);
    } catch (error) {
      if (error.name !== "AbortError") tell(ERROR, error.message);
    }
  }

  clear() {
    this.#jobs.clear();
    this.#entries.clear();
    byId("jobs").replaceChildren();
    byId("nothing").hidden = byId("more").hidden = true;
    tell(ERROR, "");
  }

  get(jobId) {
    return this.#jobs.get(jobId);
  }

  get open() {
    return [...this.#jobs.values()].filter(isOpen);
  }

  add(job) {
    if (this.#jobs.has(job.jobId)) return;
    this.#put(job, (entry) => byId("jobs").prepend(entry));
    byId("nothing").hidden = true;
  }

  update(jobId, changes) {
    const job = this.#jobs.get(jobId);
    if (!job) return;
    Object.assign(job, changes);
    const entry = this.#entries.get(jobId);
    // Only what changes: the focus stays where it is.
    entry.querySelector(".facts").replaceChildren(...facts(job));
    const stop = entry.querySelector(".stop");
    if (stop && !isOpen(job)) {
      if (stop === document.activeElement) entry.querySelector(".open").focus();
      stop.remove();
    }
  }

  // Asks for what only the list tells: of a video that has ended, and of those made elsewhere.
  async refresh() {
    const { jobs: newest } = await jobs();
    for (const job of newest.reverse()) {
      // What is not told any more is over.
      if (this.#jobs.has(job.jobId)) {
        this.update(job.jobId, { question: undefined, waiting: undefined, ...job });
      }
      else this.add(job);
    }
  }

  show(jobId) {
    this.#shown = jobId;
    for (const [each, entry] of this.#entries) {
      entry.classList.toggle("shown", each === jobId);
      const button = entry.querySelector(".open");
      if (each === jobId) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  async #more() {
    const last = [...byId("jobs").children].at(-1);
    this.#append((await jobs(last.dataset.job)).jobs);
    if (byId("more").hidden) last.nextSibling?.querySelector(".open").focus();
  }

  #append(found) {
    for (const job of found) {
      if (!this.#jobs.has(job.jobId)) this.#put(job, (entry) => byId("jobs").append(entry));
    }
    byId("nothing").hidden = this.#jobs.size > 0;
    byId("more").hidden = found.length < PAGE;
  }

  #put(job, place) {
    const entry = make("li", { className: "job", "data-job": job.jobId }, this.#opener(job));
    if (isOpen(job)) entry.append(this.#stopper(job));
    this.#jobs.set(job.jobId, job);
    this.#entries.set(job.jobId, entry);
    place(entry);
    if (job.jobId === this.#shown) this.show(job.jobId);
  }

  #opener(job) {
    const button = make(
      "button",
      { className: "open quiet", type: "button" },
      make("span", { className: "what", text: job.scriptOrQuestion, dir: "auto" }),
      make("span", { className: "facts" }, ...facts(job)),
    );
    button.addEventListener("click", () => this.#chosen(this.get(job.jobId)));
    return button;
  }

  #stopper(job) {
    const label = say("page.cancel_this", { script: job.scriptOrQuestion.slice(0, 80) });
    const button = make("button", {
      className: "stop quiet",
      type: "button",
      text: say("page.cancel"),
      "aria-label": label,
    });
    button.addEventListener("click", () =>
      pressing(button, ERROR, async () => this.#changed(job.jobId, await cancel(job.jobId))),
    );
    return button;
  }
}

function chip(job) {
  const isGone = job.status === "completed" && job.size === null;
  if (isGone) return make("span", { className: "chip", text: say("page.expired") });
  if (job.question) return make("span", { className: "chip undecided", text: say("page.undecided") });
  return make("span", { className: `chip ${job.status}`, text: say(`page.${job.status}`) });
}

function facts(job) {
  const parts = [chip(job), make("span", { className: "hint", text: when(job.createdAt) })];
  if (job.narrated) parts.push(make("span", { className: "hint", text: say("page.narrated") }));
  if (job.size) parts.push(make("span", { className: "hint", text: megabytes(job.size) }));
  return parts;
}
