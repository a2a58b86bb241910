"""The places of orders, and the commands about who may order in a server or in every server."""
