import { useEffect, useState } from "preact/hooks";

import { useNow } from "../live/hooks";
import { AppIcon } from "../parts/appicon";
import { Icon } from "../parts/icon";
import { Progress } from "../parts/progress";
import type { App, Desktop, ImageProgress, Phase } from "../wire";
import { bytes, span, steps } from "../words";
import { Cover } from "./cover";

// Short of this, a start needs no excuse.
const longMs = 15_000;

/** A desktop on its way: what is being done, how far it is, what comes yet. `closing`: it is being stopped. */
export function Starting({ app, uid, desktop, closing }: { app: App; uid: string; desktop: Desktop | undefined; closing?: boolean }) {
  const [since] = useState(Date.now);
  const now = useNow(1000);
  const phase = closing ? undefined : phaseOf(desktop);
  useEffect(() => {
    // Loaded while the container starts, so that the picture comes at once.
    void import("@novnc/novnc").catch(() => undefined);
  }, []);
  const title = closing ? `Stopping ${app.title}` : `Starting ${app.title}`;
  return (
    <Cover app={app} title={title} uid={uid}>
      <section class="panel start" data-phase={phase ?? ""}>
        <AppIcon app={app} />
        <h1>{title}</h1>
        {closing ? (
          <>
            <Progress label={title} />
            <p role="status">Its windows are being closed. Its files are kept.</p>
          </>
        ) : (
          <>
            <Progress label={title} part={partOf(desktop?.image, phase)} />
            <p class="now" role="status">
              {sentence(phase, desktop)}
            </p>
            {phase === "image" && desktop?.image && <Image image={desktop.image} />}
            <ol class="steps">
              {steps
                .filter((step) => step.phase !== "queued" || phase === "queued")
                .map((step) => (
                  <Step key={step.phase} title={step.title} state={order(step.phase, phase)} />
                ))}
            </ol>
            <p class="quiet small">
              {now - since > longMs ? "The first start of an app takes longer, because it is fetched or built first. " : ""}
              <span aria-hidden="true">{span(now - since)}</span>
            </p>
          </>
        )}
      </section>
    </Cover>
  );
}

function phaseOf(desktop: Desktop | undefined): Phase {
  if (!desktop || desktop.state === "absent" || desktop.state === "stopping" || desktop.state === "failed") return "settings";
  return desktop.phase ?? (desktop.state === "starting" ? "start" : "settings");
}

function order(step: Phase, now: Phase | undefined): "done" | "now" | "later" {
  const at = (phase: Phase | undefined) => steps.findIndex((known) => known.phase === phase);
  if (step === now) return "now";
  return at(step) < at(now) ? "done" : "later";
}

function Step({ title, state }: { title: string; state: "done" | "now" | "later" }) {
  return (
    <li data-step={state} aria-current={state === "now" ? "step" : undefined}>
      <span class="mark">{state === "done" && <Icon name="check" />}</span>
      {title}
      {state === "done" && <span class="hidden"> (done)</span>}
    </li>
  );
}

function sentence(phase: Phase | undefined, desktop: Desktop | undefined): string {
  if (desktop?.state === "stopping") return "The last one is still closing; a new one starts right after.";
  if (phase === "queued") {
    const before = (desktop?.queue_position ?? 1) - 1;
    if (before <= 0) return "Others are being started just now. This one is next.";
    return before === 1 ? "Others are being started just now. One more is before this one." : `Others are being started just now. ${before} more are before this one.`;
  }
  if (phase === "image") return "Getting the app. It is kept for the next time.";
  return `${steps.find((step) => step.phase === phase)?.title ?? "Starting"}…`;
}

/** How much of the image is there; undefined where that is not known. */
function partOf(image: ImageProgress | undefined, phase: Phase | undefined): number | undefined {
  return phase === "image" && image?.total ? (image.current ?? 0) / image.total : undefined;
}

// More would make the page jump.
const mostLayers = 6;

/** What is known of an image on its way: bytes, layers, and the engine's last word. */
function Image({ image }: { image: ImageProgress }) {
  const layers = image.layers ?? [];
  const moving = layers.filter((layer) => layer.total && (layer.current ?? 0) < layer.total);
  const done = layers.length - moving.length;
  return (
    <div class="image">
      {image.total ? (
        <p class="bytes">
          {bytes(image.current ?? 0)} of {bytes(image.total)}
          {layers.length > 0 && `, ${done} of ${layers.length} parts are there`}
        </p>
      ) : null}
      {layers.length > 0 ? (
          <ul class="layers">
            {moving.slice(0, mostLayers).map((layer) => (
              <li key={layer.id}>
                <Progress label={`${layer.status} ${layer.id}`} part={(layer.current ?? 0) / (layer.total ?? 1)} />
                <span class="small">
                  {bytes(layer.current ?? 0)} of {bytes(layer.total ?? 0)}
                </span>
              </li>
            ))}
          </ul>
      ) : (
        image.text && <p class="engine-word">{image.text}</p>
      )}
    </div>
  );
}
