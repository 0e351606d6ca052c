// Shared by every component: h("div.row#id", {title: "..."}, child, ...) makes an element; text is always text.
function h(spec, attributes = {}, ...children) {
  const [, tag, rest] = spec.match(/^([a-z0-9]+)(.*)$/)
  const element = document.createElement(tag)
  for (const part of rest.match(/[.#][^.#]+/g) ?? []) {
    if (part[0] === "#") element.id = part.slice(1)
    else element.classList.add(part.slice(1))
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
    else if (name === "value") element.value = value
    else element.setAttribute(name, value === true ? "" : value)
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false))
  return element
}
function button(label, title, enabled, onclick, extra = "") {
  return h("button" + extra, { type: "button", title, disabled: !enabled, onclick, "aria-label": title }, label)
}
