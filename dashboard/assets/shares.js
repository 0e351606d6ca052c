// Fractions of a population with their intervals; a click selects the class.
export function render({ model }) {
  const root = h("div.shares")
  const say = (message) => model.send_msg(message)
  const bar = (row) => row.fraction === null ? h("td.wide") : h("td.wide", {}, h("span.share", {
    title: row.low === undefined ? `${row.fraction} %` : `95 % interval: ${row.low} to ${row.high} %`, style: `--class:${row.color};--at:${row.fraction}%;--low:${row.low ?? 0}%;--high:${row.high ?? 0}%` }))
  const line = (row, n) => {
    const chosen = model.selected.includes(row.label)
    return h("tr" + (chosen ? ".chosen" : ""), {
      "data-label": row.label, tabindex: "0", "aria-selected": String(chosen), onclick: () => say({ do: "select", label: row.label }),
      onkeydown: (e) => { if (e.key === "Enter") say({ do: "select", label: row.label }) },
    }, h("td", {}, row.key === "" ? "" : h("kbd", { title: `press ${row.key ?? n} to give the chosen one this class` }, row.key ?? String(n))),
    h("td", {}, h("i.dot", { style: `background:${row.color}` }), row.name), h("td.number", {}, String(row.count)), bar(row),
    h("td.number.interval", {}, row.fraction === null ? "" : row.low === undefined ? `${row.fraction} %` : `${row.fraction} % (${row.low}–${row.high})`))
  }
  const draw = () => root.replaceChildren(model.rows.length
    ? h("table", { "aria-label": "fractions" }, h("tbody", {}, ...model.rows.map((row, n) => line(row, n + 1))))
    : h("p.empty", {}, model.empty), model.note ? h("small", { id: "shares-note" }, model.note) : "")
  for (const name of ["rows", "selected", "note", "empty"]) model.on(name, draw)
  draw()
  return root
}
