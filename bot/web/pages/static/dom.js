// Helpers for the page's elements. Text is only ever set as text, never as markup.

import { translate } from "./texts.js";

export const byId = (id) => document.getElementById(id);

export function make(tag, { className = "", text = "", ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function showMessage(id, message) {
  const element = byId(id);
  element.hidden = !message;
  element.textContent = message || "";
}

// Screen readers read the message aloud, wherever the focus is.
export function announce(message) {
  byId("announce").textContent = message;
}

// Avoids the `disabled` attribute, which would take the focus from the element.
export function setDisabled(element, isDisabled) {
  if (isDisabled) element.setAttribute("aria-disabled", "true");
  else element.removeAttribute("aria-disabled");
}

// Runs an action while `button` (or a group of buttons) is disabled, and shows any error.
export async function runAction(button, errorId, action) {
  if (button.getAttribute("aria-disabled")) return;
  setDisabled(button, true);
  showMessage(errorId, "");
  try {
    await action();
  } catch (error) {
    // The session has ended; do not show its errors to the next user.
    if (error.name === "AbortError") return;
    showMessage(errorId, error.message || translate("page.unreadable"));
  } finally {
    setDisabled(button, false);
  }
}
