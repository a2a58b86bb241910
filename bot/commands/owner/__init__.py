"""The command `owner`: controls who may order videos."""
