// SPDX-License-Identifier: Apache-2.0
// What the runners of other engines share: clocks, figures, answers. Figures are those of measure.h, in the same form.
import fs from 'node:fs';
import os from 'node:os';
import { createRequire } from 'node:module';

export const env = process.env;
// The engines are installed below BENCH_PEERS, outside the checkout.
export const load = createRequire(env.BENCH_PEERS + '/package.json');

export const CORES = os.availableParallelism();
const REPEATS = 7, LIMIT_MS = 20_000, STREAM = 100, STREAM_COMMITS = 200;

const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1e3; };

export const print = (step, what, value) => process.stdout.write(`${step}\t${what}\t${value.toFixed(3)}\n`);

export function printMemory(step) {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  print(step, 'rss_kb', Number(/VmRSS:\s+(\d+)/.exec(status)[1]));
  print(step, 'peak_kb', Number(/VmHWM:\s+(\d+)/.exec(status)[1]));
}

// Time work() and print its cost as a step's.
export async function once(step, work) {
  const wall = performance.now(), used = cpu();
  await work();
  print(step, 'cpu_ms', cpu() - used);
  print(step, 'wall_ms', performance.now() - wall);
}

// Ask every query of BENCH_QUERIES, each up to 7 times with one thread and 7 with all, and print the least of both:
// one thread is cheapest, all are quickest. ask(text, threads) returns the answer as JSON text.
export async function queries(ask) {
  for (const line of fs.readFileSync(env.BENCH_QUERIES, 'utf8').split('\n').filter(Boolean)) {
    const [name, text] = line.split('\t');
    let leastCpu = Infinity, leastWall = Infinity, answer;
    try {
      for (const threads of [1, CORES]) {
        const limit = performance.now() + LIMIT_MS;
        for (let n = 0; n < REPEATS && performance.now() < limit; n++) {
          const wall = performance.now(), used = cpu();
          answer = await ask(text, threads);
          leastCpu = Math.min(leastCpu, cpu() - used);
          leastWall = Math.min(leastWall, performance.now() - wall);
        }
      }
    } catch (error) {
      process.stderr.write(`${name}: ${error.message}\n`);
      continue; // one that fails has no figure
    }
    print(name, 'cpu_ms', leastCpu);
    print(name, 'wall_ms', leastWall);
    fs.writeFileSync(`${env.BENCH_ANSWERS}/${name}.json`, answer);
  }
  printMemory('query');
}

// Commit 200 times 100 documents by insert(lines); count() says how many there are in the end.
export async function stream(insert, count) {
  const lines = fs.readFileSync(env.BENCH_STREAM, 'utf8').split('\n'), waits = [], used = cpu();
  for (let i = 0; i < STREAM_COMMITS; i++) {
    const start = performance.now();
    await insert(lines.slice(i * STREAM, (i + 1) * STREAM));
    waits.push(performance.now() - start);
  }
  print('stream', 'cpu_ms', (cpu() - used) / STREAM_COMMITS);
  waits.sort((a, b) => a - b);
  print('stream', 'p50_ms', waits[STREAM_COMMITS / 2]);
  print('stream', 'p95_ms', waits[STREAM_COMMITS * 0.95]);
  print('stream', 'documents', await count());
}
