// Calls `begin` with the studio around an element, or else with its canvas, once the element is in the page, since it
// may be rendered before that. Returns a function to stop waiting.
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
