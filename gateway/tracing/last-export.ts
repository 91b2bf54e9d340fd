/** A thread that ends has 5 s for it, or main takes it for one that hangs. */
const endMsMax = 3000;

/** Waits for the last spans to be sent: no longer than an export may take, nor than a thread may take to end. */
export async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, endMsMax));
  });
  await Promise.race([work.catch(() => {}), timeout]);
  clearTimeout(timer);
}
