// The limits and the texts in the user's language, which the server puts into the page.

export const settings = JSON.parse(document.querySelector("meta[name=settings]").content);

export function translate(key, fields = {}) {
  return settings.words[key].replace(/\{(\w+)\}/g, (_, name) => fields[name]);
}

export function formatSize(bytes) {
  const number = new Intl.NumberFormat(settings.language, { maximumFractionDigits: 1 });
  return translate("page.size", { size: number.format(Math.max(bytes / 1048576, 0.1)) });
}

export function formatDateTime(seconds) {
  const style = { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(settings.language, style).format(seconds * 1000);
}
