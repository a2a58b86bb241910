"""The files of the database, and the folder that they are in."""
