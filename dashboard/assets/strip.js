// One page of a collection's micrographs; turning and choosing are asked of the server, which holds the pictures.
export function render({ model }) {
  const root = h("div.strip")
  const say = (message) => model.send_msg(message)
  const count = (part) => h("span.count", { title: part.title }, h("i.dot", { style: `background:${part.color}` }), String(part.n))
  const card = (row) => h("button.micrograph" + (row.image === model.chosen ? ".chosen" : ""), {
    type: "button", "data-image": row.image, "aria-pressed": String(row.image === model.chosen), title: row.title,
    onclick: () => say({ do: "choose", image: row.image }),
  }, row.src ? h("img", { src: row.src, alt: "" }) : h("span.blank"), h("span.name", {}, row.name),
  h("span.counts", {}, row.problem ? h("span.bad", {}, "not read") : "", ...row.counts.map(count)))
  const draw = () => {
    const first = model.page === 0, last = model.page + 1 >= model.pages
    root.replaceChildren(
      model.pages > 1 ? button("‹", "micrographs before", !first, () => say({ do: "page", step: -1 }), "#strip-before") : "",
      h("div.cards", {}, ...model.rows.map(card)),
      model.pages > 1 ? button("›", "next micrographs", !last, () => say({ do: "page", step: 1 }), "#strip-after") : "",
      h("small", { id: "strip-note" }, model.note))
  }
  for (const name of ["rows", "chosen", "page", "pages", "note"]) model.on(name, draw)
  draw()
  return root
}
