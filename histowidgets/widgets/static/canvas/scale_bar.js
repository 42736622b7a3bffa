const MOST_PIXELS = 120; // longest bar in CSS pixels

// The scale bar for a zoom (CSS pixels per image pixel): the longest fitting length of 1, 2 or 5 times a power of ten.
// `pixelSize` is in micrometres; without it the length is in image pixels.
export function scaleBar(zoom, pixelSize, most = MOST_PIXELS) {
  const unit = pixelSize ? zoom / pixelSize : zoom; // CSS pixels per micrometre, or per image pixel
  const longest = most / unit;
  const power = 10 ** Math.floor(Math.log10(longest));
  const length = [5, 2, 1].find((step) => step * power <= longest) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(length)));
  const isLong = pixelSize && length >= 1000;
  const text = isLong ? `${length / 1000} mm` : `${length.toFixed(digits)} ${pixelSize ? "µm" : "px"}`;
  return { pixels: length * unit, text };
}
