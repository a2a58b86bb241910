// The API, as this page asks it: the session's cookie says who asks.

import { say } from "./words.js";

export class Failure extends Error {
  constructor(message, { status = 0, key = "" } = {}) {
    super(message);
    this.status = status;
    this.key = key;
  }
}

let signedOut = () => {};
let life = new AbortController();

// Calls `listener` when the session is over.
export function onSignedOut(listener) {
  signedOut = listener;
}

// What was asked in a session is not answered after it: it ends in an AbortError.
export function endSession() {
  life.abort();
  life = new AbortController();
}

const JSON_BODY = { "Content-Type": "application/json" };
const asJson = (response) => response.json().catch(() => null);

async function ask(method, path, { body, headers = {}, read = asJson } = {}) {
  const { signal } = life;
  let response;
  try {
    response = await fetch(path, { method, body, headers, signal, cache: "no-store" });
  } catch {
    signal.throwIfAborted();
    throw new Failure(say("page.offline"));
  }
  const answer = response.status === 204 ? null : await (response.ok ? read : asJson)(response);
  signal.throwIfAborted();
  if (response.status === 204) return null;
  if (response.ok && answer) return answer;
  const error = answer?.error;
  const failure = new Failure(error?.message ?? say("page.unreadable"), {
    status: response.status,
    key: error?.key,
  });
  if (failure.status === 401) signedOut(failure);
  signal.throwIfAborted();
  throw failure;
}

const of = (path, jobId) => `${path}?jobId=${encodeURIComponent(jobId)}`;

export const session = () => ask("GET", "api/session");
export const signOut = () => ask("DELETE", "api/session");
export const signIn = (token) =>
  ask("POST", "api/session", {
    body: JSON.stringify({ token }),
    headers: JSON_BODY,
  });

export const generate = (form, key) =>
  ask("POST", "api/generate", { body: form, headers: { "Idempotency-Key": key } });
// Resolves to the spoken text, as a Blob.
export const narrate = (text) =>
  ask("POST", "api/narrate", {
    body: JSON.stringify({ text }),
    headers: JSON_BODY,
    read: (response) => response.blob().catch(() => null),
  });
export const status = (jobId) => ask("GET", of("api/status", jobId));
export const cancel = (jobId) => ask("POST", of("api/cancel", jobId));
// Sends an order once more that may have been lost: it may cost twice.
export const retry = (jobId) => ask("POST", of("api/retry", jobId));
export const share = (jobId) => ask("POST", of("api/share", jobId));
export const withdraw = (jobId) => ask("DELETE", of("api/share", jobId));
export const jobs = (before) => ask("GET", before ? `api/jobs?before=${before}` : "api/jobs");
export const videoOf = (jobId) => of("api/download", jobId);
