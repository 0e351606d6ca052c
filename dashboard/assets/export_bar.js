export function render({ model }) {
  const root = h("div.exportbar")
  const draw = () => {
    const choice = h("select#format", { "aria-label": "format", disabled: Boolean(model.reason), onchange: (e) => { model.format = e.target.value } },
      ...model.formats.map((name) => h("option", { value: name, selected: name === model.format }, name)))
    const go = button(model.busy ? "Writing…" : "Export", model.reason || "write the files", !model.reason && !model.busy, () => model.send_msg({ do: "export" }), "#export")
    const links = model.files.map((file) => h("a.file", { href: file.url, download: file.name, title: `download ${file.name}` }, file.name, h("small", {}, file.size)))
    root.replaceChildren(h("div.row", {}, choice, go), ...links)
  }
  for (const name of ["formats", "format", "files", "busy", "reason"]) model.on(name, draw)
  draw()
  return root
}
