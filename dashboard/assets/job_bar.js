export function render({ model }) {
  const root = h("div.jobbar")
  const draw = () => {
    const share = Math.round(100 * model.share)
    const run = button(model.running ? "Running…" : model.label, model.reason || model.hint, !model.reason && !model.running, () => model.send_msg({ do: "run" }), "#run.primary")
    const cancel = model.running && button("Cancel", "stop this job; nothing is left behind", true, () => model.send_msg({ do: "cancel" }), "#cancel")
    const bar = model.running && h("div.bar", { role: "progressbar", "aria-label": "progress", "aria-valuenow": share, "aria-valuemin": 0, "aria-valuemax": 100 }, h("i", { style: `width:${share}%` }))
    const note = h("p.note#job-note", {}, model.running ? [`${share} %`, model.left, model.doing].filter(Boolean).join(" · ") : model.reason || model.note)
    root.replaceChildren(...[h("div.row", {}, run, cancel), bar, note].filter(Boolean))
  }
  for (const name of ["running", "share", "doing", "left", "reason", "note", "label"]) model.on(name, draw)
  draw()
  return root
}
