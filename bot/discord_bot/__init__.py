"""The connection to Discord: the bot, its login and the definitions of its commands."""
