// ipycanvas makes an address for each picture that it draws and never gives it back, so that the page keeps all
// pictures of the day. Our canvases decode theirs without an address, and let go of them when they are drawn.
export async function drawWithoutTrace(manager, canvasIds, pictureIds) {
  const [canvases, pictures] = await Promise.all(
    [canvasIds, pictureIds].map((ids) => Promise.all(ids.map((id) => manager.get_model(id)))),
  );
  for (const canvas of canvases) {
    // Another version of ipycanvas may work otherwise: it is left alone then.
    if (canvas.hwWithoutTrace || ![canvas._drawImage, canvas.drawImage, canvas.putImageData].every(isFunction)) continue;
    const drawImage = canvas.drawImage;
    canvas.drawImage = async ([what, ...place], buffers) => {
      const picture = pictures.find((one) => what === `IPY_MODEL_${one.model_id}`);
      if (!picture) return drawImage.call(canvas, [what, ...place], buffers);
      await draw(canvas, picture.get("value"), `image/${picture.get("format")}`, place);
    };
    canvas.putImageData = ([x, y], [bytes]) => draw(canvas, bytes, "image/png", [x, y]);
    canvas.hwWithoutTrace = true;
  }
}

const isFunction = (what) => typeof what === "function";

async function draw(canvas, bytes, type, place) {
  const bitmap = await createImageBitmap(new Blob([bytes], { type }));
  try {
    canvas._drawImage(bitmap, ...place);
  } finally {
    bitmap.close();
  }
}
