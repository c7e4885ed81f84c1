-- On each server: its rows, and the table that files are inserted into. An empty number becomes 0: the columns of
-- a gap, and utc_ns where there is no wall clock. In all that needs it, kind says what a row is.
CREATE TABLE nestrace_local (
	ns UInt64, utc_ns UInt64, host String, boot String, cpu UInt32, pid Int32, task String, context String,
	function String, caller String, kind String, duration_ns UInt64, returned String, missing UInt64,
	instance String, arguments String
) ENGINE = MergeTree() PARTITION BY tuple() ORDER BY (host, function, ns);

CREATE TABLE nestrace_csv (
	ns String, utc_ns String, host String, boot String, cpu String, pid String, task String, context String,
	function String, caller String, kind String, duration_ns String, returned String, missing String,
	instance String, arguments String
) ENGINE = Null;

CREATE MATERIALIZED VIEW nestrace_of_csv TO nestrace_local AS
SELECT toUInt64OrZero(ns) AS ns, toUInt64OrZero(utc_ns) AS utc_ns, host, boot, toUInt32OrZero(cpu) AS cpu,
	toInt32OrZero(pid) AS pid, task, context, function, caller, kind, toUInt64OrZero(duration_ns) AS duration_ns,
	returned, toUInt64OrZero(missing) AS missing, instance, arguments
FROM nestrace_csv;

-- The rows of all servers of the cluster 'nestrace', which is in the servers' configuration. Ask this one.
CREATE TABLE nestrace AS nestrace_local
ENGINE = Distributed(nestrace, default, nestrace_local);
