import { useEffect, useState } from "preact/hooks";

import { usePolled, useSite } from "../live/hooks";

/**
 * The picture of a desktop, live or the last one that was kept, as an address for an image; undefined when there is
 * none. It is asked for again every so many milliseconds while it is wanted. A call, because an <img> cannot send the token.
 */
export function usePicture(uid: string, width: number, every: number, wanted: boolean, version: unknown): string | undefined {
  const { api } = useSite();
  const { value: blob } = usePolled((signal) => api.picture(uid, width, signal), every, [uid, width, version], wanted);
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (!blob) return undefined;
    const url = URL.createObjectURL(blob);
    setAddress(url);
    return () => URL.revokeObjectURL(url);
  }, [blob]);
  return blob ? address : undefined;
}
