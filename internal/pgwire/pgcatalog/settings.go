package pgcatalog

// Settings are those of a new connection, by their names in lower case.
func Settings(user string) map[string]string {
	return map[string]string{ //nolint:gosec // no password is among them
		"application_name": "", "session_authorization": user, "is_superuser": "off",
		"server_version": Version, "server_version_num": VersionNumber,
		"server_encoding": "UTF8", "client_encoding": "UTF8", "datestyle": "ISO, MDY", "intervalstyle": "postgres",
		"timezone": "UTC", "integer_datetimes": "on", "standard_conforming_strings": "on", "default_transaction_read_only": "off", "in_hot_standby": "off",
		"search_path": "public", "transaction_isolation": "read committed", "default_transaction_isolation": "read committed",
		"transaction_read_only": "off", "transaction_deferrable": "off", "extra_float_digits": "1", "statement_timeout": "0", "lock_timeout": "0",
		"idle_in_transaction_session_timeout": "0", "max_index_keys": "32", "max_identifier_length": "63", "bytea_output": "hex", "client_min_messages": "notice",
		"row_security": "on", "synchronous_commit": "on", "lc_collate": "C", "lc_ctype": "C", "lc_messages": "C", "lc_monetary": "C", "block_size": "8192",
		"jit": "off", "ssl": "off", "max_connections": "100", "autovacuum": "off", "escape_string_warning": "on",
		"default_table_access_method": "heap", "default_with_oids": "off", "password_encryption": "scram-sha-256", "wal_level": "replica", "role": "none",
	}
}
