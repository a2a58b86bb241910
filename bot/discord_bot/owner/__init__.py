"""The commands for the bot's owner: who may use them, and where Discord offers them."""
