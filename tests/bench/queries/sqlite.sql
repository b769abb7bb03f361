q01	SELECT count(*) FROM events WHERE status >= 500 AND bytes > 50000
q02	SELECT type AS k, count(*), sum(bytes), avg(latency_ms) FROM events GROUP BY k ORDER BY k
q03	SELECT user_name AS k, sum(bytes) AS s FROM events GROUP BY k ORDER BY s DESC, k LIMIT 10
q04	SELECT count(DISTINCT session) FROM events
q05	SELECT substr(ts, 1, 13) AS h, count(*), avg(latency_ms) FROM events GROUP BY h ORDER BY h
q06	SELECT * FROM events WHERE _id = '@ID@'
q07	SELECT count(*), sum(bytes) FROM events WHERE session = '@SESSION@'
q08	SELECT region, count(*), sum(price) FROM events JOIN dim ON country = dim.code GROUP BY region ORDER BY region
q09	SELECT count(*) FROM events WHERE message LIKE '%deadlock%'
q10	SELECT count(*), avg(latency_ms) FROM events WHERE user_plan = 'enterprise' AND lat > 50
q11	SELECT _id AS i, latency_ms AS l FROM events WHERE type = 'purchase' ORDER BY l DESC LIMIT 20
q12	SELECT count(*) FROM events WHERE EXISTS (SELECT 1 FROM json_each(tags) WHERE value = 'vip')
