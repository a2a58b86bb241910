// The list of the client's videos, newest first.

import { cancel, jobs, posterUrl } from "./calls.js";
import { byId, make, runAction, showMessage } from "./dom.js";
import { formatDateTime, formatSize, translate } from "./texts.js";

const PAGE_SIZE = 20;
const ERROR = "list-error";
const OPEN_STATUSES = new Set(["queued", "in_progress"]);

export const isOpen = (job) => OPEN_STATUSES.has(job.status);

export class JobList {
  #jobs = new Map();
  #entries = new Map();
  #onChosen; // called with a job
  #onChanged; // called with (jobId, jobStatus)
  #onRemoved; // called with a jobId
  #currentId = "";

  constructor({ onChosen, onChanged, onRemoved }) {
    this.#onChosen = onChosen;
    this.#onRemoved = onRemoved;
    this.#onChanged = onChanged;
    byId("more").addEventListener("click", (event) =>
      runAction(event.target, ERROR, () => this.#loadMore()),
    );
  }

  async load() {
    this.clear();
    try {
      this.#append((await jobs()).jobs);
    } catch (error) {
      if (error.name !== "AbortError") showMessage(ERROR, error.message);
    }
  }

  clear() {
    this.#jobs.clear();
    this.#entries.clear();
    byId("jobs").replaceChildren();
    byId("no-jobs").hidden = byId("more").hidden = true;
    showMessage(ERROR, "");
  }

  get(jobId) {
    return this.#jobs.get(jobId);
  }

  get open() {
    return [...this.#jobs.values()].filter(isOpen);
  }

  add(job) {
    if (this.#jobs.has(job.jobId)) return;
    this.#insert(job, (entry) => byId("jobs").prepend(entry));
    byId("no-jobs").hidden = true;
  }

  update(jobId, changes) {
    const job = this.#jobs.get(jobId);
    if (!job) return;
    Object.assign(job, changes);
    const entry = this.#entries.get(jobId);
    // Replace only what changes, to keep the focus.
    entry.querySelector(".facts").replaceChildren(...facts(job));
    updatePoster(entry.querySelector(".open"), job);
    const cancelButton = entry.querySelector(".cancel");
    if (cancelButton && !isOpen(job)) {
      if (cancelButton === document.activeElement) entry.querySelector(".open").focus();
      cancelButton.remove();
    }
  }

  remove(jobId) {
    const entry = this.#entries.get(jobId);
    if (!entry) return;
    if (entry.contains(document.activeElement)) byId("list-title").focus();
    entry.remove();
    this.#jobs.delete(jobId);
    this.#entries.delete(jobId);
    byId("no-jobs").hidden = this.#jobs.size > 0;
    this.#onRemoved(jobId);
  }

  // Requests the details that only the list has, and what was ordered or deleted elsewhere.
  async refresh() {
    const before = [...this.#jobs.values()];
    const { jobs: newest } = await jobs();
    for (const job of missing(before, newest)) this.remove(job.jobId);
    for (const job of newest.reverse()) {
      // A question or a notice that is missing from the answer no longer applies.
      if (this.#jobs.has(job.jobId)) {
        this.update(job.jobId, { question: undefined, waiting: undefined, ...job });
      } else this.add(job);
    }
  }

  setCurrent(jobId) {
    this.#currentId = jobId;
    for (const [each, entry] of this.#entries) {
      entry.classList.toggle("current", each === jobId);
      const button = entry.querySelector(".open");
      if (each === jobId) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  async #loadMore() {
    const last = [...byId("jobs").children].at(-1);
    this.#append((await jobs(last.dataset.job)).jobs);
    if (byId("more").hidden) last.nextSibling?.querySelector(".open").focus();
  }

  #append(found) {
    for (const job of found) {
      if (!this.#jobs.has(job.jobId)) this.#insert(job, (entry) => byId("jobs").append(entry));
    }
    byId("no-jobs").hidden = this.#jobs.size > 0;
    byId("more").hidden = found.length < PAGE_SIZE;
  }

  #insert(job, place) {
    const entry = make("li", { className: "job", "data-job": job.jobId }, this.#openButton(job));
    if (isOpen(job)) entry.append(this.#cancelButton(job));
    this.#jobs.set(job.jobId, job);
    this.#entries.set(job.jobId, entry);
    place(entry);
    if (job.jobId === this.#currentId) this.setCurrent(job.jobId);
  }

  #openButton(job) {
    const button = make(
      "button",
      { className: "open quiet", type: "button" },
      make(
        "span",
        { className: "summary" },
        make("span", { className: "script", text: job.scriptOrQuestion, dir: "auto" }),
        make("span", { className: "facts" }, ...facts(job)),
      ),
    );
    updatePoster(button, job);
    button.addEventListener("click", () => this.#onChosen(this.get(job.jobId)));
    return button;
  }

  #cancelButton(job) {
    const label = translate("page.cancel_this", { script: job.scriptOrQuestion.slice(0, 80) });
    const button = make("button", {
      className: "cancel quiet",
      type: "button",
      text: translate("page.cancel"),
      "aria-label": label,
    });
    button.addEventListener("click", () =>
      runAction(button, ERROR, async () => this.#onChanged(job.jobId, await cancel(job.jobId))),
    );
    return button;
  }
}

// Returns the jobs that would be on the first page of the list if they still existed.
function missing(known, newest) {
  const listed = new Set(newest.map((job) => job.jobId));
  const oldest = newest.length < PAGE_SIZE ? -Infinity : newest.at(-1).createdAt;
  return known.filter((job) => !listed.has(job.jobId) && job.createdAt > oldest);
}

function updatePoster(button, job) {
  const poster = button.querySelector(".poster");
  if (!job.size) poster?.remove();
  else if (!poster) {
    const image = make("img", { className: "poster", alt: "", loading: "lazy" });
    image.addEventListener("error", () => image.remove());
    image.src = posterUrl(job.jobId);
    button.append(image);
  }
}

function statusChip(job) {
  const isExpired = job.status === "completed" && job.size === null;
  if (isExpired) return make("span", { className: "chip", text: translate("page.expired") });
  const state = job.question ? "undecided" : job.status;
  return make("span", { className: `chip ${state}`, text: translate(`page.${state}`) });
}

function facts(job) {
  const hints = [formatDateTime(job.createdAt)];
  if (job.narrated) hints.push(translate("page.narrated"));
  if (job.size) hints.push(formatSize(job.size));
  return [statusChip(job), ...hints.map((text) => make("span", { className: "hint", text }))];
}
