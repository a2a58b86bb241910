// The selected job: its progress, the reason for its failure, or its video.

import { cancel, captionsUrl, remove, retry, status, videoUrl } from "./calls.js";
import { Deleting } from "./deleting.js";
import { announce, byId, make, runAction, showMessage } from "./dom.js";
import { isOpen } from "./job_list.js";
import { Sharing } from "./sharing.js";
import { translate } from "./texts.js";

const ERROR = "job-error";
const FINISHING_PERCENT = 99; // shown until the file is ready
const ANNOUNCE_STEP = 25; // per cent

export class JobView {
  #onChanged; // called with (jobId, jobStatus)
  #job = null;
  #announced = "";
  #sharing = new Sharing();
  #deleting;

  constructor({ onChanged, onAgain, onDeleted }) {
    this.#onChanged = onChanged;
    this.#deleting = new Deleting({
      onConfirmed: async (jobId) => {
        await remove(jobId);
        onDeleted(jobId);
      },
      errorId: ERROR,
    });
    const decisions = [
      ["job-cancel", "under-way", cancel],
      ["give-up", "undecided", cancel],
      ["retry", "undecided", retry],
    ];
    for (const [id, group, send] of decisions) {
      byId(id).addEventListener("click", () =>
        runAction(byId(group), ERROR, () => this.#decide(send)),
      );
    }
    byId("again").addEventListener("click", () => onAgain(this.#job.scriptOrQuestion));
  }

  get jobId() {
    return this.#job?.jobId;
  }

  show(job, { focus = false } = {}) {
    const isOther = job.jobId !== this.jobId;
    this.#job = job;
    byId("job-view").hidden = false;
    byId("job-script").textContent = job.scriptOrQuestion;
    if (isOther) {
      this.#announced = "";
      this.#reset();
    }
    this.#draw();
    if (job.question) this.#announce();
    if (focus) {
      byId("job-title").focus({ preventScroll: true });
      byId("job-view").scrollIntoView({ block: "nearest", behavior: "smooth" });
    }
  }

  // Shows a changed version of the current job.
  update(job) {
    this.#job = job;
    this.#draw();
    this.#announce();
  }

  clear() {
    this.#job = null;
    this.#reset();
    byId("job-view").hidden = true;
    byId("job-script").textContent = byId("question").textContent = "";
    document.title = translate("page.title");
  }

  async #decide(send) {
    const { jobId } = this.#job;
    try {
      await this.#onChanged(jobId, await send(jobId));
    } catch (error) {
      // The question was already answered elsewhere.
      if (error.status === 409) await this.#onChanged(jobId, await status(jobId));
      throw error;
    }
  }

  #reset() {
    showMessage(ERROR, "");
    this.#sharing.close();
    this.#deleting.close();
    const video = byId("video");
    video.pause();
    video.removeAttribute("src");
    video.replaceChildren();
    video.load();
  }

  #draw() {
    const job = this.#job;
    const hasQuestion = Boolean(job.question);
    const isReady = job.status === "completed" && job.size !== null;
    const isExpired = job.status === "completed" && job.size === null;
    byId("job-title").textContent = title(job);
    // The browser's tab shows the progress too.
    document.title = `${summary(job)} · ${translate("page.title")}`;
    byId("under-way").hidden = !isOpen(job) || hasQuestion;
    byId("undecided").hidden = !hasQuestion;
    byId("ended").hidden = !(job.status === "failed" || isExpired);
    byId("finished").hidden = !isReady;
    byId("deletable").hidden = isOpen(job);
    this.#deleting.setJob(job.jobId);
    if (isOpen(job)) this.#drawProgress();
    byId("question").textContent = job.question ?? "";
    showMessage("waiting", job.waiting);
    byId("failure").textContent = isExpired ? translate("page.gone") : job.error ?? "";
    if (isReady) this.#showVideo();
    // Keep the focus on the page when the pressed button disappears.
    if (byId("job-view").contains(document.activeElement?.closest("[hidden]"))) {
      byId("job-title").focus({ preventScroll: true });
    }
  }

  #drawProgress() {
    const { progress } = this.#job;
    const bar = byId("bar");
    bar.classList.toggle("indeterminate", !progress);
    if (progress) bar.setAttribute("aria-valuenow", progress);
    else bar.removeAttribute("aria-valuenow");
    bar.setAttribute("aria-valuetext", summary(this.#job));
    byId("bar-fill").style.width = progress ? `${progress}%` : "";
    byId("percent").textContent = progress ? translate("page.percent", { percent: progress }) : "";
  }

  #showVideo() {
    const video = byId("video");
    const url = videoUrl(this.#job.jobId);
    this.#showCaptions(video);
    if (video.getAttribute("src") !== url) video.src = url;
    byId("download").href = url;
    showMessage("made-with", this.#job.madeWith);
    showMessage("note", this.#job.note);
    this.#sharing.setJob(this.#job.jobId);
  }

  // Adds the captions to the player, if the video has any.
  #showCaptions(video) {
    const { jobId, captions } = this.#job;
    const src = captions ? captionsUrl(jobId) : undefined;
    if (video.querySelector("track")?.getAttribute("src") === src) return;
    video.replaceChildren();
    if (!src) return;
    const track = make("track", { kind: "captions", label: translate("page.captions"), src });
    track.default = true; // shown without being chosen
    video.append(track);
  }

  #announce() {
    const { status: state, progress, error, question, waiting } = this.#job;
    const step = `${state} ${Math.floor(progress / ANNOUNCE_STEP)} ${question ?? waiting ?? ""}`;
    if (step === this.#announced) return;
    this.#announced = step;
    if (question || waiting) announce(`${title(this.#job)}. ${question ?? waiting}`);
    else if (state === "completed") announce(translate("page.ready"));
    else if (state === "failed") announce(`${translate("page.failed")} ${error ?? ""}`);
    else announce(summary(this.#job));
  }
}

function title(job) {
  if (job.question) return translate("page.undecided");
  if (job.waiting) return translate("page.waiting");
  const isFinishing = job.status === "in_progress" && job.progress >= FINISHING_PERCENT;
  return translate(isFinishing ? "page.finishing" : `page.${job.status}`);
}

function summary(job) {
  if (!isOpen(job) || job.question || !job.progress) return title(job);
  return `${title(job)}, ${translate("page.percent", { percent: job.progress })}`;
}
