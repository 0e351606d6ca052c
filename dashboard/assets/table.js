// A plain table whose rows carry buttons; used by the Jobs and Results pages.
export function render({ model }) {
  const root = h("div.rows")
  const cell = (value, column) => h("td" + (column.number ? ".number" : ""), { title: column.long ? value : undefined }, value ?? "")
  const actions = (row) => h("td.actions", {}, ...row.actions.map((a) => a.href
    ? h("a.button", { href: a.href }, a.label)
    : button(a.label, a.title ?? a.label, !a.off, () => model.send_msg({ do: a.do, id: row.id }), `.${a.do}`)))
  const draw = () => root.replaceChildren(model.rows.length
    ? h("table", {}, h("thead", {}, h("tr", {}, ...model.columns.map((c) => h("th" + (c.number ? ".number" : ""), {}, c.title)), h("th"))),
        h("tbody", {}, ...model.rows.map((row) => h("tr", { "data-id": row.id }, ...model.columns.map((c) => cell(row[c.name], c)), actions(row)))))
    : h("p.empty", {}, model.empty))
  for (const name of ["rows", "columns", "empty"]) model.on(name, draw)
  draw()
  return root
}
