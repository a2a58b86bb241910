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

// Runs what a press began, and keeps it from being pressed twice meanwhile.
export async function pressing(button, errorId, work) {
  if (button.disabled) return;
  button.disabled = true;
  tell(errorId, "");
  try {
    await work();
  } catch (error) {
    tell(errorId, error.message || say("page.unreadable"));
  } finally {
    button.disabled = false;
  }
}
