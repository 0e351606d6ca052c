export function render({ model }) {
  const root = h("div.toast-list", { role: "status", "aria-live": "polite" })
  let shown = 0
  const draw = () => {
    for (const { number, text, kind } of model.said) {
      if (number <= shown) continue
      shown = number
      const toast = h(`div.toast.${kind}`, {}, h("span", {}, text), button("×", "close", true, () => toast.remove()))
      root.append(toast)
      while (root.children.length > model.said.length) root.firstChild.remove()
      setTimeout(() => toast.remove(), kind === "error" ? 12000 : 5000)
    }
  }
  model.on("said", draw)
  draw()
  return root
}
