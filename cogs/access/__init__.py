"""The rules about who may order: the places of orders, and the commands that set the rules."""
