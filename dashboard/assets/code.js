export function render({ model }) {
  const dialog = h("dialog#code", { "aria-label": "code that reproduces this" })
  const copy = (text, id) => button("copy", "copy to the clipboard", true, async (e) => {
    await navigator.clipboard.writeText(text); e.target.textContent = "copied"
  }, id)
  const block = (title, text, id) => h("section", {}, h("div.row", {}, h("h3", {}, title), h("span.gap"), copy(text, `#copy-${id}`)), h(`pre#${id}`, {}, text))
  const draw = () => dialog.replaceChildren(
    h("header", {}, h("h2", {}, "The same, in code"), button("×", "close", true, () => dialog.close(), ".plain")),
    model.python ? h("div", {}, block("Python", model.python, "python"), block("Command line", model.command, "command")) : h("p.empty", {}, "Press Run first: the lines that reproduce it appear here."))
  for (const name of ["python", "command"]) model.on(name, draw)
  draw()
  return h("div.codebar", {}, button("‹/› show code", "Python lines and the command that reproduce these labels", true, () => dialog.showModal(), "#show-code"), dialog)
}
