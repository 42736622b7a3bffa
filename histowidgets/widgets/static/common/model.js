// Calls `draw` now and whenever one of the named traits changes, and `onMessage` for each message of the kernel;
// returns a function to stop.
export function follow(model, names, draw, onMessage = null) {
  const changes = names.map((name) => `change:${name}`);
  for (const change of changes) model.on(change, draw);
  if (onMessage) model.on("msg:custom", onMessage);
  draw();
  return () => {
    for (const change of changes) model.off(change, draw);
    if (onMessage) model.off("msg:custom", onMessage);
  };
}
