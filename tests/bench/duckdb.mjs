// SPDX-License-Identifier: Apache-2.0
// Measure DuckDB with a column for every field:  node duckdb.mjs typed|indexed FILE
// indexed adds indexes on _id and session.
import fs from 'node:fs';
import { CORES, env, load, once, print, printMemory, queries, stream } from './peer.mjs';

const [variant, file] = process.argv.slice(2);
const COLUMNS = `{_id: 'VARCHAR', ts: 'TIMESTAMP', type: 'VARCHAR', country: 'VARCHAR',
  "user": 'STRUCT(id BIGINT, name VARCHAR, plan VARCHAR, email VARCHAR)', session: 'VARCHAR', url: 'VARCHAR', status: 'INTEGER',
  latency_ms: 'DOUBLE', bytes: 'BIGINT', price: 'DOUBLE', ok: 'BOOLEAN', geo: 'STRUCT(lat DOUBLE, lon DOUBLE)', tags: 'VARCHAR[]', message: 'VARCHAR'}`;
const read = (path) => `read_json('${path}', format = 'newline_delimited', columns = ${COLUMNS})`;

const { DuckDBInstance } = load('@duckdb/node-api');
const instance = await DuckDBInstance.create(file, { threads: String(CORES), storage_compatibility_version: 'latest' });
const db = await instance.connect();
const rows = async (text) => (await db.runAndReadAll(text)).getRowsJson();

await once('load', async () => {
  await db.run(`CREATE TABLE events AS SELECT * FROM ${read(env.BENCH_EVENTS)}`);
  if (variant === 'indexed') {
    await db.run('CREATE INDEX by_id ON events (_id)');
    await db.run('CREATE INDEX by_session ON events (session)');
  }
  await db.run('CHECKPOINT');
});
print('load', 'documents', Number((await rows('SELECT count(*) FROM events'))[0][0]));
print('load', 'disk_bytes', fs.statSync(file).size);
printMemory('load');
await db.run(`CREATE TABLE dim AS SELECT * FROM read_csv('${env.BENCH_DIM}', header = true)`);

let threadsNow = CORES;
await queries(async (text, threads) => {
  if (threads !== threadsNow) await db.run(`SET threads TO ${threads}`);
  threadsNow = threads;
  return JSON.stringify(await rows(text));
});

await db.run(`CREATE TABLE stream AS SELECT * FROM events LIMIT 0`);
if (variant === 'indexed') {
  await db.run('CREATE INDEX stream_by_id ON stream (_id)');
  await db.run('CREATE INDEX stream_by_session ON stream (session)');
}
const batch = `${file}.batch.ndjson`; // its bulk path is a file
await stream(async (lines) => {
  fs.writeFileSync(batch, lines.join('\n'));
  await db.run(`INSERT INTO stream SELECT * FROM ${read(batch)}`);
}, async () => Number((await rows('SELECT count(*) FROM stream'))[0][0]));
process.exit(0);
