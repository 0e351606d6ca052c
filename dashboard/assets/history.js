export function render({ model }) {
  const root = h("div.row")
  const step = (what, sign, doing, keys) => button(`${what} ${sign}`, doing ? `${what} ${doing} (${keys})` : `nothing to ${what}`,
    Boolean(doing) && !model.busy, () => model.send_msg({ do: what }), `#${what}`)
  const draw = () => root.replaceChildren(step("undo", "↶", model.undo, "Ctrl-Z"), step("redo", "↷", model.redo, "Ctrl-Y"))
  for (const name of ["undo", "redo", "busy"]) model.on(name, draw)
  draw()
  return root
}
