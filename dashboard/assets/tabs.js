// Tabs of a page; the element of the page they are `of` says in data-tab which one is open, and its CSS does the rest.
export function render({ model }) {
  const root = h("div.tab-row", { role: "tablist" })
  const draw = () => {
    const page = document.getElementById(model.of)
    if (page && page.dataset.tab !== model.value) {
      page.dataset.tab = model.value
      window.dispatchEvent(new Event("resize"))  // charts that were hidden find their size
    }
    root.replaceChildren(...Object.entries(model.names).map(([value, name]) => h("button.tab" + (value === model.value ? ".on" : ""), {
      type: "button", role: "tab", "data-tab": value, "aria-selected": String(value === model.value),
      onclick: () => { model.value = value },
    }, name)))
  }
  model.on("value", draw)
  draw()
  return root
}
