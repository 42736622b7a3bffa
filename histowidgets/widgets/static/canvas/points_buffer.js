// Points are sent as float32 bytes, x and y in turn.
export function packPoints(points) {
  return new Float32Array(points.flat()).buffer;
}

export function unpackPoints(bytes) {
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i], numbers[2 * i + 1]]);
}
