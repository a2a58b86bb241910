"""The database's files, and the folder that contains them."""
