"""How it is run: PostgreSQL, broker, gateway, label service and agents as children of one process, on one machine."""
