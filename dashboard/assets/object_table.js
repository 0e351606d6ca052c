// One page of the objects of a result; sorting, paging and choosing are asked of the server, which holds the table.
export function render({ model }) {
  const root = h("div.objects")
  const say = (message) => model.send_msg(message)
  const head = (column) => h("th" + (column.number ? ".number" : ""), { "aria-sort": model.sort === column.name ? (model.descending ? "descending" : "ascending") : "none" },
    h("button.plain.sort", { type: "button", "data-sort": column.name, title: `sort by ${column.long}`, onclick: () => say({ do: "sort", column: column.name }) },
      column.title + (model.sort === column.name ? (model.descending ? " ↓" : " ↑") : "")))
  const line = (row) => h("tr" + (row.object === model.chosen ? ".chosen" : ""), {
    "data-object": row.object, tabindex: "0", "aria-selected": String(row.object === model.chosen),
    onclick: () => say({ do: "choose", object: row.object }),
    onkeydown: (e) => { if (e.key === "Enter") say({ do: "choose", object: row.object }) },
  }, ...model.columns.map((column) => h("td" + (column.number ? ".number" : ""), { title: column.number ? undefined : row[column.name] },
    column.name === "name" ? h("span", {}, h("i.dot", { style: `background:${row.color}` }), row.name) : String(row[column.name]))))
  const draw = () => {
    const body = model.rows.length
      ? h("div.scroll", {}, h("table", { "aria-label": "objects" }, h("thead", {}, h("tr", {}, ...model.columns.map(head))), h("tbody", {}, ...model.rows.map(line))))
      : h("p.empty", {}, model.empty)
    const first = model.page === 0, last = model.page + 1 >= model.pages
    const foot = h("div.tools", {}, h("small.wide", { id: "objects-count" }, model.note),
      button("‹", "page before", !first, () => say({ do: "page", step: -1 }), "#objects-before"),
      h("small", {}, model.pages ? `${model.page + 1} / ${model.pages}` : ""),
      button("›", "next page", !last, () => say({ do: "page", step: 1 }), "#objects-after"))
    root.replaceChildren(body, model.note ? foot : "")
    root.querySelector("tr.chosen")?.scrollIntoView({ block: "nearest" })
  }
  for (const name of ["rows", "chosen", "sort", "descending", "note", "empty"]) model.on(name, draw)
  draw()
  return root
}
