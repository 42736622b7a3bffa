const INPUTS_WITHOUT_TEXT = ["button", "checkbox", "color", "file", "radio", "range", "reset", "submit"];

// Whether this element takes text input.
export function takesText(element) {
  if (element.isContentEditable || ["TEXTAREA", "SELECT"].includes(element.tagName)) return true;
  return element.tagName === "INPUT" && !INPUTS_WITHOUT_TEXT.includes(element.type);
}
