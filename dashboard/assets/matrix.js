// What people said against what the model said; a cell opens its crops.
export function render({ model }) {
  const root = h("div.matrix")
  const cell = (n, truth, found) => h("td.number" + (truth === found ? ".right" : n ? ".wrong" : ""), {}, h("button.plain", {
    type: "button", disabled: !n, "data-cell": `${truth},${found}`, "aria-label": `${n} that you call ${model.names[truth]} and the model ${model.names[found]}`,
    title: n ? "show these particles" : "none", "aria-pressed": String(model.chosen.join() === `${truth},${found}`),
    onclick: () => model.send_msg({ do: "cell", truth, found }),
  }, String(n)))
  const draw = () => root.replaceChildren(model.counts.length
    ? h("table", { "aria-label": "confusion matrix" }, h("thead", {}, h("tr", {}, h("th", {}, "you ↓ model →"), ...model.names.map((name) => h("th.number", {}, name)))),
      h("tbody", {}, ...model.counts.map((row, truth) => h("tr", {}, h("th", {}, model.names[truth]), ...row.map((n, found) => cell(n, truth, found))))))
    : h("p.empty", {}, model.empty), model.note ? h("p.note", { id: "matrix-note" }, model.note) : "")
  for (const name of ["counts", "names", "chosen", "note", "empty"]) model.on(name, draw)
  draw()
  return root
}
