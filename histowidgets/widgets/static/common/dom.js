// Creates elements. Text is always set as text, so that HTML in a name is not interpreted.
export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== "") made.textContent = text;
  if (tag === "button") made.type = "button";
  return made;
}

export function button(className, text, title, click) {
  const made = element("button", className, text);
  made.title = title;
  made.addEventListener("click", click);
  return made;
}
