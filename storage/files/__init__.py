"""Creates and locks DATA_DIR, the folder that contains all data of the bot."""
