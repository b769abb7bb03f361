// SPDX-License-Identifier: Apache-2.0
// Measure chDB, which is ClickHouse in a library:  node chdb.mjs typed|json FOLDER
// typed has a column for every field and bloom filters on _id and session; json has one column of type JSON.
import fs from 'node:fs';
import { CORES, env, load, once, print, printMemory, queries, stream } from './peer.mjs';

const [variant, folder] = process.argv.slice(2);
const { Session } = load('chdb');
const session = new Session(folder);
const run = (text, format = 'TSV') => session.query(text, format);

const FILE_COLUMNS = `_id String, ts String, type String, country String, user Tuple(id UInt32, name String, plan String, email String),
  session String, url String, status UInt16, latency_ms Float64, bytes UInt32, price Nullable(Float64), ok Bool,
  geo Tuple(lat Float64, lon Float64), tags Array(String), message String`;
const TABLE = {
  typed: `(_id String, ts DateTime64(3), type LowCardinality(String), country LowCardinality(String), "user.id" UInt32, "user.name" String,
    "user.plan" LowCardinality(String), "user.email" String, session String, url String, status UInt16, latency_ms Float64, bytes UInt32,
    price Nullable(Float64), ok Bool, "geo.lat" Float64, "geo.lon" Float64, tags Array(LowCardinality(String)), message String,
    INDEX i1 _id TYPE bloom_filter(0.01) GRANULARITY 1, INDEX i2 session TYPE bloom_filter(0.01) GRANULARITY 1)
    ENGINE = MergeTree ORDER BY (type, ts)`,
  json: '(d JSON) ENGINE = MergeTree ORDER BY tuple()',
};
const FROM = {
  typed: (path) => `SELECT _id, parseDateTime64BestEffort(ts, 3), type, country, user.id, user.name, user.plan, user.email, session, url, status,
    latency_ms, bytes, price, ok, geo.lat, geo.lon, tags, message FROM file('${path}', 'JSONEachRow', '${FILE_COLUMNS}')`,
  json: (path) => `SELECT * FROM file('${path}', 'JSONAsObject')`,
};

run('CREATE DATABASE b ENGINE = Atomic');
run(`CREATE TABLE b.events ${TABLE[variant]}`);
await once('load', () => run(`INSERT INTO b.events ${FROM[variant](env.BENCH_EVENTS)}
  SETTINGS max_threads = ${CORES}, max_insert_threads = ${CORES}`));
run('OPTIMIZE TABLE b.events FINAL'); // not counted: it would merge in its own time
print('load', 'documents', Number(run('SELECT count() FROM b.events')));
print('load', 'disk_bytes', Number(run(`SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'b' AND table = 'events'`)));
printMemory('load');
run('CREATE TABLE b.dim (code String, region String) ENGINE = MergeTree ORDER BY code');
run(`INSERT INTO b.dim SELECT * FROM file('${env.BENCH_DIM}', 'CSVWithNames')`);

// Rows a line become a list; answers and conditions of earlier queries are not to be remembered.
const ask = (text, threads) => `[${run(`${text} SETTINGS max_threads = ${threads}, use_query_cache = 0, use_query_condition_cache = 0`,
  'JSONCompactEachRow').trim().split('\n').join(',\n')}]`;
await queries(async (text, threads) => ask(text, threads));

run(`CREATE TABLE b.stream ${TABLE[variant]}`);
const batch = `${folder}.batch.ndjson`;
await stream((lines) => {
  fs.writeFileSync(batch, lines.join('\n'));
  run(`INSERT INTO b.stream ${FROM[variant](batch)}`);
}, () => Number(run('SELECT count() FROM b.stream')));
session.cleanup?.();
process.exit(0);
