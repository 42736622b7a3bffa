// Calls `begin` with the studio around an element, or with the canvas if that stands alone, once it is in the page: the
// element may be rendered before. Returns a function that stops the waiting.
export function whenInStudio(element, begin) {
  let frame = 0;
  const find = () => {
    const root = element.closest(".hw-studio") ?? element.closest(".hw-canvas");
    if (root?.isConnected) begin(root);
    else frame = requestAnimationFrame(find);
  };
  frame = requestAnimationFrame(find);
  return () => cancelAnimationFrame(frame);
}
