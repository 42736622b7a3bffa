// ipycanvas makes an object URL for each picture that it draws and never revokes it, so that all pictures stay in
// memory. These canvases decode their pictures without a URL, and release them once they are drawn.
const isFunction = (value) => typeof value === "function";

export async function decodeWithoutUrls(manager, canvasIds, pictureIds) {
  const modelsOf = (ids) => Promise.all(ids.map((id) => manager.get_model(id)));
  const [canvases, pictures] = await Promise.all([modelsOf(canvasIds), modelsOf(pictureIds)]);
  for (const canvas of canvases) {
    // Do not change other versions of ipycanvas, which may work differently.
    const isKnown = [canvas._drawImage, canvas.drawImage, canvas.putImageData].every(isFunction);
    if (canvas.hwWithoutUrls || !isKnown) continue;
    const drawImage = canvas.drawImage;
    canvas.drawImage = async ([what, ...place], buffers) => {
      const picture = pictures.find(({ model_id }) => what === `IPY_MODEL_${model_id}`);
      if (picture) await draw(canvas, picture.get("value"), `image/${picture.get("format")}`, place);
      else await drawImage.call(canvas, [what, ...place], buffers);
    };
    canvas.putImageData = ([x, y], [bytes]) => draw(canvas, bytes, "image/png", [x, y]);
    canvas.hwWithoutUrls = true;
  }
}

async function draw(canvas, bytes, type, place) {
  const bitmap = await createImageBitmap(new Blob([bytes], { type }));
  try {
    canvas._drawImage(bitmap, ...place);
  } finally {
    bitmap.close();
  }
}
