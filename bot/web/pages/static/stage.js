// One video: how far it is, or why there is none, or the video itself.

import { cancel, retry, status, videoOf } from "./calls.js";
import { announce, byId, pressing, tell } from "./dom.js";
import { isOpen } from "./jobs.js";
import { Sharing } from "./sharing.js";
import { say } from "./words.js";

const ERROR = "stage-error";
const ALMOST = 99; // as far as it goes until the file is there
const SAY_EACH = 25; // per cent

export class Stage {
  #changed; // called with (jobId, reading)
  #job = null;
  #said = "";
  #sharing = new Sharing();

  constructor({ changed, again }) {
    this.#changed = changed;
    const decisions = [
      ["stage-cancel", "under-way", cancel],
      ["give-up", "undecided", cancel],
      ["retry", "undecided", retry],
    ];
    for (const [id, group, ask] of decisions) {
      byId(id).addEventListener("click", () =>
        pressing(byId(group), ERROR, () => this.#decide(ask)),
      );
    }
    byId("again").addEventListener("click", () => again(this.#job.scriptOrQuestion));
    byId("preview").addEventListener("click", (event) =>
      pressing(event.target, ERROR, () => play(byId("video"))),
    );
  }

  get jobId() {
    return this.#job?.jobId;
  }

  show(job, { focus = false } = {}) {
    const isOther = job.jobId !== this.jobId;
    this.#job = job;
    byId("stage").hidden = false;
    byId("stage-script").textContent = job.scriptOrQuestion;
    if (isOther) {
      this.#said = "";
      this.#forget();
    }
    this.#draw();
    if (job.question) this.#speak();
    if (focus) {
      byId("stage-title").focus({ preventScroll: true });
      byId("stage").scrollIntoView({ block: "nearest", behavior: "smooth" });
    }
  }

  // The job has changed.
  follow(job) {
    this.#job = job;
    this.#draw();
    this.#speak();
  }

  clear() {
    this.#job = null;
    this.#forget();
    byId("stage").hidden = true;
    byId("stage-script").textContent = byId("question").textContent = "";
    document.title = say("page.title");
  }

  async #decide(ask) {
    const { jobId } = this.#job;
    try {
      await this.#changed(jobId, await ask(jobId));
    } catch (error) {
      // It was decided elsewhere.
      if (error.status === 409) await this.#changed(jobId, await status(jobId));
      throw error;
    }
  }

  #forget() {
    tell(ERROR, "");
    this.#sharing.close();
    const video = byId("video");
    video.pause();
    video.removeAttribute("src");
    video.load();
  }

  #draw() {
    const job = this.#job;
    const isAsking = Boolean(job.question);
    const isReady = job.status === "completed" && job.size !== null;
    const isGone = job.status === "completed" && job.size === null;
    byId("stage-title").textContent = title(job);
    // For whoever is at another tab meanwhile.
    document.title = `${spoken(job)} · ${say("page.title")}`;
    byId("under-way").hidden = !isOpen(job) || isAsking;
    byId("undecided").hidden = !isAsking;
    byId("ended").hidden = !(job.status === "failed" || isGone);
    byId("finished").hidden = !isReady;
    if (isOpen(job)) this.#measure();
    byId("question").textContent = job.question ?? "";
    tell("waiting", job.waiting);
    byId("why").textContent = isGone ? say("page.gone") : job.error ?? "";
    if (isReady) this.#play();
    // What was pressed is gone: the focus must not be.
    if (byId("stage").contains(document.activeElement?.closest("[hidden]"))) {
      byId("stage-title").focus({ preventScroll: true });
    }
  }

  #measure() {
    const { progress } = this.#job;
    const bar = byId("bar");
    bar.classList.toggle("unknown", !progress);
    if (progress) bar.setAttribute("aria-valuenow", progress);
    else bar.removeAttribute("aria-valuenow");
    bar.setAttribute("aria-valuetext", spoken(this.#job));
    byId("bar-fill").style.width = progress ? `${progress}%` : "";
    byId("percent").textContent = progress ? say("page.percent", { percent: progress }) : "";
  }

  #play() {
    const video = byId("video");
    const address = videoOf(this.#job.jobId);
    if (video.getAttribute("src") !== address) video.src = address;
    byId("download").href = address;
    tell("note", this.#job.note);
    this.#sharing.of(this.#job.jobId);
  }

  #speak() {
    const { status: state, progress, error, question, waiting } = this.#job;
    const step = `${state} ${Math.floor(progress / SAY_EACH)} ${question ?? waiting ?? ""}`;
    if (step === this.#said) return;
    this.#said = step;
    if (question || waiting) announce(`${title(this.#job)}. ${question ?? waiting}`);
    else if (state === "completed") announce(say("page.ready"));
    else announce(state === "failed" ? `${say("page.failed")} ${error ?? ""}` : spoken(this.#job));
  }
}

function title(job) {
  if (job.question) return say("page.undecided");
  if (job.waiting) return say("page.waiting");
  const isAlmost = job.status === "in_progress" && job.progress >= ALMOST;
  return say(isAlmost ? "page.finishing" : `page.${job.status}`);
}

function spoken(job) {
  if (!isOpen(job) || job.question || !job.progress) return title(job);
  return `${title(job)}, ${say("page.percent", { percent: job.progress })}`;
}

async function play(video) {
  video.scrollIntoView({ block: "nearest", behavior: "smooth" });
  video.currentTime = 0;
  video.focus({ preventScroll: true });
  await video.play().catch((error) => {
    // Stopped before it began, by whoever pressed.
    if (error.name !== "AbortError") throw new Error(say("page.unreadable"));
  });
}
