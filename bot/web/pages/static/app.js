// The page: signs clients in and out, and connects the other modules.

import {
  endSession,
  onReachable,
  onSignedOut,
  session,
  signIn,
  signOut,
  signOutEverywhere,
} from "./calls.js";
import { Connection } from "./connection.js";
import { announce, byId, runAction, showMessage } from "./dom.js";
import { JobList } from "./job_list.js";
import { JobView } from "./job_view.js";
import { LiveUpdates } from "./live.js";
import { OrderForm } from "./order_form.js";
import { translate } from "./texts.js";

const STORAGE_KEY = "signed-in";
const jobList = new JobList({
  onChosen: (job) => show(job, { focus: true }),
  onChanged,
  onRemoved,
});
const jobView = new JobView({
  onChanged,
  onAgain: (script) => orderForm.write(script),
  onDeleted: (jobId) => {
    byId("list-title").focus();
    jobList.remove(jobId);
  },
});
const liveUpdates = new LiveUpdates({
  onStatus: onChanged,
  onList: refresh,
  onDeleted: (jobId) => jobList.remove(jobId),
  // Signing out closes the WebSocket too.
  onClosed: () => isSigningOut || connection.check(),
});
const connection = new Connection({
  probe: session,
  onRestored: () => {
    if (isSignedIn) refresh();
    liveUpdates.reconnect();
  },
});
onReachable((isReachable) => connection.setReachable(isReachable));
const orderForm = new OrderForm(onOrdered);
let isSignedIn = false;
let isSigningOut = false;

function onOrdered(jobId, script, narrated) {
  const job = {
    jobId,
    scriptOrQuestion: script.trim(),
    createdAt: Date.now() / 1000,
    narrated,
    note: null,
    madeWith: null,
    size: undefined, // not known yet; null if expired
    captions: false,
    status: "queued",
    progress: 0,
  };
  jobList.add(job);
  show(jobList.get(jobId), { focus: true });
  liveUpdates.follow(jobId);
}

function show(job, options) {
  jobView.show(job, options);
  jobList.setCurrent(job.jobId);
}

async function onChanged(jobId, jobStatus) {
  const { status, progress, error, question, waiting } = jobStatus;
  // Only the list has the size of a finished video, and the sentences about it.
  if (status === "completed") {
    jobList.update(jobId, { size: undefined });
    await jobList.refresh().catch(() => null);
  }
  const isNew = question && !jobList.get(jobId)?.question;
  jobList.update(jobId, { status, progress, error, question, waiting });
  const job = jobList.get(jobId);
  if (!job) return;
  if (jobView.jobId === jobId) jobView.update(job);
  else if (isNew) announce(`${translate("page.undecided")}: ${job.scriptOrQuestion}`);
}

function onRemoved(jobId) {
  if (jobView.jobId !== jobId) return;
  if (byId("job-view").contains(document.activeElement)) byId("list-title").focus();
  jobView.clear();
  announce(translate("page.deleted"));
}

// Videos may have been ordered or deleted elsewhere in the meantime.
async function refresh() {
  await jobList.refresh().catch(() => null);
  if (isSignedIn) for (const job of jobList.open) liveUpdates.follow(job.jobId);
}

async function openApp({ client }) {
  isSignedIn = true;
  remember(true);
  byId("client").textContent = client;
  byId("signed-in").textContent = translate("page.signed_in_as", { client });
  byId("login").hidden = true;
  byId("app").hidden = byId("top").hidden = false;
  await jobList.load();
  liveUpdates.start();
  for (const job of jobList.open) liveUpdates.follow(job.jobId);
  const first = jobList.open.find((job) => job.question) ?? jobList.open[0];
  if (first) show(first);
}

function openLogin(message, { forget = true } = {}) {
  isSignedIn = false;
  endSession();
  if (forget) remember(false);
  liveUpdates.stop();
  jobList.clear();
  jobView.clear();
  orderForm.clear();
  announce("");
  byId("app").hidden = byId("top").hidden = true;
  byId("login").hidden = false;
  showMessage("login-error", message);
  byId("token").focus();
}

onSignedOut(() => {
  if (isSignedIn) openLogin(translate("page.signed_out"));
});

// Tabs share the session cookie, so signing out in one tab signs out in all.
window.addEventListener("storage", ({ key, newValue }) => {
  if (!isSignedIn || key !== STORAGE_KEY || newValue !== null) return;
  openLogin(translate("page.signed_out"));
});

document.addEventListener("visibilitychange", () => {
  if (isSignedIn && !document.hidden) refresh();
});

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = byId("token");
  runAction(byId("enter"), "login-error", async () => {
    const client = await signIn(token.value.trim()).catch((error) => {
      throw error.status === 401 ? new Error(translate("page.wrong_token")) : error;
    });
    token.value = "";
    await openApp(client);
    byId("script").focus();
  });
});

for (const [id, end] of [
  ["sign-out", signOut],
  ["sign-out-everywhere", signOutEverywhere],
]) {
  byId(id).addEventListener("click", (event) =>
    runAction(event.target, "list-error", async () => {
      isSigningOut = true;
      await end().finally(() => (isSigningOut = false));
      openLogin("");
    }),
  );
}

// Scripts can't read the cookie. Without this entry, the page does not ask for a session.
function remember(signedIn) {
  try {
    if (signedIn) localStorage.setItem(STORAGE_KEY, "yes");
    else localStorage.removeItem(STORAGE_KEY);
  } catch {
    // Storage may be disabled.
  }
}

function mayBeSignedIn() {
  try {
    return localStorage.getItem(STORAGE_KEY) !== null;
  } catch {
    return true;
  }
}

if (mayBeSignedIn()) {
  session().then(openApp, ({ status, message }) =>
    status === 401 ? openLogin("") : openLogin(message, { forget: false }),
  );
} else openLogin("");
