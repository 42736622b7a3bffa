import { PointerLayer } from "./pointer_layer.js";

function render({ model, el }) {
  const layer = new PointerLayer(model, el);
  return () => layer.close();
}

export default { render };
