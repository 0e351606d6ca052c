// Files dropped anywhere on the page, or chosen, go to the server in parts, no more than a few on the way at once.
export function render({ model }) {
  const PART = 2 ** 20, AHEAD = 8 * PART
  let busy = false, note = ""
  const root = h("div.drop")
  const until = async (ready) => { while (!ready()) await new Promise((resolve) => setTimeout(resolve, 20)) }
  const send = async (files) => {
    if (busy || !files.length) return
    busy = true
    const total = files.reduce((sum, file) => sum + file.size, 0)
    let sent = 0, ended = false
    model.refused = ""
    model.taken = 0
    model.send_msg({ do: "begin", names: files.map((file) => file.name), sizes: files.map((file) => file.size) })
    for (const [number, file] of files.entries()) {
      if (!file.name.toLowerCase().match(pictures)) continue
      for (let start = 0; start < file.size && !model.refused; start += PART) {
        const data = await file.slice(start, start + PART).arrayBuffer()
        const waiting = sent - AHEAD
        if (waiting > 0) await until(() => model.taken >= waiting || model.refused)
        if (model.refused) break
        model.send_msg({ do: "part", file: number, data })
        sent += data.byteLength
        note = `sending ${Math.round(100 * sent / total)} %`
        draw()
      }
    }
    if (!model.refused) model.send_msg({ do: "end" })
    busy = false
    note = ""
    draw()
  }
  const pictures = new RegExp(`(${model.accept.split(",").map((end) => end.replace(".", "\\.")).join("|")})$`)
  const input = h("input", { type: "file", multiple: true, accept: model.accept, hidden: true, "aria-label": "pictures", onchange: () => { send([...input.files]); input.value = "" } })
  const draw = () => root.replaceChildren(input, button(note || model.text, "pictures are kept with the results and answered at once", !busy, () => input.click(), "#drop-choose"))
  const has = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files")
  const over = (event) => { if (has(event)) { event.preventDefault(); document.body.classList.add("dropping") } }
  const leave = (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping") }
  const inside = async (entry) => {  // a folder: what is in it, and in its folders
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))]
    const reader = entry.createReader(), found = []
    for (let more; (more = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length;) found.push(...more)
    return (await Promise.all(found.map(inside))).flat().filter((file) => file.name.toLowerCase().match(pictures))
  }
  const drop = async (event) => {
    if (!has(event)) return
    event.preventDefault()
    document.body.classList.remove("dropping")
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean)
    const plain = [...event.dataTransfer.files]  // gone after the first await
    send(entries.some((entry) => entry.isDirectory) ? (await Promise.all(entries.map(inside))).flat() : plain)
  }
  const heard = { dragover: over, dragenter: over, dragleave: leave, drop }
  for (const [name, listen] of Object.entries(heard)) document.addEventListener(name, listen)
  model.on("remove", () => { for (const [name, listen] of Object.entries(heard)) document.removeEventListener(name, listen) })
  draw()
  return root
}
