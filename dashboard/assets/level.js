// A slider from 0 to 1 with its name before it.
export function render({ model }) {
  const input = h("input", { type: "range", min: 0, max: 100, step: 5, "aria-label": model.label, title: model.label, value: Math.round(100 * model.value),
    oninput: () => { model.value = input.valueAsNumber / 100 } })
  model.on("value", () => { input.value = Math.round(100 * model.value) })
  return h("label.level-bar", {}, h("small", {}, model.name_shown), input)
}
