-- All recordings in this directory, as nestrace export --csv writes them.
CREATE OR REPLACE VIEW nestrace AS
SELECT * FROM read_csv('*.csv*', header = true, union_by_name = true, columns = {
	'ns': 'UBIGINT', 'utc_ns': 'UBIGINT', 'host': 'VARCHAR', 'boot': 'VARCHAR', 'cpu': 'UINTEGER',
	'pid': 'INTEGER', 'task': 'VARCHAR', 'context': 'VARCHAR', 'function': 'VARCHAR',
	'caller': 'VARCHAR', 'kind': 'VARCHAR', 'duration_ns': 'UBIGINT', 'returned': 'VARCHAR',
	'missing': 'UBIGINT', 'instance': 'VARCHAR', 'arguments': 'VARCHAR' });
