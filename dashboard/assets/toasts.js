export function render({ model }) {
  const root = h("div.toast-list", { role: "status", "aria-live": "polite" })
  model.on("msg:custom", (event) => {
    const { text, kind } = event.data ?? event
    const toast = h(`div.toast.${kind}`, {}, h("span", {}, text), button("×", "close", true, () => toast.remove()))
    root.append(toast)
    while (root.children.length > 4) root.firstChild.remove()
    setTimeout(() => toast.remove(), kind === "error" ? 12000 : 5000)
  })
  return root
}
