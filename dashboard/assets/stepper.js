export function render({ model }) {
  let timer = null
  const text = h("output.now")
  const range = h("input#channel", { type: "range", min: 0, step: 1, "aria-label": model.label })
  const go = (index) => { const n = model.values.length; if (n) model.value = (index + n) % n }
  range.addEventListener("input", () => { text.textContent = model.values[range.value] ?? "" ; send(Number(range.value)) })
  let waiting = null
  const send = (index) => { clearTimeout(waiting); waiting = setTimeout(() => { model.value = index }, 60) }
  const play = button("▶", "play through (space)", true, () => {
    if (timer) { clearInterval(timer); timer = null } else timer = setInterval(() => go(model.value + 1), 700)
    play.textContent = timer ? "❚❚" : "▶"
    play.title = timer ? "stop" : "play through (space)"
  }, "#play")
  const root = h("div.step-bar", {}, h("span.what", {}, model.label), button("‹", "previous (←)", true, () => go(model.value - 1), "#previous"), range,
    button("›", "next (→)", true, () => go(model.value + 1), "#next"), play, text)
  const draw = () => {
    root.style.visibility = model.values.length > 1 ? "visible" : "hidden"
    range.max = Math.max(0, model.values.length - 1)
    range.value = model.value
    range.setAttribute("aria-valuetext", model.values[model.value] ?? "")
    text.textContent = model.values[model.value] ?? ""
    root.querySelector(".what").textContent = model.label
  }
  for (const name of ["values", "value", "label"]) model.on(name, draw)
  model.on("remove", () => clearInterval(timer))
  draw()
  return root
}
