// Reports the position of the mouse to the server, at most every 80 ms.
// Arguments: cursor (data source with x and y); cb_obj is the mouse event.
const {x, y} = cb_obj, wait = 80 - (Date.now() - (cursor.sent ?? 0));
clearTimeout(cursor.later);
cursor.later = setTimeout(() => {
  cursor.sent = Date.now();
  cursor.data = {x: [x], y: [y]};
}, Math.max(0, wait));
