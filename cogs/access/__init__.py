"""Who may order: the places of orders, and the commands of a server or of every server."""
