-- Each works in DuckDB and in ClickHouse. Replace the names of functions and hosts by yours.

-- hottest: the functions that are called most, by context and host
SELECT host, context, "function", count(*) AS calls
FROM nestrace
WHERE kind = 'call'
GROUP BY host, context, "function"
ORDER BY calls DESC, host, context, "function"
LIMIT 20;

-- reached: the hosts that ever called a function, and when
SELECT host, count(*) AS calls, min(utc_ns) AS first_utc_ns, max(utc_ns) AS last_utc_ns
FROM nestrace
WHERE kind = 'call' AND "function" = 'vfs_open'
GROUP BY host
ORDER BY host;

-- update: calls by boot, as before and after an update of the kernel
SELECT boot, context, "function", count(*) AS calls
FROM nestrace
WHERE kind = 'call'
GROUP BY boot, context, "function"
ORDER BY context, "function", boot
LIMIT 100;

-- slowest: the longest and the average call by host and function
SELECT host, "function", count(*) AS calls, max(duration_ns) AS longest_ns, avg(duration_ns) AS average_ns
FROM nestrace
WHERE kind = 'return'
GROUP BY host, "function"
ORDER BY longest_ns DESC, host, "function"
LIMIT 20;

-- incident: what ran on a host in the 10 ms before and after the first call of a function there
SELECT ns, cpu, task, context, "function", caller
FROM nestrace
WHERE kind = 'call' AND host = 'localhost'
	AND ns + 10000000 >= (SELECT min(ns) FROM nestrace
		WHERE kind = 'call' AND host = 'localhost' AND "function" = 'vfs_open')
	AND ns <= (SELECT min(ns) + 10000000 FROM nestrace
		WHERE kind = 'call' AND host = 'localhost' AND "function" = 'vfs_open')
ORDER BY ns
LIMIT 1000;

-- losses: hits that are missing, by host and CPU; gaps whose number is not known count as 0
SELECT host, cpu, count(*) AS gaps, sum(missing) AS missing
FROM nestrace
WHERE kind = 'gap'
GROUP BY host, cpu
ORDER BY host, cpu;
