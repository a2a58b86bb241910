// What the server has told with the page: its sentences in the reader's language, and its limits.

export const settings = JSON.parse(document.querySelector("meta[name=settings]").content);

export function say(key, fields = {}) {
  return settings.words[key].replace(/\{(\w+)\}/g, (_, name) => fields[name]);
}

export function megabytes(bytes) {
  const number = new Intl.NumberFormat(settings.language, { maximumFractionDigits: 1 });
  return say("page.size", { size: number.format(Math.max(bytes / 1048576, 0.1)) });
}

export function when(seconds) {
  const format = new Intl.DateTimeFormat(settings.language, { dateStyle: "medium", timeStyle: "short" });
  return format.format(seconds * 1000);
}

export function day(seconds) {
  return new Intl.DateTimeFormat(settings.language, { dateStyle: "long" }).format(seconds * 1000);
}
