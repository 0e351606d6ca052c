// One page of small pictures of things, those in most doubt first.
export function render({ model }) {
  const root = h("div.gallery" + (model.large ? ".large" : ""))
  const say = (message) => model.send_msg(message)
  const tile = (row) => h("button.crop" + (row.object === model.chosen ? ".chosen" : ""), {
    type: "button", "data-crop": row.object, "data-name": row.name, style: `--class:${row.color}`, title: row.title,
    "aria-pressed": String(row.object === model.chosen), onclick: () => say({ do: "choose", object: row.object }),
  }, h("img", { src: model.pictures[row.object] ?? "", alt: `${model.what} ${row.object}` }), h("span", {}, (row.reviewed ? "✓ " : "") + row.said),
    row.badge ? h("em." + row.kind, {}, row.badge) : "", row.share ? h("small.of", {}, row.share) : "")
  const draw = () => {
    const first = model.page === 0, last = model.page + 1 >= model.pages
    root.replaceChildren(
      h("div.row", {}, h("small.wide", { id: "gallery-note" }, model.note),
        model.clear ? button(model.clear, `show all ${model.what}s again`, true, () => say({ do: "clear" }), "#gallery-clear") : "",
        button("‹", `${model.what}s before`, !first, () => say({ do: "page", step: -1 }), "#gallery-before"),
        h("small", {}, model.pages ? `${model.page + 1} / ${model.pages}` : ""),
        button("›", `next ${model.what}s`, !last, () => say({ do: "page", step: 1 }), "#gallery-after")),
      model.rows.length ? h("div.tiles", {}, ...model.rows.map(tile)) : h("p.empty", {}, model.empty))
    root.querySelector(".crop.chosen")?.scrollIntoView({ block: "nearest" })
  }
  for (const name of ["rows", "pictures", "chosen", "page", "pages", "note", "empty", "clear"]) model.on(name, draw)
  draw()
  return root
}
