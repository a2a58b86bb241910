"""The PostgreSQL database. It is imported only if DATABASE_URL is set, because it needs asyncpg."""
