// What the other parts do with the page's elements; text is only ever set as text.

import { say } from "./words.js";

export const byId = (id) => document.getElementById(id);

export function make(tag, { className = "", text = "", ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function tell(id, message) {
  const place = byId(id);
  place.hidden = !message;
  place.textContent = message || "";
}

// A screen reader says this, whatever it is at.
export function announce(message) {
  byId("announce").textContent = message;
}

// Not `disabled`, which would take the focus away.
export function still(element, isStill) {
  if (isStill) element.setAttribute("aria-disabled", "true");
  else element.removeAttribute("aria-disabled");
}

// Runs what a press began, and keeps `button`, or a group of them, from being pressed meanwhile.
export async function pressing(button, errorId, work) {
  if (button.getAttribute("aria-disabled")) return;
  still(button, true);
  tell(errorId, "");
  try {
    await work();
  } catch (error) {
    // The session is over: whoever comes next is not told.
    if (error.name !== "AbortError") tell(errorId, error.message || say("page.unreadable"));
  } finally {
    still(button, false);
  }
}
