// Runs in the pages that ask a server: `load` in those that load it, `press` in that of a user.
"use strict";
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// Fetch a path `count` times at once, at a time in milliseconds since 1970.
const load = async ({ path, count, at, timeoutMs }) => {
  performance.setResourceTimingBufferSize(count + 100);
  performance.clearResourceTimings();
  await pause(at - Date.now());
  const ask = async () => {
    try {
      const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(timeoutMs) });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  };
  const answered = await Promise.all(Array.from({ length: count }, ask));
  await pause(50);  // the browser notes the last of them a moment later
  const entries = performance.getEntriesByType("resource").map((entry) => ({
    start: performance.timeOrigin + entry.startTime,
    asked: performance.timeOrigin + (entry.requestStart || entry.startTime),
    end: performance.timeOrigin + entry.responseEnd,
    server: entry.serverTiming.map(({ duration }) => duration),
  }));
  return { entries, failed: answered.filter((ok) => !ok).length };
};

// Press a button every so often until `stop`; tell how long each press took to be seen: the
// handler asks the server, writes the answer, and the browser has drawn it.
const presses = { going: false, pending: new Set(), tookMs: [] };
const press = async ({ path, everyMs, timeoutMs }) => {
  presses.going = true;
  const button = document.querySelector("button");
  const handle = async (begunMs) => {
    await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(timeoutMs) }).catch(() => 0);
    button.textContent = begunMs;
    await new Promise(requestAnimationFrame);
    await pause(0);  // the frame is drawn
    presses.tookMs.push(performance.now() - begunMs);
  };
  button.onclick = (event) => {
    const handled = handle(event.timeStamp);
    presses.pending.add(handled);
    handled.finally(() => presses.pending.delete(handled));
  };
  while (presses.going) {
    button.click();
    await pause(everyMs);
  }
};
const stop = async () => {
  presses.going = false;
  await Promise.all(presses.pending);
  return presses.tookMs.splice(0);
};
