// Requests to the API. The session cookie identifies the client.

import { translate } from "./texts.js";

export class RequestError extends Error {
  constructor(message, { status = 0, key = "" } = {}) {
    super(message);
    this.status = status;
    this.key = key;
  }
}

let handleSignedOut = () => {};
let handleReachable = () => {};
let controller = new AbortController();

// Calls `listener` when the session has ended.
export function onSignedOut(listener) {
  handleSignedOut = listener;
}

// Calls `listener` with whether the bot has answered a request.
export function onReachable(listener) {
  handleReachable = listener;
}

// Aborts all requests of the session, so that no late answer reaches the next session.
export function endSession() {
  controller.abort();
  controller = new AbortController();
}

const PROXY_STATUSES = new Set([502, 503, 504]);
const JSON_BODY = { "Content-Type": "application/json" };
const readJson = (response) => response.json().catch(() => null);

// Only an XMLHttpRequest reports the progress of an upload.
function upload(path, { method, body, headers, signal }, onProgress) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    const abort = () => sending.abort();
    sending.open(method, path);
    for (const [name, value] of Object.entries(headers)) sending.setRequestHeader(name, value);
    sending.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    sending.onload = () => {
      const { status, response } = sending;
      resolve(new Response(status === 204 ? null : response, { status }));
    };
    sending.onerror = sending.onabort = () => reject(new Error());
    sending.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    sending.send(body);
  });
}

async function request(method, path, { body, headers = {}, read = readJson, send = fetch } = {}) {
  const { signal } = controller;
  let response;
  try {
    response = await send(path, { method, body, headers, signal, cache: "no-store" });
  } catch {
    signal.throwIfAborted();
    handleReachable(false);
    throw new RequestError(translate("page.offline"));
  }
  const answer = response.status === 204 ? null : await (response.ok ? read : readJson)(response);
  signal.throwIfAborted();
  if (response.ok) handleReachable(true);
  if (response.status === 204) return null;
  if (response.ok && answer) return answer;
  const error = answer?.error;
  // The answer of a proxy that can't reach the bot.
  if (!error && PROXY_STATUSES.has(response.status)) {
    handleReachable(false);
    throw new RequestError(translate("page.offline"), { status: response.status });
  }
  handleReachable(true);
  const failure = new RequestError(error?.message ?? translate("page.unreadable"), {
    status: response.status,
    key: error?.key,
  });
  if (failure.status === 401) handleSignedOut();
  signal.throwIfAborted();
  throw failure;
}

const jobPath = (path, jobId) => `${path}?jobId=${encodeURIComponent(jobId)}`;

export const session = () => request("GET", "api/session");
export const signOut = () => request("DELETE", "api/session");
export const signOutEverywhere = () => request("DELETE", "api/sessions");
export const signIn = (token) =>
  request("POST", "api/session", {
    body: JSON.stringify({ token }),
    headers: JSON_BODY,
  });

// Fails like an order with audio would, but before the upload.
export const checkUpload = (key) =>
  request("GET", "api/upload", { headers: { "Idempotency-Key": key } });
// `onProgress` is called with the part that is sent, from 0 to 1.
export const generate = (form, key, onProgress) =>
  request("POST", "api/generate", {
    body: form,
    headers: { "Idempotency-Key": key },
    send: (path, options) => upload(path, options, onProgress),
  });
// Resolves to the recording as a Blob.
export const narrate = (text) =>
  request("POST", "api/narrate", {
    body: JSON.stringify({ text }),
    headers: JSON_BODY,
    read: (response) => response.blob().catch(() => null),
  });
export const status = (jobId) => request("GET", jobPath("api/status", jobId));
export const cancel = (jobId) => request("POST", jobPath("api/cancel", jobId));
// Submits an unconfirmed order again, although the provider may charge twice.
export const retry = (jobId) => request("POST", jobPath("api/retry", jobId));
export const share = (jobId) => request("POST", jobPath("api/share", jobId));
export const withdraw = (jobId) => request("DELETE", jobPath("api/share", jobId));
export const jobs = (before) => request("GET", before ? `api/jobs?before=${before}` : "api/jobs");
export const remove = (jobId) => request("DELETE", jobPath("api/jobs", jobId));
export const posterUrl = (jobId) => jobPath("api/poster", jobId);
export const captionsUrl = (jobId) => jobPath("api/captions", jobId);
export const videoUrl = (jobId) => jobPath("api/download", jobId);
