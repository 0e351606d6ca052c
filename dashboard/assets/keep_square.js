// Keeps pixels square when the frame's size changes: keeps the centre and the magnification.
// Arguments: figure, x and y (the ranges), size (data source), bounds (x0, y0, x1, y1).
const w = figure.inner_width, h = figure.inner_height;
if (!(w > 1 && h > 1)) return;
const [x0, y0, x1, y1] = bounds;
const fit = Math.max((x1 - x0) / w, (y1 - y0) / h);
const shown = Math.abs(x.end - x.start), whole = size.data.fit[0];
const all = shown === x1 - x0 && Math.abs(y.end - y.start) === y1 - y0;
const unit = whole > 0 ? fit * (shown / size.data.w[0]) / whole
           : all ? fit : Math.max(shown / w, Math.abs(y.end - y.start) / h);
const cx = (x.start + x.end) / 2, cy = (y.start + y.end) / 2;
size.data = {w: [w], h: [h], fit: [fit]};
const mx = (x0 + x1) / 2, my = (y0 + y1) / 2;
x.setv({start: cx - unit * w / 2, end: cx + unit * w / 2,
        reset_start: mx - fit * w / 2, reset_end: mx + fit * w / 2});
y.setv({start: cy + unit * h / 2, end: cy - unit * h / 2,
        reset_start: my + fit * h / 2, reset_end: my - fit * h / 2});
