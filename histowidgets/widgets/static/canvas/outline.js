// The SVG paths of an open shape, in stage pixels. Its parts are `area` (filled), `line`, `rubber` (from the last point
// to the pen), `handles` (the points that were clicked) and `first` (the point that closes a polygon); `thickness` is
// that of the line. The paths of finished shapes are in image pixels.
const HANDLE_RADIUS = 4;
const LEAST_THICKNESS = 2;

const openPath = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
const closedPath = (points) => `${openPath(points)}Z`;

function circlePath([x, y], r) {
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}

export function lineOutline(ends, thickness) {
  return { line: openPath(ends), thickness: Math.max(LEAST_THICKNESS, thickness) };
}

export function areaOutline(corners) {
  const path = closedPath(corners);
  return { area: path, line: path, thickness: LEAST_THICKNESS };
}

// `corners` are the indices of the points with a handle, `at` is the position of the pen or null, and `closing` says
// that a click there would close the polygon.
export function polygonOutline(points, corners, at, closing) {
  const end = closing ? points[0] : at;
  const ends = at ? [points.at(-1), end] : [];
  const back = at && !closing && points.length > 1 ? `L${points[0].join(" ")}` : "";
  return {
    area: closedPath(closing || !at ? points : [...points, at]),
    line: openPath(points),
    rubber: openPath(ends) + back,
    handles: corners.map((index) => circlePath(points[index], HANDLE_RADIUS)).join(""),
    first: circlePath(points[0], closing ? HANDLE_RADIUS + 4 : HANDLE_RADIUS + 1),
    thickness: LEAST_THICKNESS,
  };
}

// The closed path of rings [x, y, x, y, ...].
export function ringsPath(rings) {
  return rings
    .map((ring) => {
      const parts = [];
      for (let i = 0; i < ring.length; i += 2) parts.push(`${i ? "L" : "M"}${ring[i]} ${ring[i + 1]}`);
      return `${parts.join("")}Z`;
    })
    .join("");
}
