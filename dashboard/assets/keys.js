export function render({ model }) {
  const typing = (event) => {
    const path = event.composedPath()
    if (path.some((node) => node.tagName === "DIALOG")) return true  // Escape closes it
    const target = path[0]
    if (target.tagName === "INPUT" && ["range", "checkbox", "color"].includes(target.type)) return false
    return ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) || target.isContentEditable
  }
  const press = (event) => {
    if (typing(event) || event.altKey) return
    const command = event.ctrlKey || event.metaKey
    const key = command ? `ctrl-${event.key.toLowerCase()}` : event.key
    if (command ? !["ctrl-z", "ctrl-y"].includes(key) : !/^(ArrowLeft|ArrowRight|Escape|[0-9npr])$/.test(key)) return
    event.preventDefault()
    model.send_msg({ key })
  }
  document.addEventListener("keydown", press)
  model.on("remove", () => document.removeEventListener("keydown", press))
  return h("span")
}
