// pg-boss as its users run it, told by arguments what to measure. Prints one line of JSON.
//
//   node peer.mjs drain  URL JOBS BATCH LOOPS   fills a queue, then fetches and completes in loops until it is empty
//   node peer.mjs work   URL JOBS BATCH LOOPS   the same by as many of its own workers, whose handler does nothing
//   node peer.mjs starts URL RATE SECONDS HOW   sends at a rate; how long each job waits for its start, in milliseconds;
//                                               HOW: 'polling', every half second, or 'notify', by LISTEN and NOTIFY

import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import { PgBoss } from "pg-boss";

const QUEUE = "bench";
// As large as what ours carries.
const DATA = { cause: { reactor: "bench", event_id: "0190a8f2-7b1c-7d3e-9f00-0123456789ab" }, payload: {} };

async function started(url, connections, notify) {
  // What looks after the queue meanwhile is off: nothing but the jobs is measured.
  const options = { schedule: false, supervise: false, useListenNotify: notify, max: connections };
  const boss = new PgBoss({ connectionString: url, ...options });
  boss.on("error", (error) => {
    throw error;
  });
  await boss.start();
  await boss.createQueue(QUEUE, { notify });
  return boss;
}

async function filled(url, jobs, connections) {
  const boss = await started(url, connections, false);
  for (let from = 0; from < jobs; from += 1000) {
    const part = Array.from({ length: Math.min(1000, jobs - from) }, () => ({ data: DATA }));
    await boss.insert(QUEUE, part);
  }
  await boss.getDb().executeSql("ANALYZE");
  return boss;
}

async function drain(url, jobs, batch, loops) {
  const boss = await filled(url, jobs, loops + 2);
  let done = 0;
  const loop = async () => {
    for (;;) {
      const fetched = await boss.fetch(QUEUE, { batchSize: batch });
      if (fetched.length === 0) return;
      await boss.complete(QUEUE, fetched.map((job) => job.id));
      done += fetched.length;
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: loops }, loop));
  const seconds = (performance.now() - begun) / 1000;
  await boss.stop({ graceful: false });
  return { done, seconds };
}

async function work(url, jobs, batch, workers) {
  const boss = await filled(url, jobs, workers + 2);
  let done = 0;
  const begun = performance.now();
  const options = { batchSize: batch, localConcurrency: workers, pollingIntervalSeconds: 0.5 };
  await boss.work(QUEUE, { ...options, burstWhenBatchFull: true }, async (fetched) => {
    done += fetched.length;
  });
  while (done < jobs) await sleep(1);
  // The last ones are still to be completed.
  await boss.stop({ graceful: true });
  const seconds = (performance.now() - begun) / 1000;
  return { done, seconds };
}

async function starts(url, rate, seconds, how) {
  const boss = await started(url, 12, how === "notify");
  const asked = new Map();
  const waits = [];
  const options = { batchSize: 100, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 };
  await boss.work(QUEUE, { ...options, burstWhenBatchFull: true }, async (jobs) => {
    const now = performance.now();
    for (const job of jobs) waits.push(now - asked.get(job.data.n));
  });
  const begun = performance.now();
  const sent = [];
  for (let n = 0; n < rate * seconds; n += 1) {
    const due = begun + (n * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    asked.set(n, performance.now());
    sent.push(boss.send(QUEUE, { ...DATA, n }));
  }
  await Promise.all(sent);
  while (waits.length < sent.length) await sleep(20);
  await boss.stop({ graceful: true });
  return { waits };
}

const [what, url, ...rest] = process.argv.slice(2);
const told = await { drain, work, starts }[what](url, ...rest.map((word) => (isNaN(word) ? word : Number(word))));
console.log(JSON.stringify(told));
process.exit(0);
