const OUTSIDE_ALPHA = 0.3; // opacity of the bars outside the range

// Draw the histogram of a channel; bars outside `low` to `high` are pale.
export function drawHistogram(canvas, { histogram, least, most }, low, high, color) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  const across = width / histogram.length;
  context.clearRect(0, 0, width, height);
  context.fillStyle = color;
  histogram.forEach((share, bin) => {
    const value = least + ((bin + 0.5) / histogram.length) * (most - least);
    const tall = Math.max(share > 0 ? 1 : 0, share * height);
    context.globalAlpha = value >= low && value <= high ? 1 : OUTSIDE_ALPHA;
    context.fillRect(bin * across, height - tall, across - 0.5, tall);
  });
}
