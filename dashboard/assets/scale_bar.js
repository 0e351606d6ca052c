// Keeps the scale bar in the lower left corner of the visible part of the image.
// Arguments: bar, x and y (the ranges), bounds (x0, y0, x1, y1).
bar.setv({location: [Math.max(x.start, bounds[0]), Math.min(y.start, bounds[3])]}, {sync: false});
