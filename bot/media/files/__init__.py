"""Files in DATA_DIR: where they are, written whole or not at all."""
