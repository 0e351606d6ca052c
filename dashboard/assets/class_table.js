export function render({ model }) {
  const root = h("div.classes")
  const say = (message) => model.send_msg(message)
  let current = model.selected
  const choose = (value, event) => {
    const now = new Set(current)
    if (event.ctrlKey || event.metaKey || event.shiftKey) now.has(value) ? now.delete(value) : now.add(value)
    else if (now.size === 1 && now.has(value)) now.clear()
    else { now.clear(); now.add(value) }
    current = [...now].sort((a, b) => a - b)
    draw()
    say({ do: "select", labels: current })
  }
  const rename = (row, field) => {
    const name = field.value.trim()
    if (name && name !== row.name) say({ do: "rename", label: row.label, name })
    else field.value = row.name
  }
  const line = (row) => {
    const swatch = h("input.swatch", {
      type: "color", value: row.color, "aria-label": `colour of ${row.name}`, title: "change the colour",
      onclick: (e) => e.stopPropagation(),
      onchange: (e) => say({ do: "recolour", label: row.label, color: e.target.value }),
    })
    const name = h("input.name", {
      type: "text", value: row.name, maxlength: 60, "aria-label": `name of class ${row.label}`, title: "rename: type and press Enter",
      onkeydown: (e) => { e.stopPropagation(); if (e.key === "Enter") e.target.blur(); if (e.key === "Escape") { e.target.value = row.name; e.target.blur() } },
      onblur: (e) => rename(row, e.target),
      onclick: (e) => { if (current.length === 1 && current[0] === row.label) e.stopPropagation() },
    })
    const chosen = current.includes(row.label)
    return h("tr" + (chosen ? ".chosen" : ""), {
      "data-label": row.label, "aria-selected": String(chosen), onclick: (e) => choose(row.label, e),
    }, model.eyes ? h("td", {}, eye(row)) : null, h("td", {}, swatch), h("td.key", {}, h("button.plain.pick", { type: "button", "data-pick": row.label, "aria-pressed": String(chosen), "aria-label": `select class ${row.label}, ${row.name}`, title: "select; with Ctrl several" }, String(row.label))), h("td.wide", {}, name), h("td.number", {}, row.share),
      h("td.number", {}, row.area), h("td.number", {}, row.confidence))
  }
  const eye = (row) => {
    const off = model.hidden.includes(row.label)
    return h("button.plain.eye" + (off ? ".off" : ""), { type: "button", "data-eye": row.label, "aria-pressed": String(!off), "aria-label": `show ${row.name}`,
      title: off ? "show on the image" : "hide on the image", onclick: (e) => { e.stopPropagation(); say({ do: "hide", label: row.label }) } }, off ? "◌" : "●")
  }
  const draw = () => {
    const n = current.length
    const head = h("tr", {}, model.eyes ? h("th") : null, h("th"), h("th", {}, "#"), h("th.wide", {}, "name"), h("th.number", {}, "share"),
      h("th.number", {}, model.area_unit ? `area ${model.area_unit}` : "area"), h("th.number", { title: "mean margin between the nearest and the second class, 0 to 1" }, "conf."))
    const body = model.rows.length
      ? h("div.scroll", {}, h("table", { "aria-label": "classes" }, h("thead", {}, head), h("tbody", {}, ...model.rows.map(line))))
      : h("p.empty", {}, model.empty)
    const tools = h("div.tools", {},
      button("merge", n > 1 ? `merge the ${n} selected classes` : "select two or more classes to merge (Ctrl-click)", n > 1 && !model.busy, () => say({ do: "merge" }), "#merge"),
      button("split", n === 1 ? "split the selected class in two" : "select one class to split", n === 1 && !model.busy, () => say({ do: "split" }), "#split"))
    const focused = root.getRootNode().activeElement?.dataset.pick
    root.replaceChildren(body, model.rows.length ? tools : "")
    if (focused) root.querySelector(`[data-pick="${focused}"]`)?.focus()  // or the keyboard would lose its place
  }
  model.on("selected", () => { current = model.selected; draw() })
  for (const name of ["rows", "busy", "area_unit", "empty", "hidden"]) model.on(name, draw)
  draw()
  return root
}
