// What people said against what the model said; a cell opens what is in it.
export function render({ model }) {
  const root = h("div.matrix" + (model.numbered ? ".numbered" : ""))
  const cell = (n, truth, found) => h("td.number" + (truth === found ? ".right" : n ? ".wrong" : ""), {}, h("button.plain", {
    type: "button", disabled: !n, "data-cell": `${truth},${found}`, "aria-label": `${n} ${model.what}, ${model.rows_are} ${model.names[truth]}, ${model.columns_are} ${model.names[found]}`,
    title: `${n} ${model.what}: ${model.rows_are} ${model.names[truth]}, ${model.columns_are} ${model.names[found]}` + (n ? "; click to show them" : ""), "aria-pressed": String(model.chosen.join() === `${truth},${found}`),
    onclick: () => model.send_msg({ do: "cell", truth, found }),
  }, model.numbered && !n ? "·" : String(n)))
  const draw = () => root.replaceChildren(model.counts.length
    ? h("table", { "aria-label": "confusion matrix" }, h("thead", {}, h("tr", {}, h("th", {}, model.corner), ...model.names.map((name, n) => h("th.number", { title: name }, model.numbered ? String(n + 1) : name)))),
      h("tbody", {}, ...model.counts.map((row, truth) => h("tr", {}, h("th", { title: model.names[truth] }, model.numbered ? `${truth + 1} ${model.names[truth]}` : model.names[truth]), ...row.map((n, found) => cell(n, truth, found))))))
    : h("p.empty", {}, model.empty), model.note ? h("p.note", { id: "matrix-note" }, model.note) : "")
  for (const name of ["counts", "names", "chosen", "note", "empty"]) model.on(name, draw)
  draw()
  return root
}
