q01	SELECT COUNT(*) FROM events WHERE status >= 500 AND bytes > 50000
q02	SELECT type AS k, COUNT(*), SUM(bytes), AVG(latency_ms) FROM events GROUP BY k ORDER BY k
q03	SELECT "user".name AS k, SUM(bytes) AS s FROM events GROUP BY k ORDER BY s DESC, k LIMIT 10
q04	SELECT COUNT(DISTINCT session) FROM events
q05	SELECT DATE_TRUNC('HOUR', PARSE_TIMESTAMP_ISO8601(ts)) AS h, COUNT(*), AVG(latency_ms) FROM events GROUP BY h ORDER BY h
q06	SELECT * FROM events WHERE _id = '@ID@'
q07	SELECT COUNT(*), SUM(bytes) FROM events WHERE session = '@SESSION@'
q08	SELECT dim.region AS region, COUNT(*), SUM(events.price) FROM events JOIN dim ON events.country = dim.code GROUP BY dim.region ORDER BY region
q09	SELECT COUNT(*) FROM events WHERE message LIKE '%deadlock%'
q10	SELECT COUNT(*), AVG(latency_ms) FROM events WHERE "user".plan = 'enterprise' AND geo.lat > 50
q11	SELECT _id AS i, latency_ms AS l FROM events WHERE type = 'purchase' ORDER BY l DESC LIMIT 20
q12	SELECT COUNT(*) FROM events WHERE ARRAY_CONTAINS(tags, 'vip')
