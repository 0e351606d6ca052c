// The frame cut into sections, each as dark as it holds objects of the class looked for; a click goes there.
export function render({ model }) {
  const root = h("div.section-grid")
  const draw = () => {
    const most = Math.max(1, ...model.counts.flat())
    root.style.gridTemplateColumns = `repeat(${model.counts[0]?.length ?? 1}, 1fr)`
    root.replaceChildren(...model.counts.flatMap((row, y) => row.map((n, x) => h("button.section", {
      type: "button", "data-section": `${y},${x}`, style: `--share:${n ? 0.15 + 0.85 * Math.sqrt(n / most) : 0}`,
      title: `section ${y + 1}, ${x + 1}: ${n} ${model.what}`, "aria-label": `section ${y + 1}, ${x + 1}: ${n} ${model.what}`,
      onclick: () => model.send_msg({ row: y, column: x }),
    }, n ? String(n) : ""))), model.counts.length ? h("small.what", {}, `${model.what}; click a section to go there`) : h("p.empty", {}, model.empty))
  }
  for (const name of ["counts", "what", "empty"]) model.on(name, draw)
  draw()
  return root
}
