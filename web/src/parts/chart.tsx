const width = 120;
const height = 32;

/**
 * The course of a value as a small line; `values` are the latest ones, the newest last, at most `room` of them.
 * `most` is what fills the height.
 */
export function Chart({ title, value, values, most, room }: { title: string; value: string; values: number[]; most: number; room: number }) {
  const step = width / (room - 1);
  const points = values.map((v, i) => {
    const x = width - (values.length - 1 - i) * step;
    const y = height - 1.5 - Math.min(1, most > 0 ? v / most : 0) * (height - 4);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const first = points[0]?.split(",")[0] ?? width;
  return (
    <div class="chart">
      <div class="chart-text">
        <span class="chart-title">{title}</span> <span class="chart-value">{value}</span>
      </div>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {points.length > 1 && <polygon points={`${first},${height} ${points.join(" ")} ${width},${height}`} />}
        {points.length > 1 && <polyline points={points.join(" ")} vector-effect="non-scaling-stroke" />}
      </svg>
    </div>
  );
}
