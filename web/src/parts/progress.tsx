/** A bar; without a part it only says that something goes on. */
export function Progress({ label, part }: { label: string; part?: number | undefined }) {
  const known = part !== undefined && Number.isFinite(part);
  const percent = known ? Math.round(100 * Math.min(1, Math.max(0, part))) : undefined;
  return (
    <div class={known ? "progress" : "progress unknown"} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
      <span style={known ? { width: `${percent}%` } : undefined} />
    </div>
  );
}
