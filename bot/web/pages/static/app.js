// The page: who is signed in, and what leads from one part to another.

import { endSession, onSignedOut, session, signIn, signOut } from "./calls.js";
import { Composer } from "./compose.js";
import { announce, byId, pressing, tell } from "./dom.js";
import { Shelf } from "./jobs.js";
import { Live } from "./live.js";
import { Stage } from "./stage.js";
import { say } from "./words.js";

const KEY = "signed-in";
const shelf = new Shelf({ chosen: (job) => show(job, { focus: true }), changed });
const stage = new Stage({ changed, again: (script) => composer.write(script) });
const live = new Live(changed);
const composer = new Composer(ordered);
let isIn = false;

function ordered(jobId, script, narrated) {
  const job = {
    jobId,
    scriptOrQuestion: script.trim(),
    createdAt: Date.now() / 1000,
    narrated,
    note: null,
    size: undefined, // null: it is kept no more
    status: "queued",
    progress: 0,
  };
  shelf.add(job);
  show(shelf.get(jobId), { focus: true });
  live.follow(jobId);
}

function show(job, options) {
  stage.show(job, options);
  shelf.show(job.jobId);
}

async function changed(jobId, reading) {
  const { status, progress, error, question, waiting } = reading;
  // Of a finished video, the list says how large it is, and what goes with it.
  if (status === "completed") {
    shelf.update(jobId, { size: undefined });
    await shelf.refresh().catch(() => null);
  }
  const isNew = question && !shelf.get(jobId)?.question;
  shelf.update(jobId, { status, progress, error, question, waiting });
  const job = shelf.get(jobId);
  if (!job) return;
  if (stage.jobId === jobId) stage.follow(job);
  else if (isNew) announce(`${say("page.undecided")}: ${job.scriptOrQuestion}`);
}

async function enter({ client }) {
  isIn = true;
  remember(true);
  byId("client").textContent = client;
  byId("signed-in").textContent = say("page.signed_in_as", { client });
  byId("door").hidden = true;
  byId("studio").hidden = byId("top").hidden = false;
  await shelf.load();
  for (const job of shelf.open) live.follow(job.jobId);
  const first = shelf.open.find((job) => job.question) ?? shelf.open[0];
  if (first) show(first);
}

function leave(message, { isOver = true } = {}) {
  isIn = false;
  endSession();
  if (isOver) remember(false);
  live.stop();
  shelf.clear();
  stage.clear();
  composer.clear();
  announce("");
  byId("studio").hidden = byId("top").hidden = true;
  byId("door").hidden = false;
  tell("door-error", message);
  byId("token").focus();
}

onSignedOut(() => {
  if (isIn) leave(say("page.signed_out"));
});

// Where one tab signs out, the next to sign in there is signed in here too.
window.addEventListener("storage", ({ key, newValue }) => {
  if (isIn && key === KEY && newValue === null) leave(say("page.signed_out"));
});

// Videos may have been ordered elsewhere meanwhile.
document.addEventListener("visibilitychange", async () => {
  if (!isIn || document.hidden) return;
  await shelf.refresh().catch(() => null);
  for (const job of shelf.open) live.follow(job.jobId);
});

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = byId("token");
  pressing(byId("enter"), "door-error", async () => {
    const client = await signIn(token.value.trim()).catch((error) => {
      throw error.status === 401 ? new Error(say("page.wrong_token")) : error;
    });
    token.value = "";
    await enter(client);
    byId("script").focus();
  });
});

byId("sign-out").addEventListener("click", (event) =>
  pressing(event.target, "shelf-error", async () => {
    await signOut();
    leave("");
  }),
);

// The cookie can't be seen from here: whoever never signed in is not asked about.
function remember(signedIn) {
  try {
    if (signedIn) localStorage.setItem(KEY, "yes");
    else localStorage.removeItem(KEY);
  } catch {
    // Storage may be switched off.
  }
}

function mayBeIn() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return true;
  }
}

if (mayBeIn()) {
  session().then(enter, ({ status, message }) =>
    status === 401 ? leave("") : leave(message, { isOver: false }),
  );
} else leave("");
