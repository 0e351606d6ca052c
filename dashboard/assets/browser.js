export function render({ model }) {
  const say = (message) => model.send_msg(message)
  const dialog = h("dialog#browser", { "aria-label": "open data", tabindex: "-1", onclose: () => say({ do: "close" }) })
  const list = () => model.entries.map((entry) => h("li", {},
    h("button.entry" + (entry.name === model.chosen ? ".chosen" : ""), {
      type: "button", "data-name": entry.name, title: entry.note,
      onclick: () => say({ do: "look", name: entry.name }),
      ondblclick: () => say({ do: entry.kind === "folder" ? "enter" : "open", name: entry.name }),
    }, h("span.icon", { "aria-hidden": "true" }, { folder: "▸", stack: "▦", file: "·" }[entry.kind] ?? "·"), h("span.wide", {}, entry.name), h("small", {}, entry.note))))
  const crumbs = () => model.crumbs.map((name, index) => button(name, `go to ${name}`, index < model.crumbs.length - 1, () => say({ do: "up", depth: index }), ".crumb"))
  const preview = () => {
    const { title, lines = [], warnings = [], image, problem } = model.preview
    if (problem) return h("div.preview", {}, h("h3", {}, title ?? ""), h("p.warning", {}, problem))
    if (!title) return h("div.preview", {}, h("p.empty", {}, "Choose a folder or a file on the left to see what it holds."))
    return h("div.preview", {}, image ? h("img", { src: image, alt: `preview of ${title}` }) : "", h("h3", {}, title),
      ...lines.map((line) => h("p", {}, line)), ...warnings.map((line) => h("p.warning", {}, line)))
  }
  // what is drawn anew loses the focus, and with it the keyboard's place in the list
  const focus = () => { if (dialog.open) (dialog.querySelector("button.entry.chosen") ?? dialog).focus() }
  const draw = () => {
    const folder = model.entries.find((e) => e.name === model.chosen)?.kind === "folder"
    dialog.replaceChildren(
      h("header", {}, h("h2", {}, "Open data"), button("×", "close", true, () => dialog.close(), ".plain")),
      h("nav.crumbs", { "aria-label": "where" }, ...crumbs()),
      h("div.two", {}, h("ul.entries", {}, ...list(), model.entries.length ? "" : h("li.empty", {}, "Nothing to open here.")), preview()),
      h("footer", {}, h("p.note", {}, model.note),
        folder ? button("Go into", "look into this folder", true, () => say({ do: "enter", name: model.chosen }), "#enter") : "",
        button("Open", model.openable ? "open this" : "choose data that can be opened first", model.openable, () => say({ do: "open", name: model.chosen }), "#open.primary")))
    focus()
  }
  const show = () => { if (model.shown && !dialog.open) { dialog.showModal(); focus() } else if (!model.shown && dialog.open) dialog.close() }
  for (const name of ["entries", "crumbs", "chosen", "preview", "openable", "note"]) model.on(name, draw)
  model.on("shown", show)
  draw()
  setTimeout(show, 0)
  return dialog
}
