"""The use of the connection to the database."""
