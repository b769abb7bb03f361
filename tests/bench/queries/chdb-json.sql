q01	SELECT count() FROM b.events WHERE d.status.:Int64 >= 500 AND d.bytes.:Int64 > 50000
q02	SELECT d.type.:String AS k, count(), sum(d.bytes.:Int64), avg(d.latency_ms.:Float64) FROM b.events GROUP BY k ORDER BY k
q03	SELECT d.user.name.:String AS k, sum(d.bytes.:Int64) AS s FROM b.events GROUP BY k ORDER BY s DESC, k LIMIT 10
q04	SELECT uniqExact(d.session.:String) FROM b.events
q05	SELECT toStartOfHour(d.ts.:`DateTime64(9)`) AS h, count(), avg(d.latency_ms.:Float64) FROM b.events GROUP BY h ORDER BY h
q06	SELECT * FROM b.events WHERE d._id.:String = '@ID@'
q07	SELECT count(), sum(d.bytes.:Int64) FROM b.events WHERE d.session.:String = '@SESSION@'
q08	SELECT region, count(), sum(d.price.:Float64) FROM b.events JOIN b.dim ON assumeNotNull(d.country.:String) = dim.code GROUP BY region ORDER BY region
q09	SELECT count() FROM b.events WHERE d.message.:String LIKE '%deadlock%'
q10	SELECT count(), avg(d.latency_ms.:Float64) FROM b.events WHERE d.user.plan.:String = 'enterprise' AND d.geo.lat.:Float64 > 50
q11	SELECT d._id.:String AS i, d.latency_ms.:Float64 AS l FROM b.events WHERE d.type.:String = 'purchase' ORDER BY l DESC LIMIT 20
q12	SELECT count() FROM b.events WHERE has(d.tags.:`Array(Nullable(String))`, 'vip')
