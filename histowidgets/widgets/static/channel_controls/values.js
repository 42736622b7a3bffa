// The midtones slider holds the logarithm of gamma to this base, so that its ends are 1/4 and 4.
const GAMMA_BASE = 4;

export function sliderToGamma(position) {
  return GAMMA_BASE ** position;
}

export function gammaToSlider(gamma) {
  return Math.log(gamma) / Math.log(GAMMA_BASE);
}

export function formatValue(value, whole) {
  return whole ? String(Math.round(value)) : Number(value).toPrecision(3);
}
