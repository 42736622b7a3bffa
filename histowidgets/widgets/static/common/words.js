// "1 annotation", "2 annotations".
export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
